//! Two people changed one post: whoever saves later is shown both texts, and loses neither.

use microblog_domain::{PostId, UserId};
use microblog_store::{Connection, posts, revisions, users};

use super::moments::Moments;
use super::pages::{Conflict, PostFields};
use crate::error::{ApiError, Named as _};

/// What was saved meanwhile, beside what was typed.
pub(super) async fn find(
    conn: &mut Connection,
    id: PostId,
    me: UserId,
    mine: PostFields,
    moments: &Moments,
) -> Result<Conflict, ApiError> {
    let now = posts::get(conn, id).await.named("post")?.post;
    let newest = revisions::list(conn, id, None, 1).await?.into_iter().next();
    let author = newest.and_then(|revision| revision.saved_by);
    let by = match author {
        Some(user) => users::get(conn, user).await?.name,
        None => "Somebody".to_owned(),
    };
    let theirs = PostFields::of(&now.content, moments);
    Ok(Conflict { by, is_own: author == Some(me), at: moments.of(now.updated_at), version: now.version, theirs, mine })
}
