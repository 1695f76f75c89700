//! The uploads. Files come in by way of the JSON API, which a script sends them to.

use axum::extract::State;
use axum::response::Response;
use microblog_domain::MediaId;
use microblog_domain::media::public_file;
use microblog_store::media::{self, Media};

use super::flash::Flash;
use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{MediaPage, MediaRow};
use crate::change::Intent;
use crate::error::ApiError;
use crate::input::{PathOf, Query};
use crate::json_api;
use crate::json_api::paging::{PageBody, PageQuery};
use crate::state::App;

/// `GET /dashboard/media`
pub(crate) async fn show_media_page(
    visit: Visit,
    State(app): State<App>,
    Query(page): Query<PageQuery<MediaId>>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Media).await?;
    let moments = visit.moments(&site);
    let found = media::list(&mut conn, page.cursor, page.limit + 1).await?;
    let found = PageBody::of(found, page.limit, |media| media.id.to_string());
    let rows = found.items.into_iter().map(|media| row(&visit, media, &moments)).collect::<Result<Vec<_>, _>>()?;
    let more = found.next_cursor.map(|cursor| format!("?cursor={cursor}"));
    visit.show(&MediaPage { frame, items: rows, more })
}

fn row(visit: &Visit, media: Media, moments: &Moments) -> Result<MediaRow, ApiError> {
    let Media { id, file, uploaded_by, created_at, .. } = media;
    let url = format!("/{}", public_file(&file.hash, &file.name).map_err(ApiError::internal)?);
    let is_image = file.content_type.starts_with("image/");
    let stem = file.name.rsplit_once('.').map_or(file.name.as_str(), |(stem, _)| stem);
    let markdown = if is_image { format!("![{stem}]({url})") } else { format!("[{}]({url})", file.name) };
    Ok(MediaRow {
        id,
        is_image,
        size: size(file.size),
        dimensions: file.dimensions,
        at: moments.of(created_at),
        markdown,
        may_delete: visit.caller.may_change(uploaded_by),
        name: file.name,
        url,
    })
}

/// A number of bytes as people read it.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// `POST /dashboard/media/{id}/delete`
pub(crate) async fn delete_media_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<MediaId>,
) -> Result<Response, ApiError> {
    json_api::media::delete(&visit.app, &visit.caller, intent, id).await?;
    visit.go("/dashboard/media", Flash::MediaDeleted)
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        assert_eq!([size(999), size(12_345), size(50_260_000)], ["999 bytes", "12 KB", "50.2 MB"]);
    }
}
