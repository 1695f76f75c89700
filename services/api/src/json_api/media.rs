//! Uploads: list, upload, delete, and the bytes themselves until the next build puts them on the site.

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use microblog_domain::media::public_file;
use microblog_domain::{MediaId, Timestamp, UserId};
use microblog_store::Incoming;
use microblog_store::media::{self, Media, MediaFile};
use serde::Serialize;
use tower_http::services::ServeFile;

use super::paging::{PageBody, PageQuery};
use crate::auth::Caller;
use crate::change::{Answer, Intent};
use crate::edge::SHOWN_ELSEWHERE;
use crate::error::{ApiError, ErrorCode, Named as _};
use crate::input::{PathOf, Query};
use crate::media::{examine, public_name};
use crate::state::App;

/// An upload as clients see it.
#[derive(Debug, Serialize)]
struct MediaBody {
    id: MediaId,
    /// Where it is on the site, for links in posts.
    url: String,
    name: String,
    content_type: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uploaded_by: Option<UserId>,
    created_at: Timestamp,
}

impl MediaBody {
    fn of(media: Media) -> Result<Self, ApiError> {
        let Media { id, file, uploaded_by, created_at, .. } = media;
        let MediaFile { hash, name, content_type, size, dimensions } = file;
        let address = public_file(&hash, &name).map_err(ApiError::internal)?;
        let (width, height) = dimensions.unzip();
        Ok(Self { id, url: format!("/{address}"), name, content_type, size, width, height, uploaded_by, created_at })
    }
}

/// `GET /media`, newest first.
pub(crate) async fn list_media(
    State(app): State<App>,
    Query(page): Query<PageQuery<MediaId>>,
) -> Result<Answer, ApiError> {
    let found = media::list(&mut *app.store.read().await?, page.cursor, page.limit + 1).await?;
    let items = found.into_iter().map(MediaBody::of).collect::<Result<Vec<_>, _>>()?;
    Answer::ok(&PageBody::of(items, page.limit, |media| media.id.to_string()))
}

/// `POST /media`: one file, in the part `file` of a form. The same file under the same name is not kept twice.
pub(crate) async fn upload(State(app): State<App>, intent: Intent, mut form: Multipart) -> Result<Answer, ApiError> {
    let field = loop {
        match form.next_field().await.map_err(|error| broken_form(&error))? {
            Some(field) if field.name() == Some("file") => break field,
            Some(_) => {}
            None => return Err(ApiError::invalid_field("file", "is missing; send one file in this part of the form")),
        }
    };
    let given_name = field.file_name().unwrap_or_default().to_owned();
    let incoming = receive(&app, field).await?;
    let file = keep(&app, incoming, given_name).await?;
    let mut change = intent.begin_anew(&app).await?;
    let kept = MediaBody::of(media::add(&mut change.tx, &file, &change.origin).await?)?;
    let answer = Answer::created(&kept.url, &kept)?;
    change.finish(answer).await
}

async fn receive(app: &App, mut field: Field<'_>) -> Result<Incoming, ApiError> {
    let mut incoming = app.media.receive()?;
    while let Some(piece) = field.chunk().await.map_err(|error| broken_form(&error))? {
        incoming = tokio::task::spawn_blocking(move || incoming.write(&piece).map(|()| incoming))
            .await
            .map_err(ApiError::internal)??;
    }
    Ok(incoming)
}

/// Examines a whole file and gives it its place.
async fn keep(app: &App, incoming: Incoming, given_name: String) -> Result<MediaFile, ApiError> {
    let folder = app.media.clone();
    let work = move || {
        let examined = examine(incoming.path(), &given_name)
            .map_err(|reason| ApiError::new(ErrorCode::UnacceptableFile, reason.to_string()))?;
        let file = MediaFile {
            hash: incoming.hash(),
            name: public_name(&given_name, examined.file_type.extension()),
            content_type: examined.file_type.content_type().to_owned(),
            size: incoming.size(),
            dimensions: examined.dimensions,
        };
        folder.keep(incoming)?;
        Ok(file)
    };
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

fn broken_form(error: &MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::new(ErrorCode::TooLarge, "The file is larger than this server takes.");
    }
    ApiError::new(ErrorCode::InvalidBody, "The form can not be read: it is broken, or ended or stood still too early.")
}

/// `DELETE /media/{id}`: takes it off the site with the next build. The bytes stay while a release may show them.
pub(crate) async fn delete_media(
    State(app): State<App>,
    caller: Caller,
    intent: Intent,
    PathOf(id): PathOf<MediaId>,
) -> Result<Answer, ApiError> {
    delete(&app, &caller, intent, id).await?;
    Ok(Answer::done())
}

/// Deletes an upload, if the caller may.
pub(crate) async fn delete(app: &App, caller: &Caller, intent: Intent, id: MediaId) -> Result<(), ApiError> {
    let mut change = intent.begin_anew(app).await?;
    let media = media::get(&mut change.tx, id).await.named("upload")?;
    if !caller.may_change(media.uploaded_by) {
        return Err(ApiError::forbidden("Somebody else uploaded this; authors delete only their own. Ask an editor."));
    }
    media::delete(&mut change.tx, id, &change.origin).await?;
    change.keep().await
}

/// `GET /media/{hash}/{name}`: the same address as on the site, so that a post can be looked at before it is built.
pub(crate) async fn show_media(
    State(app): State<App>,
    PathOf((digits, name)): PathOf<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let is_address = digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_address {
        return Err(ApiError::not_found("upload"));
    }
    let found = media::find_public(&mut *app.store.read().await?, &digits, &name).await?;
    let file = found.ok_or_else(|| ApiError::not_found("upload"))?.file;
    let served = ServeFile::new(app.media.file(&file.hash)).try_call(request).await?;
    if served.status() == StatusCode::NOT_FOUND {
        return Err(ApiError::internal(format!("the upload {} is missing in the data folder", file.hash)));
    }
    let mut response = served.into_response();
    let headers = response.headers_mut();
    let (name, value) = SHOWN_ELSEWHERE;
    headers.insert(name, value);
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(file.content_type).map_err(ApiError::internal)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING_RUNS));
    Ok(response)
}

/// Opened by itself, an upload runs and loads nothing.
const NOTHING_RUNS: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
