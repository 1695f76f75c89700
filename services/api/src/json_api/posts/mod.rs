//! Posts: list, create, read, change, delete, publish, and their revisions.
//!
//! What is done to them stands in [`changes`]; here it is asked for and answered in JSON.

mod body;
pub(crate) mod changes;
mod input;
mod list;
mod revisions;

use axum::extract::State;
use microblog_domain::{PostId, SiteSettings, Version};
use microblog_store::posts::{self, StoredPost};
use microblog_store::publishing::Saved;

use self::changes::Step;
use super::session::no_body;
use crate::auth::Caller;
use crate::change::{Answer, Begun, Change, Intent};
use crate::error::{ApiError, Named as _};
use crate::input::{IfMatch, Json, PathOf};
use crate::state::App;

pub(crate) use body::{PostBody, public_url};
pub(crate) use input::PostInput;
pub(crate) use list::list_posts;
pub(crate) use revisions::{list_revisions, restore_revision};

/// `GET /posts/{id}`
pub(crate) async fn show_post(State(app): State<App>, PathOf(id): PathOf<PostId>) -> Result<Answer, ApiError> {
    let mut conn = app.store.read().await?;
    let post = posts::get(&mut conn, id).await.named("post")?;
    let site = app.site(&mut conn).await?.settings;
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
    let saved = changes::create(&mut change, &caller, body).await?;
    let site = change.site().await?;
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
    let saved = changes::edit(&mut change, &caller, id, expected, body).await?;
    finish(*change, saved).await
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
    changes::take_step(&mut change, &caller, id, if_match.optional(), Step::Trash).await?;
    change.finish(Answer::done()).await
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
    let saved = changes::take_step(&mut change, caller, id, expected, step).await?;
    finish(*change, saved).await
}

async fn finish(mut change: Change, saved: Saved) -> Result<Answer, ApiError> {
    let site = change.site().await?;
    let answer = answer(saved.post, &site)?;
    change.finish(answer).await
}

fn answer(post: StoredPost, site: &SiteSettings) -> Result<Answer, ApiError> {
    let version = post.post.version;
    Ok(Answer::ok(&PostBody::of(post, site))?.at_version(version))
}
