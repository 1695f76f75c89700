//! Serves the live release on `site.listen`, for those who have no nginx in front.
//!
//! Each request resolves `build/current` anew and opens exactly one file, so that an answer always belongs to one
//! release. Readers that take it get the compressed sibling that lies beside a file. Sending the file (types, encodings,
//! ranges, conditional requests) is left to tower-http.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use microblog_domain::UrlPath;
use microblog_process::{ErrorReport, ErrorReports};
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
    errors: ErrorReports,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Infallible> {
    let current: Arc<Path> = build.join("current").into();
    let app = app(current, errors);
    microblog_process::serve(listener, app, stop).await
}

fn app(current: Arc<Path>, errors: ErrorReports) -> Router {
    Router::new().fallback(answer).layer(from_fn_with_state(errors, report_faults)).with_state(current)
}

/// Tells people of answers that are the server's fault. Before the first release there is nothing to serve, which is none.
async fn report_faults(State(errors): State<ErrorReports>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        let message = "a file of the site could not be read; the log says which";
        errors.report(ErrorReport { code: "internal", place: "the site", message, request_id: None });
    }
    response
}

async fn answer(State(current): State<Arc<Path>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let (parts, _) = request.into_parts();
    let Ok(path) = parts.uri.path().parse::<UrlPath>() else {
        return not_found(&current, &parts).await;
    };
    let file = current.join(path.file());
    if let Some(folder) = redirect_to_folder(&parts.uri, &path).filter(|_| file.exists()) {
        return folder;
    }
    let response = send(&file, parts.method.clone(), parts.headers.clone()).await;
    match response.status() {
        StatusCode::NOT_FOUND => not_found(&current, &parts).await,
        _ => with_headers(response, path.as_str()),
    }
}

/// A folder's address ends with a slash: relative links would lead elsewhere without it.
fn redirect_to_folder(uri: &Uri, path: &UrlPath) -> Option<Response> {
    let is_folder_without_slash = path.as_str().ends_with('/') && !uri.path().ends_with('/');
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    is_folder_without_slash.then(|| Redirect::permanent(&format!("{}{query}", path.href())).into_response())
}

/// Sends a file, compressed if that is what the reader would rather have and what lies there.
async fn send(file: &Path, method: Method, mut headers: HeaderMap) -> Response {
    if asks_for_one_part(&headers) {
        return send_part(file, method, headers).await;
    }
    headers.remove(header::RANGE);
    send_with(with_sibling(file).await, file, method, headers).await
}

/// Looks for the compressed sibling only if there is one: a folder of that name could be opened as well, but not sent.
async fn with_sibling(file: &Path) -> ServeFile {
    let mut sibling = file.as_os_str().to_owned();
    sibling.push(".gz");
    let server = ServeFile::new(file);
    match tokio::fs::metadata(sibling).await {
        Ok(sibling) if sibling.is_file() => server.precompressed_gzip(),
        _ => server,
    }
}

/// Who asks for several parts, or for parts in a unit that nobody knows, gets the whole (RFC 9110, 14.2).
fn asks_for_one_part(headers: &HeaderMap) -> bool {
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    range.and_then(|range| range.strip_prefix("bytes=")).is_some_and(|part| !part.contains(','))
}

/// Sends a part of a file, always of the plain one: parts fit together, whatever is compressed between two requests. Who
/// goes on with an earlier copy (`If-Range`) gets a part of that very copy, else all of the new one.
async fn send_part(file: &Path, method: Method, mut headers: HeaderMap) -> Response {
    let copy = headers.remove(header::IF_RANGE);
    let part = send_with(ServeFile::new(file), file, method.clone(), headers.clone()).await;
    if copy.is_none_or(|copy| part.headers().get(header::ETAG) == Some(&copy)) {
        return part;
    }
    headers.remove(header::RANGE);
    send_with(with_sibling(file).await, file, method, headers).await
}

