//! Every change of a post, whole: the row, its revision, the audit entry and, if readers could notice, the build and
//! its message. All of it happens in the caller's transaction, so it is kept together or not at all.
//!
//! Start reading at `keep`, which all changes go through.

use jiff::Timestamp;
use microblog_domain::{BuildId, BuildMode, Post, PostContent, PostId, PostStatus, RevisionNumber, UserId, Version};
use serde_json::json;

use crate::builds::{self, BuildRequest};
use crate::connect::Transaction;
use crate::error::{Refusal, StoreError};
use crate::origin::Origin;
use crate::posts::{self, StoredPost};
use crate::{audit, counters, revisions, time};

/// A post that does not exist yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPost {
    /// What its author decided.
    pub content: PostContent,
    /// Whether it is to be published, at once or at its date; otherwise it is a draft.
    pub publish: bool,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// When its content last changed, if that was before today: for imports.
    pub updated_at: Option<Timestamp>,
}

/// What an edit does to the standing of the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Intent {
    /// Leave a draft a draft, and what is published published.
    #[default]
    Keep,
    /// Readers shall see it: at once, or at its date if that is to come.
    Publish,
    /// Make it a draft; readers shall not see it any more.
    Withdraw,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The post as it is now.
    pub post: StoredPost,
    /// The build that brings the change to the readers, if they could notice it.
    pub build: Option<BuildId>,
}

/// Makes a post.
pub async fn create(tx: &mut Transaction, new: NewPost, origin: &Origin) -> Result<Saved, StoreError> {
    let intent = if new.publish { Intent::Publish } else { Intent::Keep };
    let status = next_status(tx, None, intent, new.content.published_at, origin).await?;
    let post = Post {
        id: PostId::generate(origin.at),
        content: new.content,
        status,
        updated_at: new.updated_at.unwrap_or(origin.at),
        version: Version(1),
    };
    let post = StoredPost { post, owner: new.owner, created_at: origin.at, set_aside_reason: None };
    keep(tx, None, post, "post.create", origin).await
}

/// Changes a post's content, and perhaps its standing.
pub async fn edit(
    tx: &mut Transaction,
    id: PostId,
    expected: Version,
    content: PostContent,
    intent: Intent,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    let before = read(tx, id, Some(expected)).await?;
    let status = next_status(tx, Some(&before.post), intent, content.published_at, origin).await?;
    let after = with(&before, content, status);
    keep(tx, Some(&before), after, "post.edit", origin).await
}

/// Publishes a post: at once, or at its date if that is to come.
pub async fn publish(
    tx: &mut Transaction,
    id: PostId,
    expected: Option<Version>,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    change_standing(tx, id, expected, Intent::Publish, "post.publish", origin).await
}

/// Makes a post a draft again.
pub async fn unpublish(
    tx: &mut Transaction,
    id: PostId,
    expected: Option<Version>,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    change_standing(tx, id, expected, Intent::Withdraw, "post.unpublish", origin).await
}

/// Throws a post away. It can be restored.
pub async fn trash(
    tx: &mut Transaction,
    id: PostId,
    expected: Option<Version>,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    let before = read(tx, id, expected).await?;
    let after = with(&before, before.post.content.clone(), PostStatus::Trashed);
    keep(tx, Some(&before), after, "post.trash", origin).await
}

/// Takes a post out of the trash, as a draft.
pub async fn restore(
    tx: &mut Transaction,
    id: PostId,
    expected: Option<Version>,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    let before = read(tx, id, expected).await?;
    if before.post.status != PostStatus::Trashed {
        return Err(Refusal::PostIsNotTrashed.into());
    }
    let after = with(&before, before.post.content.clone(), PostStatus::Draft);
    keep(tx, Some(&before), after, "post.restore", origin).await
}

/// Makes an earlier text the current one; the current one stays as a revision.
pub async fn restore_revision(
    tx: &mut Transaction,
    id: PostId,
    number: RevisionNumber,
    expected: Option<Version>,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    let before = read(tx, id, expected).await?;
    let content = revisions::get(tx, id, number).await?.content;
    let date = content.published_at.or(before.post.content.published_at);
    let status = next_status(tx, Some(&before.post), Intent::Keep, date, origin).await?;
    let after = with(&before, PostContent { published_at: date, ..content }, status);
    keep(tx, Some(&before), after, "post.restore_revision", origin).await
}

