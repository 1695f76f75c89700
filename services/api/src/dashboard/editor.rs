//! The editor: opens a post, saves it, publishes it.
//!
//! A form that can not be saved comes back with everything that was typed; so does one whose post somebody else changed
//! meanwhile. With scripts the page stays where it is, and only what tells about the save is sent ([`EditorPage`]'s
//! part); without them the whole page comes back.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use microblog_domain::{BuildId, PostId, PostStatus, SiteSettings, Version};
use microblog_store::posts::{self, StoredPost};
use microblog_store::publishing::Saved;
use microblog_store::{Connection, StoreError, builds as stored_builds};
use serde_json::json;

use super::flash::Flash;
use super::form::FormData;
use super::frame::{Frame, Section, Visit, html};
use super::moments::Moments;
use super::pages::{BuildPanel, EditorPage, Face, Page as _, PostFields};
use super::posts::status_label;
use super::problem::Problem;
use super::{builds, conflict, templates};
use crate::change::Intent;
use crate::error::{ApiError, ErrorCode, Named as _};
use crate::input::{Fields, FromFields, PathOf, Query};
use crate::json_api::posts::changes::{self, Step};
use crate::json_api::posts::public_url;
use crate::state::App;

/// Pictures in posts may come from anywhere, and the preview is part of the page of the editor.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob: https: http:; \
     media-src 'self' https: http:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The build to be watched, for a page that comes after a save.
#[derive(Debug)]
pub(crate) struct EditorQuery {
    build: Option<BuildId>,
}

impl FromFields for EditorQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self { build: fields.parsed("build") })
    }
}

/// `GET /dashboard/posts/new`
pub(crate) async fn show_new_post(visit: Visit, State(app): State<App>) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Posts).await?;
    let page = blank(frame, &visit.moments(&site), PostFields::default());
    show(&visit, StatusCode::OK, &page)
}

/// `GET /dashboard/posts/{id}`
pub(crate) async fn show_editor(
    visit: Visit,
    State(app): State<App>,
    PathOf(id): PathOf<PostId>,
    Query(query): Query<EditorQuery>,
) -> Result<Response, ApiError> {
    let mut conn = app.store.read().await?;
    let page = stored(&visit, &mut conn, id, query.build).await?;
    show(&visit, StatusCode::OK, &page)
}

/// `POST /dashboard/posts`
pub(crate) async fn create_from_form(visit: Visit, intent: Intent, form: FormData) -> Result<Response, ApiError> {
    answer(&visit, None, &form, save(&visit, intent, None, &form).await).await
}

/// `POST /dashboard/posts/{id}`
pub(crate) async fn save_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<PostId>,
    form: FormData,
) -> Result<Response, ApiError> {
    answer(&visit, Some(id), &form, save(&visit, intent, Some(id), &form).await).await
}

/// `POST /dashboard/posts/{id}/trash`
pub(crate) async fn trash_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<PostId>,
) -> Result<Response, ApiError> {
    take_step(&visit, intent, id, Step::Trash).await?;
    visit.go("/dashboard/posts", Flash::PostTrashed)
}

/// `POST /dashboard/posts/{id}/restore`
pub(crate) async fn restore_from_form(
    visit: Visit,
    intent: Intent,
    PathOf(id): PathOf<PostId>,
) -> Result<Response, ApiError> {
    take_step(&visit, intent, id, Step::Restore).await?;
    visit.go(&address(id), Flash::PostRestored)
}

async fn take_step(visit: &Visit, intent: Intent, id: PostId, step: Step) -> Result<(), ApiError> {
    let mut change = intent.begin_anew(&visit.app).await?;
    changes::take_step(&mut change, &visit.caller, id, None, step).await?;
    change.keep().await
}

/// Where a post is edited.
pub(super) fn address(id: PostId) -> String {
    format!("/dashboard/posts/{id}")
}

/// Saves what was typed, in one change.
async fn save(visit: &Visit, intent: Intent, id: Option<PostId>, form: &FormData) -> Result<Saved, ApiError> {
    let fields = PostFields::typed(form);
    let mut change = intent.begin_anew(&visit.app).await?;
    let moments = visit.moments(&change.site().await?);
    let wish = match form.text("do") {
        "publish" => Some("published"),
        "withdraw" => Some("draft"),
        _ => None,
    };
    let saved = match id {
        None => changes::create(&mut change, &visit.caller, fields.input(wish, None, &moments)?).await?,
        Some(id) => {
            let before = posts::get(&mut change.tx, id).await.named("post")?.post.content;
            let input = fields.input(wish, Some(&before), &moments)?;
            changes::edit(&mut change, &visit.caller, id, Some(made_from(form)?), input).await?
        }
    };
    change.keep().await?;
    Ok(saved)
}

/// The version that the text was made from; or the one that its author has seen and wants to replace all the same.
fn made_from(form: &FormData) -> Result<Version, ApiError> {
    let text = form.given("overwrite").or_else(|| form.given("version")).unwrap_or_default();
    text.parse()
        .map_err(|_| ApiError::new(ErrorCode::VersionRequired, "The form does not say which version it changes."))
}

