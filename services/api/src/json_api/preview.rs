//! The page of a post as the site would show it, made by the site's own engine with the site's own theme.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use microblog_domain::{BaseUrl, FilePath, PostContent, PostId, SiteSettings, Timestamp};
use microblog_site::{PageKey, PostSource, PostText, Site, SourceError, SourcePost, Theme, ThemeError};
use serde::Serialize;

use super::posts::PostInput;
use crate::change::Answer;
use crate::edge::SHOWN_ELSEWHERE;
use crate::error::{ApiError, ErrorCode};
use crate::input::{Json, PathOf};
use crate::state::App;

/// The theme for previews.
#[derive(Debug)]
pub struct PreviewTheme {
    overrides: Option<PathBuf>,
    builtin: OnceLock<Arc<Theme>>,
}

impl PreviewTheme {
    /// The default theme, with single files replaced by those of a folder.
    #[must_use]
    pub fn new(overrides: Option<PathBuf>) -> Self {
        Self { overrides, builtin: OnceLock::new() }
    }

    /// The default theme is read once; a folder each time, so that who works on a theme sees it.
    fn load(&self) -> Result<Arc<Theme>, ThemeError> {
        if let Some(folder) = &self.overrides {
            return Theme::with_overrides(folder).map(Arc::new);
        }
        if let Some(theme) = self.builtin.get() {
            return Ok(Arc::clone(theme));
        }
        let theme = Arc::new(Theme::builtin()?);
        Ok(Arc::clone(self.builtin.get_or_init(|| theme)))
    }
}

#[derive(Debug, Serialize)]
struct PreviewBody {
    /// The whole page. Its style sheet and pictures are found on this service, at the addresses they have on the site.
    html: String,
}

/// `POST /preview`
pub(crate) async fn preview(State(app): State<App>, Json { body, .. }: Json<PostInput>) -> Result<Answer, ApiError> {
    Answer::ok(&PreviewBody { html: page(&app, body).await? })
}

/// The page that the site would make of a post.
pub(crate) async fn page(app: &App, input: PostInput) -> Result<String, ApiError> {
    let site = app.site(&mut *app.store.read().await?).await?.settings;
    let now = app.clock.now();
    let content = input.content_for_preview(&site.timezone, now)?;
    let app = App::clone(app);
    tokio::task::spawn_blocking(move || render(&app, site, content, now)).await.map_err(ApiError::internal)?
}

/// One post, and nothing around it.
struct OnlyPost(Arc<PostText>);

impl PostSource for OnlyPost {
    fn text(&self, _: PostId) -> Result<Arc<PostText>, SourceError> {
        Ok(Arc::clone(&self.0))
    }
}

/// Files of a theme need none.
struct NoPosts;

impl PostSource for NoPosts {
    fn text(&self, post: PostId) -> Result<Arc<PostText>, SourceError> {
        Err(SourceError { post, reason: "there are no posts here".to_owned() })
    }
}

fn render(app: &App, settings: SiteSettings, content: PostContent, now: Timestamp) -> Result<String, ApiError> {
    let theme = app.preview.load().map_err(|error| broken_theme(&error))?;
    let settings = SiteSettings { base_url: without_folder(&settings.base_url), ..settings };
    let mut site = Site::new(Arc::new(settings), theme).map_err(|error| broken_theme(&error))?;
    let post = SourcePost { id: PostId::generate(now), content: content.clone(), updated_at: now };
    let entry = site.digest(&post).map_err(|error| ApiError::invalid_field("slug", error.to_string()))?;
    let page = PageKey::Address(entry.address().file());
    site.fill([entry]);
    let view = site.view(&page).ok_or_else(|| ApiError::internal("the only post of a preview has no page"))?;
    let source = OnlyPost(Arc::new(content.into()));
    let rendered = site.renderer(&source).render(&view).map_err(|error| broken_page(&error))?;
    String::from_utf8(rendered.body).map_err(ApiError::internal)
}

/// This service has no folder before its addresses, wherever the site has one.
fn without_folder(url: &BaseUrl) -> BaseUrl {
    let origin = url.as_str().strip_suffix(url.path_prefix()).unwrap_or(url.as_str());
    origin.parse().unwrap_or_else(|_| url.clone())
}

/// Whoever works on a theme is told what is wrong with it.
fn broken_theme(error: &ThemeError) -> ApiError {
    ApiError::new(ErrorCode::Conflict, format!("The theme has an error: {error}."))
}

fn broken_page(error: &microblog_site::RenderError) -> ApiError {
    ApiError::new(ErrorCode::Conflict, format!("The page can not be rendered: {error}."))
}

/// `GET /assets/{file}`: at the same address as on the site.
pub(crate) async fn show_asset(State(app): State<App>, PathOf(file): PathOf<String>) -> Result<Response, ApiError> {
    let file: FilePath = format!("assets/{file}").parse().map_err(|_| ApiError::not_found("file"))?;
    let content_type = content_type(&file.extension());
    let body = tokio::task::spawn_blocking(move || asset(&app, file)).await.map_err(ApiError::internal)??;
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let (name, value) = SHOWN_ELSEWHERE;
    response.headers_mut().insert(name, value);
    let cached = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, cached);
    Ok(response)
}

fn asset(app: &App, file: FilePath) -> Result<Vec<u8>, ApiError> {
    let theme = app.preview.load().map_err(|error| broken_theme(&error))?;
    let site = Site::new(Arc::default(), theme).map_err(|error| broken_theme(&error))?;
    let view = site.view(&PageKey::Asset(file)).ok_or_else(|| ApiError::not_found("file"))?;
    Ok(site.renderer(&NoPosts).render(&view).map_err(|error| broken_page(&error))?.body)
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
