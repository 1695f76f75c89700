//! What can be done to posts. The handlers of the JSON API and of the dashboard read what is asked for, and call these.

use microblog_domain::{PostContent, PostId, PostStatus, RevisionNumber, Timestamp, Version};
use microblog_store::posts::{self, StoredPost};
use microblog_store::publishing::{self, NewPost, Saved};
use microblog_store::revisions;

use super::PostInput;
use crate::auth::Caller;
use crate::change::Change;
use crate::error::{ApiError, Named as _};

/// What can be done to a post without saying more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Publish,
    Unpublish,
    Trash,
    Restore,
}

/// Makes a post of the caller's.
pub(crate) async fn create(change: &mut Change, caller: &Caller, input: PostInput) -> Result<Saved, ApiError> {
    let now = change.origin.at;
    let zone = change.site().await?.timezone;
    input.check_schedule(None, &zone, now)?;
    let wish = input.wish();
    let content = input.content_of_new(&mut change.tx, &zone, now).await?;
    check_address(change, None, &content, now).await?;
    let new = NewPost { content, publish: wish.is_public(), owner: Some(caller.user), updated_at: None };
    let saved = publishing::create(&mut change.tx, new, &change.origin).await?;
    Ok(noted(change, None, saved))
}

/// Changes a post that is at version `expected`, or at any.
pub(crate) async fn edit(
    change: &mut Change,
    caller: &Caller,
    id: PostId,
    expected: Option<Version>,
    input: PostInput,
) -> Result<Saved, ApiError> {
    let before = changeable(change, caller, id).await?;
    let now = change.origin.at;
    let zone = change.site().await?.timezone;
    input.check_schedule(Some(&before.post), &zone, now)?;
    let wish = input.wish();
    let content = input.content_of_existing(&before.post.content, &zone)?;
    check_address(change, Some(id), &content, now).await?;
    let expected = expected.unwrap_or(before.post.version);
    let saved = publishing::edit(&mut change.tx, id, expected, content, wish.intent(), &change.origin).await?;
    Ok(noted(change, Some(&before), saved))
}

/// Publishes a post, withdraws it, throws it away or brings it back.
pub(crate) async fn take_step(
    change: &mut Change,
    caller: &Caller,
    id: PostId,
    expected: Option<Version>,
    step: Step,
) -> Result<Saved, ApiError> {
    let before = changeable(change, caller, id).await?;
    if step == Step::Publish {
        check_address(change, Some(id), &before.post.content, change.origin.at).await?;
    }
    let (tx, origin) = (&mut change.tx, &change.origin);
    let saved = match step {
        Step::Publish => publishing::publish(tx, id, expected, origin).await?,
        Step::Unpublish => publishing::unpublish(tx, id, expected, origin).await?,
        Step::Trash => publishing::trash(tx, id, expected, origin).await?,
        Step::Restore => publishing::restore(tx, id, expected, origin).await?,
    };
    Ok(noted(change, Some(&before), saved))
}

/// Takes note of a post that became public.
fn noted(change: &mut Change, before: Option<&StoredPost>, saved: Saved) -> Saved {
    let is_public = |post: &StoredPost| post.post.status == PostStatus::Published;
    change.published += u64::from(is_public(&saved.post) && !before.is_some_and(is_public));
    saved
}

/// Makes an earlier text the current one.
pub(crate) async fn restore_revision(
    change: &mut Change,
    caller: &Caller,
    id: PostId,
    number: RevisionNumber,
    expected: Option<Version>,
) -> Result<Saved, ApiError> {
    let before = changeable(change, caller, id).await?;
    let content = revisions::get(&mut change.tx, id, number).await.named("revision")?.content;
    let published_at = content.published_at.or(before.post.content.published_at);
    check_address(change, Some(id), &PostContent { published_at, ..content }, change.origin.at).await?;
    publishing::restore_revision(&mut change.tx, id, number, expected, &change.origin).await.named("revision")
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
    change: &mut Change,
    own: Option<PostId>,
    content: &PostContent,
    now: Timestamp,
) -> Result<(), ApiError> {
    posts::hold_addresses(&mut change.tx).await?;
    let site = change.site().await?;
    let address = |content: &PostContent| site.address_of(content, content.published_at.unwrap_or(now));
    let field = if content.permalink.is_some() { "permalink" } else { "slug" };
    let wanted = address(content).map_err(|error| ApiError::invalid_field(field, error.to_string()))?;
    for other in posts::with_slug(&mut change.tx, &content.slug).await? {
        if Some(other.post.id) != own && address(&other.post.content).as_ref() == Ok(&wanted) {
            let name = other.post.content.title.unwrap_or_else(|| other.post.id.to_string());
            let message = format!("would give the address {wanted}, which the post {name:?} has already");
            return Err(ApiError::invalid_field(field, message));
        }
    }
    Ok(())
}
