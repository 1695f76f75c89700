//! Serves the live release on `site.listen`, for those who have no nginx in front.
//!
//! Each request resolves `build/current` anew and opens exactly one file, so that an answer always belongs to one
//! release. Sending the file (types, ranges, conditional requests) is left to tower-http.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::serve::ListenerExt as _;
use microblog_domain::UrlPath;
use tokio::net::TcpListener;
use tower_http::services::ServeFile;

/// Hashed names: the content behind them never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Everything else: to be asked for each time, and mostly answered with "not modified".
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Serves until `stop` is ready.
pub(super) async fn serve(
    listener: TcpListener,
    build: PathBuf,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let current: Arc<Path> = build.join("current").into();
    let app = Router::new().fallback(answer).with_state(current);
    // A page follows its head: without this it would wait 40 ms for the reader to acknowledge the head.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

async fn answer(State(current): State<Arc<Path>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let (parts, _) = request.into_parts();
    let Ok(path) = parts.uri.path().parse::<UrlPath>() else {
        return not_found(&current, parts.method).await;
    };
    let file = current.join(path.file());
    if let Some(folder) = redirect_to_folder(&parts.uri, &path).filter(|_| file.exists()) {
        return folder;
    }
    let response = send(&file, parts.method.clone(), parts.headers).await;
    match response.status() {
        StatusCode::NOT_FOUND => not_found(&current, parts.method).await,
        _ => with_headers(response, path.as_str()),
    }
}

/// A folder's address ends with a slash: relative links would lead elsewhere without it.
fn redirect_to_folder(uri: &Uri, path: &UrlPath) -> Option<Response> {
    let is_folder_without_slash = path.as_str().ends_with('/') && !uri.path().ends_with('/');
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    is_folder_without_slash.then(|| Redirect::permanent(&format!("{}{query}", path.href())).into_response())
}

async fn send(file: &Path, method: Method, headers: HeaderMap) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    match ServeFile::new(file).try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            StatusCode::NOT_FOUND.into_response()
        }
        Err(error) => {
            tracing::error!(file = %file.display(), %error, "a file of the site could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn not_found(current: &Path, method: Method) -> Response {
    if !current.exists() {
        return not_yet();
    }
    let mut response = send(&current.join("404.html"), method, HeaderMap::new()).await;
    *response.status_mut() = StatusCode::NOT_FOUND;
    with_headers(response, "/404.html")
}

/// Nothing was ever published: that says nothing about what will be at the address in a moment.
fn not_yet() -> Response {
    let wait = [(header::RETRY_AFTER, "1"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, wait, "The site is being built for the first time. Try again in a moment.\n")
        .into_response()
}

fn with_headers(mut response: Response, path: &str) -> Response {
    let is_hashed = path.starts_with("/assets/") || path.starts_with("/media/");
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, if is_hashed { FOR_EVER } else { REVALIDATE });
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
    if let Some(kind) = content_type(path) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

/// The types that feed readers look for, and text in UTF-8.
fn content_type(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    Some(match name {
        "" => "text/html; charset=utf-8",
        "feed.xml" => "application/atom+xml; charset=utf-8",
        "rss.xml" => "application/rss+xml; charset=utf-8",
        "feed.json" => "application/feed+json; charset=utf-8",
        _ => match name.rsplit_once('.')?.1 {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "txt" => "text/plain; charset=utf-8",
            "xml" => "application/xml; charset=utf-8",
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(current: &Path, address: &str) -> StatusCode {
        let request = Request::get(address).body(Body::empty()).unwrap();
        answer(State(current.into()), request).await.status()
    }

    #[tokio::test]
    async fn before_the_first_release_readers_are_asked_to_wait_and_later_told_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let current = folder.path().join("current");
        assert_eq!(status(&current, "/").await, StatusCode::SERVICE_UNAVAILABLE);
        std::fs::create_dir_all(current.join("there")).unwrap();
        std::fs::write(current.join("there/index.html"), "").unwrap();
        assert_eq!(status(&current, "/").await, StatusCode::NOT_FOUND);
        assert_eq!(status(&current, "/there").await, StatusCode::PERMANENT_REDIRECT);
        assert_eq!(status(&current, "/elsewhere").await, StatusCode::NOT_FOUND);
    }
}
