//! Every text that a post ever had.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use microblog_domain::{PostId, RevisionNumber, UserId};
use microblog_store::revisions::{self, Revision};
use microblog_store::{posts, users};

use super::editor::address;
use super::flash::Flash;
use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{RevisionRow, RevisionsPage};
use crate::change::Intent;
use crate::error::{ApiError, Named as _};
use crate::input::{PathOf, Query};
use crate::json_api::paging::{PageBody, PageQuery};
use crate::json_api::posts::changes;
use crate::state::App;

/// `GET /dashboard/posts/{id}/revisions`
pub(crate) async fn show_revisions(
    visit: Visit,
    State(app): State<App>,
    PathOf(id): PathOf<PostId>,
    Query(page): Query<PageQuery<RevisionNumber>>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let stored = posts::get(&mut conn, id).await.named("post")?;
    let (frame, site) = visit.frame(&mut conn, Section::Posts).await?;
    let found = revisions::list(&mut conn, id, page.cursor, page.limit + 1).await?;
    let current = found.iter().find(|revision| revision.content == stored.post.content).map(|current| current.number);
    let found = PageBody::of(found, page.limit, |revision| revision.number.to_string());
    let names = users::list(&mut conn).await?.into_iter().map(|user| (user.id, user.name)).collect();
    let moments = visit.moments(&site);
    let row = |revision| row(revision, current, &names, &moments);
    visit.show(&RevisionsPage {
        frame,
        post: id,
        name: super::posts::name(&stored.post.content),
        may_change: visit.caller.may_change(stored.owner),
        revisions: found.items.into_iter().map(row).collect(),
        more: found.next_cursor.map(|cursor| format!("?cursor={cursor}")),
    })
}

fn row(
    revision: Revision,
    current: Option<RevisionNumber>,
    names: &HashMap<UserId, String>,
    moments: &Moments,
) -> RevisionRow {
    let by = revision.saved_by.and_then(|user| names.get(&user)).map_or("the program", String::as_str);
    RevisionRow {
        number: revision.number,
        at: moments.of(revision.saved_at),
        by: by.to_owned(),
        is_current: current == Some(revision.number),
        is_conflict: revision.is_conflict,
        title: revision.content.title,
        markdown: revision.content.markdown,
    }
}

/// `POST /dashboard/posts/{id}/revisions/{number}/restore`
pub(crate) async fn restore_revision_from_form(
    visit: Visit,
    intent: Intent,
    PathOf((id, number)): PathOf<(PostId, RevisionNumber)>,
) -> Result<Response, ApiError> {
    let mut change = intent.begin_anew(&visit.app).await?;
    changes::restore_revision(&mut change, &visit.caller, id, number, None).await?;
    change.keep().await?;
    visit.go(&address(id), Flash::RevisionRestored)
}