async fn send_with(mut server: ServeFile, file: &Path, method: Method, headers: HeaderMap) -> Response {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    match server.try_call(request).await {
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

async fn not_found(current: &Path, request: &Parts) -> Response {
    if !current.exists() {
        return not_yet();
    }
    // Neither ranges nor conditions: they were meant for a page that is not there.
    let accepted = request.headers.get(header::ACCEPT_ENCODING).cloned();
    let headers = accepted.map(|accepted| (header::ACCEPT_ENCODING, accepted)).into_iter().collect();
    let mut response = send(&current.join("404.html"), request.method.clone(), headers).await;
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
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
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
    use microblog_domain::SystemClock;
    use microblog_process::ErrorKeeper;
    use microblog_testkit::TestDatabase;
    use tower::ServiceExt as _;

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

    #[tokio::test]
    async fn a_file_that_can_not_be_read_is_told_to_people() {
        let (database, folder) = (TestDatabase::new().await, tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink("loop.html", folder.path().join("loop.html")).unwrap();
        let errors = ErrorReports::default();
        let app = app(folder.path().into(), errors.clone());
        let response = app.oneshot(Request::get("/loop.html").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let store = database.store();
        ErrorKeeper::new(errors, store.clone(), Arc::new(SystemClock)).store_now().await.unwrap();
        let told = microblog_store::errors::list(&mut store.read().await.unwrap(), None, None, 10).await.unwrap();
        assert_eq!((told.len(), told[0].place.as_str()), (1, "the site"));
    }

    const PLAIN: &str = "a page that is longer than its compressed sibling";
    const GZIP: &str = "gzip of it";

    fn site() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("index.html", PLAIN), ("index.html.gz", GZIP), ("404.html", "gone"), ("404.html.gz", "g")]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
            let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
            std::fs::File::open(folder.path().join(name)).unwrap().set_modified(time).unwrap();
        }
        folder
    }

    /// Asks for the front page.
    async fn ask(site: &tempfile::TempDir, method: Method, headers: &[(&str, &str)]) -> Answer {
        let request = headers
            .iter()
            .fold(Request::builder().method(method).uri("/"), |request, (name, value)| request.header(*name, *value));
        Answer::of(answer(State(site.path().into()), request.body(Body::empty()).unwrap()).await).await
    }

    struct Answer {
        status: u16,
        headers: HeaderMap,
        text: String,
    }

    impl Answer {
        async fn of(response: Response) -> Self {
            let (head, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, 1_000).await.unwrap();
            Self {
                status: head.status.as_u16(),
                headers: head.headers,
                text: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        }

        fn header(&self, name: &str) -> Option<&str> {
            self.headers.get(name).map(|value| value.to_str().unwrap())
        }
    }

    #[tokio::test]
    async fn readers_get_what_they_can_unfold_and_caches_are_told_what_it_depends_on() {
        let site = site();
        for (accepted, encoding, text) in [
            ("gzip, deflate, br", Some("gzip"), GZIP),
            ("gzip;q=0", None, PLAIN),
            ("br", None, PLAIN),
            ("identity", None, PLAIN),
        ] {
            let get = ask(&site, Method::GET, &[("accept-encoding", accepted)]).await;
            assert_eq!(
                (get.status, get.header("content-encoding"), get.text.as_str()),
                (200, encoding, text),
                "{accepted}"
            );
            assert_eq!(get.header("content-type"), Some("text/html; charset=utf-8"));
            assert_eq!(get.header("vary"), Some("accept-encoding"));
            let head = ask(&site, Method::HEAD, &[("accept-encoding", accepted)]).await;
            assert_eq!((head.status, head.text.as_str()), (200, ""));
            for name in ["content-encoding", "content-length", "etag", "last-modified", "vary"] {
                assert_eq!(head.header(name), get.header(name), "{accepted}: {name}");
            }
        }
        assert_eq!(ask(&site, Method::GET, &[]).await.text, PLAIN);
        let request = Request::get("/gone").header("accept-encoding", "gzip").header("range", "bytes=0-1");
        let gone = Answer::of(answer(State(site.path().into()), request.body(Body::empty()).unwrap()).await).await;
        assert_eq!((gone.status, gone.header("content-encoding"), gone.text.as_str()), (404, Some("gzip"), "g"));
    }

    #[tokio::test]
    async fn a_folder_that_is_named_like_a_sibling_is_none() {
        let site = tempfile::tempdir().unwrap();
        std::fs::write(site.path().join("index.html"), PLAIN).unwrap();
        std::fs::create_dir(site.path().join("index.html.gz")).unwrap();
        let answer = ask(&site, Method::GET, &[("accept-encoding", "gzip")]).await;
        assert_eq!((answer.status, answer.header("content-encoding"), answer.text.as_str()), (200, None, PLAIN));
    }

    #[tokio::test]
    async fn a_copy_is_compared_with_what_would_be_sent() {
        let site = site();
        let gzip = ("accept-encoding", "gzip");
        let plain_tag = ask(&site, Method::GET, &[]).await.header("etag").unwrap().to_owned();
        let gzip_tag = ask(&site, Method::GET, &[gzip]).await.header("etag").unwrap().to_owned();
        assert_ne!(plain_tag, gzip_tag);
        for (tag, accepted, status) in [
            (&gzip_tag, gzip, 304),
            (&plain_tag, gzip, 200),
            (&plain_tag, ("accept", "*/*"), 304),
            (&gzip_tag, ("accept", "*/*"), 200),
        ] {
            let answer = ask(&site, Method::GET, &[("if-none-match", tag), accepted]).await;
            assert_eq!((answer.status, answer.header("vary")), (status, Some("accept-encoding")), "{tag} {accepted:?}");
        }
    }

    #[tokio::test]
    async fn parts_are_of_one_copy() {
        let site = site();
        let (range, gzip) = (("range", "bytes=2-5"), ("accept-encoding", "gzip"));
        let plain = ask(&site, Method::GET, &[]).await;
        let compressed = ask(&site, Method::GET, &[gzip]).await;
        let tag = |answer: &Answer| answer.header("etag").unwrap().to_owned();
        let part = ask(&site, Method::GET, &[range, gzip]).await;
        assert_eq!((part.status, part.header("content-encoding"), part.text.as_str()), (206, None, &PLAIN[2..6]));
        assert_eq!(tag(&part), tag(&plain));
        let of_plain = ask(&site, Method::GET, &[range, gzip, ("if-range", &tag(&plain))]).await;
        assert_eq!((of_plain.status, of_plain.text.as_str()), (206, &PLAIN[2..6]));
        for range in ["elephants", "lines=1-2", "bytes=0-1,4-5"] {
            assert_eq!(ask(&site, Method::GET, &[("range", range)]).await.status, 200, "{range}");
        }
        // Both copies have the same date, so it says nothing.
        for copy in [tag(&compressed).as_str(), compressed.header("last-modified").unwrap(), "\"older\""] {
            let whole = ask(&site, Method::GET, &[range, gzip, ("if-range", copy)]).await;
            assert_eq!(
                (whole.status, whole.header("content-encoding"), whole.text.as_str()),
                (200, Some("gzip"), GZIP),
                "{copy}"
            );
        }
    }
}
