//! What a first run makes, and what it says.

use anyhow::Context as _;
use microblog_api::{Secret, setup_link};
use microblog_config::Settings;
use microblog_domain::{PostContent, PostKind, PostStatus, Tag, Timestamp};
use microblog_store::publishing::{self, NewPost};
use microblog_store::{Origin, Store, posts, users};

use crate::cli::report::say;

const WELCOME: &str = include_str!("welcome.md");

/// Publishes a sample post on a site that has nobody and nothing yet.
pub(super) async fn prepare(store: &Store, settings: &Settings, now: Timestamp) -> anyhow::Result<()> {
    let mut tx = store.begin().await?;
    posts::hold_addresses(&mut tx).await?;
    let is_new = users::are_missing(&mut tx).await?
        && posts::count_by_status(&mut tx).await?.iter().all(|(_, posts): &(PostStatus, u64)| *posts == 0);
    if is_new {
        publishing::create(&mut tx, welcome(settings)?, &Origin::system(now))
            .await
            .context("writing the sample post")?;
    }
    Ok(tx.commit().await?)
}

fn welcome(settings: &Settings) -> anyhow::Result<NewPost> {
    let content = PostContent {
        kind: PostKind::Article,
        title: Some("Hello, world".to_owned()),
        slug: "hello-world".parse()?,
        markdown: WELCOME.replace("{dashboard}", &dashboard(settings)),
        published_at: None,
        tags: vec![Tag::new("Microblog")?],
        description: Some(
            "Your site is live. This is what a post can look like, and how to write your own.".to_owned(),
        ),
        image: None,
        authors: Vec::new(),
        aliases: Vec::new(),
        permalink: None,
        extra: serde_json::Map::new(),
    };
    Ok(NewPost { content, publish: true, owner: None, updated_at: None })
}

fn dashboard(settings: &Settings) -> String {
    format!("http://{}/dashboard", settings.server.listen)
}

/// Says where to click.
pub(super) fn greet(settings: &Settings, setup: Option<&Secret>) {
    say(format_args!("\n  Microblog {} is running.\n", env!("CARGO_PKG_VERSION")));
    say(format_args!("  Your site:   http://{}/", settings.site_server.listen));
    match setup {
        Some(secret) => {
            say(format_args!("  Set it up:   {}", setup_link(&dashboard(settings), secret)));
            say("               (this link makes you the owner; it works once, and changes with every start)");
        }
        None => say(format_args!("  Dashboard:   {}", dashboard(settings))),
    }
    say(format_args!("  Stop it with Ctrl+C. Your posts are in {}.\n", settings.data.dir.display()));
}
