//! Posts: list, create, read, change, delete, publish, and their revisions.

mod body;
mod input;
mod list;
mod revisions;

use axum::extract::State;
use microblog_domain::{PostContent, PostId, SiteSettings, Version};
use microblog_store::posts::{self, StoredPost};
use microblog_store::publishing::{self, NewPost, Saved};
use microblog_store::{Connection, settings};

use super::session::no_body;
use crate::auth::Caller;
use crate::change::{Answer, Begun, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{IfMatch, Json, PathOf};
use crate::state::App;

pub(crate) use body::PostBody;
pub(crate) use input::PostInput;
pub(crate) use list::list_posts;
pub(crate) use revisions::{list_revisions, restore_revision};

/// `GET /posts/{id}`
pub(crate) async fn show_post(State(app): State<App>, PathOf(id): PathOf<PostId>) -> Result<Answer, ApiError> {
    let mut conn = app.store.read().await?;
    let post = posts::get(&mut conn, id).await.named("post")?;
    let site = settings::load(&mut conn).await?.settings;
    answer(post, &site)
}

/// `POST /posts`
pub(crate) async fn create_post(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    Json { body, hash }: Json<PostInput>,
) -> Result<Answer, ApiError> {
    let mut change = match intent.begin(&app, &caller, &hash).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let now = change.origin.at;
    body.check_schedule(None, now)?;
    let wish = body.wish();
    let content = body.content_of_new(&mut change.tx, now).await?;
    let site = settings::load(&mut change.tx).await?.settings;
    check_address(&mut change.tx, &site, None, &content, now).await?;
    let new = NewPost { content, publish: wish.is_public(), owner: Some(caller.user), updated_at: None };
    let saved = publishing::create(&mut change.tx, new, &change.origin).await?;
    let location = format!("/api/v1/posts/{}", saved.post.post.id);
    let version = saved.post.post.version;
    let answer = Answer::created(&location, &PostBody::of(saved.post, &site))?.at_version(version);
    change.finish(answer).await
}

/// `PUT /posts/{id}`
pub(crate) async fn change_post(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    PathOf(id): PathOf<PostId>,
    Json { body, hash }: Json<PostInput>,
) -> Result<Answer, ApiError> {
    let expected = body.version_or(if_match)?;
    let mut change = match intent.begin(&app, &caller, &hash).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let before = changeable(&mut change, &caller, id).await?;
    let now = change.origin.at;
    body.check_schedule(Some(&before.post), now)?;
    let wish = body.wish();
    let content = body.content_of_existing(&before.post.content);
    let site = settings::load(&mut change.tx).await?.settings;
    check_address(&mut change.tx, &site, Some(id), &content, now).await?;
    let expected = expected.unwrap_or(before.post.version);
    let saved = publishing::edit(&mut change.tx, id, expected, content, wish.intent(), &change.origin).await?;
    finish(change, saved, &site).await
}

/// `DELETE /posts/{id}`: to the trash, from where `POST /posts/{id}/restore` brings it back.
pub(crate) async fn trash_post(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    PathOf(id): PathOf<PostId>,
) -> Result<Answer, ApiError> {
    let mut change = intent.begin_anew(&app).await?;
    changeable(&mut change, &caller, id).await?;
    publishing::trash(&mut change.tx, id, if_match.optional(), &change.origin).await?;
    change.finish(Answer::done()).await
}

/// What can be done to a post without saying more.
#[derive(Debug, Clone, Copy)]
enum Step {
    Publish,
    Unpublish,
    Restore,
}

/// `POST /posts/{id}/publish`
pub(crate) async fn publish_post(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    PathOf(id): PathOf<PostId>,
) -> Result<Answer, ApiError> {
    take_step(&app, &caller, intent, if_match.optional(), id, Step::Publish).await
}

/// `POST /posts/{id}/unpublish`
pub(crate) async fn unpublish_post(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    PathOf(id): PathOf<PostId>,
) -> Result<Answer, ApiError> {
    take_step(&app, &caller, intent, if_match.optional(), id, Step::Unpublish).await
}

/// `POST /posts/{id}/restore`
pub(crate) async fn restore_post(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    if_match: IfMatch,
    PathOf(id): PathOf<PostId>,
) -> Result<Answer, ApiError> {
    take_step(&app, &caller, intent, if_match.optional(), id, Step::Restore).await
}

async fn take_step(
    app: &App,
    caller: &Caller,
    intent: Intent,
    expected: Option<Version>,
    id: PostId,
    step: Step,
) -> Result<Answer, ApiError> {
    let mut change = match intent.begin(app, caller, &no_body()).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return Ok(answer),
    };
    let before = changeable(&mut change, caller, id).await?;
    let site = settings::load(&mut change.tx).await?.settings;
    let (tx, origin) = (&mut change.tx, &change.origin);
    let saved = match step {
        Step::Publish => {
            check_address(tx, &site, Some(id), &before.post.content, origin.at).await?;
            publishing::publish(tx, id, expected, origin).await?
        }
        Step::Unpublish => publishing::unpublish(tx, id, expected, origin).await?,
        Step::Restore => publishing::restore(tx, id, expected, origin).await?,
    };
    finish(change, saved, &site).await
}

/// Reads a post that this caller may change.
async fn changeable(change: &mut Change, caller: &Caller, id: PostId) -> Result<StoredPost, ApiError> {
    let post = posts::get(&mut change.tx, id).await.named("post")?;
    if caller.may_change(post.owner) {
        return Ok(post);
    }
    Err(ApiError::forbidden("This post is somebody else's; authors change only their own. Ask an editor."))
}

/// Two posts at one address would hide one of them from readers.
async fn check_address(
    conn: &mut Connection,
    site: &SiteSettings,
    own: Option<PostId>,
    content: &PostContent,
    now: microblog_domain::Timestamp,
) -> Result<(), ApiError> {
    let address = |content: &PostContent| site.address_of(content, content.published_at.unwrap_or(now));
    let wanted = address(content).map_err(|error| ApiError::invalid_field("slug", error.to_string()))?;
    for other in posts::with_slug(conn, &content.slug).await? {
        if Some(other.post.id) != own && address(&other.post.content).as_ref() == Ok(&wanted) {
            let name = other.post.content.title.unwrap_or_else(|| other.post.id.to_string());
            let message = format!("would give the address {wanted}, which the post {name:?} has already");
            return Err(ApiError::invalid_field("slug", message));
        }
    }
    Ok(())
}

async fn finish(change: Change, saved: Saved, site: &SiteSettings) -> Result<Answer, ApiError> {
    let answer = answer(saved.post, site)?;
    change.finish(answer).await
}

fn answer(post: StoredPost, site: &SiteSettings) -> Result<Answer, ApiError> {
    let version = post.post.version;
    Ok(Answer::ok(&PostBody::of(post, site))?.at_version(version))
}