/// Takes a post that breaks builds off the site until somebody edits it. `version` is the one that broke the build.
pub async fn set_aside(
    tx: &mut Transaction,
    id: PostId,
    version: Version,
    reason: &str,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    let before = read(tx, id, Some(version)).await?;
    let mut after = with(&before, before.post.content.clone(), PostStatus::Unpublishable);
    after.set_aside_reason = Some(reason.to_owned());
    keep(tx, Some(&before), after, "post.set_aside", origin).await
}

/// Publishes scheduled posts whose time has come, `limit` at most; tells how many there were.
pub async fn publish_due(tx: &mut Transaction, limit: u32, origin: &Origin) -> Result<usize, StoreError> {
    let now = time::agreed(tx, origin.at).await?;
    let due = posts::list::take_due(tx, now, limit).await?;
    for id in &due {
        publish_scheduled(tx, *id, origin).await?;
    }
    Ok(due.len())
}

/// Readers wait since the date that the post was scheduled for, however late it is now.
async fn publish_scheduled(tx: &mut Transaction, id: PostId, origin: &Origin) -> Result<(), StoreError> {
    let before = read(tx, id, None).await?;
    let content = before.post.content.clone();
    let since = content.published_at.unwrap_or(origin.at);
    let status = next_status(tx, Some(&before.post), Intent::Keep, content.published_at, origin).await?;
    let after = with(&before, content, status);
    keep_wanted_since(since, tx, Some(&before), after, "post.publish", origin).await.map(drop)
}

async fn change_standing(
    tx: &mut Transaction,
    id: PostId,
    expected: Option<Version>,
    intent: Intent,
    action: &str,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    let before = read(tx, id, expected).await?;
    let content = before.post.content.clone();
    let status = next_status(tx, Some(&before.post), intent, content.published_at, origin).await?;
    let after = with(&before, content, status);
    keep(tx, Some(&before), after, action, origin).await
}

async fn read(tx: &mut Transaction, id: PostId, expected: Option<Version>) -> Result<StoredPost, StoreError> {
    let before = posts::take(tx, id).await?;
    match expected {
        Some(expected) if expected != before.post.version => Err(StoreError::Stale { current: before.post.version }),
        _ => Ok(before),
    }
}

fn with(before: &StoredPost, content: PostContent, status: PostStatus) -> StoredPost {
    StoredPost { post: Post { content, status, ..before.post.clone() }, set_aside_reason: None, ..before.clone() }
}

/// The status after a change that is made now.
async fn next_status(
    tx: &mut Transaction,
    before: Option<&Post>,
    intent: Intent,
    date: Option<Timestamp>,
    origin: &Origin,
) -> Result<PostStatus, StoreError> {
    let now = time::agreed_about(tx, date, origin.at).await?;
    Ok(status_at(before, intent, date, now)?)
}

/// The status after a change. What readers may see now or later follows the date, so that moving it back and forth
/// schedules and publishes; what was set aside gets another chance. What they see already stays unless the date is moved:
/// a clock that is behind takes no post from them.
fn status_at(
    before: Option<&Post>,
    intent: Intent,
    date: Option<Timestamp>,
    now: Timestamp,
) -> Result<PostStatus, Refusal> {
    use PostStatus::{Draft, Published, Scheduled, Trashed, Unpublishable};
    let is_kept = before.is_some_and(|before| before.content.published_at == date);
    match (before.map_or(Draft, |before| before.status), intent) {
        (Trashed, _) => Err(Refusal::PostIsTrashed),
        (_, Intent::Withdraw) | (Draft, Intent::Keep) => Ok(Draft),
        (Published, Intent::Keep | Intent::Publish) if is_kept => Ok(Published),
        (Scheduled, Intent::Keep) if date.is_none() => Err(Refusal::NoPublicationTime),
        (Draft | Scheduled | Published | Unpublishable, Intent::Keep | Intent::Publish) => {
            Ok(if date.is_some_and(|date| date > now) { Scheduled } else { Published })
        }
    }
}