async fn answer(
    visit: &Visit,
    id: Option<PostId>,
    form: &FormData,
    outcome: Result<Saved, ApiError>,
) -> Result<Response, ApiError> {
    match outcome {
        Ok(saved) if visit.wants_part => update(visit, id.is_none(), &saved).await,
        Ok(saved) => {
            let build = saved.build.map(|build| format!("?build={build}")).unwrap_or_default();
            visit.go(&format!("{}{build}", address(saved.post.post.id)), done(form, saved.post.post.status))
        }
        Err(error) => refused(visit, id, form, error).await,
    }
}

fn done(form: &FormData, status: PostStatus) -> Flash {
    match (form.text("do"), status) {
        ("publish", PostStatus::Scheduled) => Flash::PostScheduled,
        ("publish", _) => Flash::PostPublished,
        ("withdraw", _) => Flash::PostWithdrawn,
        _ => Flash::PostSaved,
    }
}

/// Tells the page that is there already what was saved. What is being typed meanwhile stays as it is.
async fn update(visit: &Visit, is_new: bool, saved: &Saved) -> Result<Response, ApiError> {
    let mut conn = visit.app.store.read().await?;
    let id = saved.post.post.id;
    let page = stored(visit, &mut conn, id, saved.build).await?;
    let mut response = html(StatusCode::OK, templates::render(EditorPage::PARTS[0], &page)?);
    let filled_in = json!({"slug": page.fields.slug, "published_at": page.fields.published_at});
    let told = json!({"editor:saved": {"id": id, "action": page.post.action, "filledIn": filled_in}});
    let headers = response.headers_mut();
    headers.insert("hx-trigger", HeaderValue::try_from(told.to_string()).map_err(ApiError::internal)?);
    if is_new {
        headers.insert("hx-push-url", HeaderValue::try_from(address(id)).map_err(ApiError::internal)?);
    }
    Ok(response)
}

/// Shows the form again, with everything that was typed and what is wrong with it.
async fn refused(visit: &Visit, id: Option<PostId>, form: &FormData, error: ApiError) -> Result<Response, ApiError> {
    let is_stale = error.code() == ErrorCode::Stale;
    let (status, problem) = Problem::with_form(error)?;
    let mut conn = visit.app.store.read().await?;
    let fields = PostFields::typed(form);
    let mut page = match id {
        None => {
            let (frame, site) = visit.frame(&mut conn, Section::Posts).await?;
            blank(frame, &visit.moments(&site), fields.clone())
        }
        Some(id) => stored(visit, &mut conn, id, None).await?,
    };
    if let Some(id) = id.filter(|_| is_stale) {
        let site = visit.app.site(&mut conn).await?.settings;
        page.conflict =
            Some(conflict::find(&mut conn, id, visit.caller.user, fields.clone(), &visit.moments(&site)).await?);
    } else {
        page.problem = Some(problem);
    }
    // The text is still made from the version that the form came with: saving it again must be refused again.
    page.post.version = form.text("version").to_owned();
    page.fields = fields;
    if visit.wants_part {
        return Ok(html(status, templates::render(EditorPage::PARTS[0], &page)?));
    }
    show(visit, status, &page)
}

fn blank(frame: Frame, moments: &Moments, fields: PostFields) -> EditorPage {
    let post = Face {
        id: None,
        action: "/dashboard/posts".to_owned(),
        status: PostStatus::Draft,
        status_label: "New",
        version: String::new(),
        saved: None,
        url: None,
        set_aside_reason: None,
        may_change: true,
    };
    EditorPage { frame, post, fields, zone: moments.zone(), problem: None, conflict: None, panel: None }
}

/// The page of a post as it is stored.
async fn stored(
    visit: &Visit,
    conn: &mut Connection,
    id: PostId,
    build: Option<BuildId>,
) -> Result<EditorPage, ApiError> {
    let stored = posts::get(conn, id).await.named("post")?;
    let (frame, site) = visit.frame(conn, Section::Posts).await?;
    let moments = visit.moments(&site);
    let panel = panel_of(conn, build, &site, &moments).await?;
    let fields = PostFields::of(&stored.post.content, &moments);
    let url = public_url(&stored, &site);
    let post = face(visit, stored, url, &moments);
    Ok(EditorPage { frame, post, fields, zone: moments.zone(), problem: None, conflict: None, panel })
}

/// The build that was asked for with a save. An old address may name one that is forgotten.
async fn panel_of(
    conn: &mut Connection,
    build: Option<BuildId>,
    site: &SiteSettings,
    moments: &Moments,
) -> Result<Option<BuildPanel>, ApiError> {
    let Some(build) = build else { return Ok(None) };
    match stored_builds::get(conn, build).await {
        Ok(build) => Ok(Some(builds::panel(conn, build, site, moments).await?)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn face(visit: &Visit, stored: StoredPost, url: Option<String>, moments: &Moments) -> Face {
    let StoredPost { post, owner, set_aside_reason, .. } = stored;
    Face {
        id: Some(post.id),
        action: address(post.id),
        status: post.status,
        status_label: status_label(post.status),
        version: post.version.to_string(),
        saved: Some(moments.of(post.updated_at)),
        url,
        set_aside_reason,
        may_change: visit.caller.may_change(owner),
    }
}

fn show(visit: &Visit, status: StatusCode, page: &EditorPage) -> Result<Response, ApiError> {
    let mut response = visit.show_with(status, page)?;
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