/// Writes what a change came to: revision, row, audit entry, build. A change that changes nothing leaves no trace.
async fn keep(
    tx: &mut Transaction,
    before: Option<&StoredPost>,
    after: StoredPost,
    action: &str,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    keep_wanted_since(origin.at, tx, before, after, action, origin).await
}

async fn keep_wanted_since(
    since: Timestamp,
    tx: &mut Transaction,
    before: Option<&StoredPost>,
    mut after: StoredPost,
    action: &str,
    origin: &Origin,
) -> Result<Saved, StoreError> {
    complete_content(&mut after.post, before, origin.at)?;
    if before == Some(&after) {
        return Ok(Saved { post: after, build: None });
    }
    let is_noticeable = is_on_site(Some(&after)) || is_on_site(before);
    let change = if is_noticeable { Some(counters::next_change(tx).await?) } else { None };
    write(tx, before, &mut after, change, origin).await?;
    let id = after.post.id;
    let detail = json!({"status": after.post.status, "version": after.post.version.0});
    audit::record(tx, origin, action, &id.to_string(), &detail).await?;
    let build = match is_noticeable {
        true => {
            let request = BuildRequest { mode: BuildMode::Incremental, run_after: since };
            Some(builds::ask(tx, &request, origin).await?.id)
        }
        false => None,
    };
    Ok(Saved { post: posts::get(tx, id).await?, build })
}

/// Writes the row, and a revision if the content changed.
async fn write(
    tx: &mut Transaction,
    before: Option<&StoredPost>,
    after: &mut StoredPost,
    change: Option<i64>,
    origin: &Origin,
) -> Result<(), StoreError> {
    let content_changed = before.is_none_or(|before| before.post.content != after.post.content);
    match before {
        None => posts::insert(tx, after, change).await?,
        Some(before) => {
            after.post.version = before.post.version.next();
            if content_changed {
                after.post.updated_at = origin.at;
            }
            posts::update(tx, after, before.post.version, change).await?;
        }
    }
    if content_changed {
        revisions::insert(tx, after.post.id, &after.post.content, false, origin).await?;
    }
    Ok(())
}

/// Dates what is published without a date, and rounds times to what the database keeps.
fn complete_content(post: &mut Post, before: Option<&StoredPost>, now: Timestamp) -> Result<(), StoreError> {
    if post.status == PostStatus::Published && post.content.published_at.is_none() {
        post.content.published_at = before.and_then(|before| before.post.content.published_at).or(Some(now));
    }
    if let Some(date) = &mut post.content.published_at {
        let micros = date.as_microsecond();
        *date = Timestamp::from_microsecond(micros)
            .map_err(|error| StoreError::Corrupt { column: "published_at".to_owned(), reason: error.to_string() })?;
    }
    Ok(())
}

fn is_on_site(post: Option<&StoredPost>) -> bool {
    post.is_some_and(|post| post.post.status == PostStatus::Published)
}

#[cfg(test)]
mod tests {
    use microblog_domain::PostKind;

    use super::*;

    fn published(at: &str) -> Post {
        let content = PostContent {
            kind: PostKind::Article,
            title: None,
            slug: "a-post".parse().unwrap(),
            markdown: String::new(),
            published_at: Some(at.parse().unwrap()),
            tags: Vec::new(),
            description: None,
            image: None,
            authors: Vec::new(),
            aliases: Vec::new(),
            permalink: None,
            extra: serde_json::Map::new(),
        };
        let updated_at = Timestamp::UNIX_EPOCH;
        Post {
            id: PostId::generate(updated_at),
            content,
            status: PostStatus::Published,
            updated_at,
            version: Version(1),
        }
    }

    #[test]
    fn a_clock_that_is_behind_takes_no_post_from_readers() {
        let post = published("2026-01-01T12:00:00Z");
        let now = "2026-01-01T11:00:00Z".parse().unwrap();
        for intent in [Intent::Keep, Intent::Publish] {
            let status = |date: &str| status_at(Some(&post), intent, Some(date.parse().unwrap()), now).unwrap();
            assert_eq!(status("2026-01-01T12:00:00Z"), PostStatus::Published);
            assert_eq!(status("2026-01-01T12:30:00Z"), PostStatus::Scheduled);
        }
    }
}
