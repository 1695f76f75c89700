//! A change in the making: a transaction, where it comes from, and the key that keeps it from being made twice.
//!
//! A client that got no answer asks again under the same `Idempotency-Key`. The answer is kept in the transaction of
//! the change itself, so there is no moment at which the one is there without the other.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use microblog_domain::{ContentHash, SiteSettings, UserId, Version};
use microblog_store::idempotency::{self, RecordedAnswer};
use microblog_store::{Origin, Transaction};
use serde::Serialize;

use crate::auth::{Caller, Course};
use crate::error::{ApiError, ErrorCode};
use crate::metrics;
use crate::state::{App, AppState};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longer keys serve no purpose, and each is kept.
const MAX_KEY_BYTES: usize = 255;

/// What a change is answered with, complete enough to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_string(body).map_err(ApiError::internal)?;
        let json = ("content-type".to_owned(), "application/json".to_owned());
        Ok(Self { status: StatusCode::OK, headers: vec![json], body })
    }

    /// 201 with a body, and the address of what was made.
    pub(crate) fn created(location: &str, body: &impl Serialize) -> Result<Self, ApiError> {
        let mut answer = Self::ok(body)?;
        answer.status = StatusCode::CREATED;
        answer.headers.push(("location".to_owned(), location.to_owned()));
        Ok(answer)
    }

    /// 204.
    pub(crate) fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: String::new() }
    }

    /// The same with another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// The same with the version as its `ETag`.
    pub(crate) fn at_version(mut self, version: Version) -> Self {
        self.headers.push(("etag".to_owned(), format!("\"{version}\"")));
        self
    }

    fn recorded(&self, request: ContentHash) -> RecordedAnswer {
        let (status, headers, body) = (self.status.as_u16(), self.headers.clone(), self.body.clone());
        RecordedAnswer { request, status, headers, body }
    }
}

impl From<RecordedAnswer> for Answer {
    fn from(recorded: RecordedAnswer) -> Self {
        let mut headers = recorded.headers;
        headers.push(("idempotency-replayed".to_owned(), "true".to_owned()));
        let status = StatusCode::from_u16(recorded.status).unwrap_or(StatusCode::OK);
        Self { status, headers, body: recorded.body }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        for (name, value) in &self.headers {
            let pair = (header::HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()));
            if let (Ok(name), Ok(value)) = pair {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// The part of a request that a change needs besides its body.
#[derive(Debug)]
pub(crate) struct Intent {
    course: Course,
    key: Option<String>,
    /// Method, address and version: the same key with others is another request.
    request: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Intent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Ok(course) = Course::from_request_parts(parts, state).await;
        let version = parts.headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let request = format!("{} {} {version}", parts.method, parts.uri.path());
        let key = parts.headers.get(IDEMPOTENCY_KEY).map(|value| {
            let text = value.to_str().ok().filter(|text| (1..=MAX_KEY_BYTES).contains(&text.len()));
            text.map(str::to_owned)
                .ok_or_else(|| ApiError::invalid_field("Idempotency-Key", "must be 1 to 255 visible ASCII characters"))
        });
        Ok(Self { course, key: key.transpose()?, request })
    }
}

/// What the beginning of a change comes to.
pub(crate) enum Begun {
    /// It is to be made.
    Change(Box<Change>),
    /// It was made before, and this was the answer.
    Answered(Answer),
}

/// A change in the making. Nothing is kept unless it is finished.
pub(crate) struct Change {
    /// To write with.
    pub(crate) tx: Transaction,
    /// Where the change comes from.
    pub(crate) origin: Origin,
    /// Posts that readers could not see before.
    pub(crate) published: u64,
    app: App,
    key: Option<(UserId, String, ContentHash)>,
}

impl Intent {
    /// Begins a change that an idempotency key may protect. `body` is what the request held.
    pub(crate) async fn begin(self, app: &App, caller: &Caller, body: &ContentHash) -> Result<Begun, ApiError> {
        let request = ContentHash::of(format!("{} {body}", self.request).as_bytes());
        let key = self.key.clone().map(|key| (caller.user, key, request));
        let mut change = self.begin_anew(app).await?;
        if let Some((user, key, request)) = &key {
            match idempotency::claim(&mut change.tx, *user, key).await? {
                Some(recorded) if recorded.request == *request => return Ok(Begun::Answered(recorded.into())),
                Some(_) => return Err(key_of_another_request()),
                None => {}
            }
        }
        Ok(Begun::Change(Box::new(Change { key, ..change })))
    }

    /// Begins a change that does no harm when it is made twice, or whose answer must not be kept.
    pub(crate) async fn begin_anew(self, app: &App) -> Result<Change, ApiError> {
        let origin = self.course.origin(app.clock.now());
        Ok(Change { tx: app.store.begin().await?, origin, published: 0, app: App::clone(app), key: None })
    }
}

impl Change {
    /// The settings of the site.
    pub(crate) async fn site(&mut self) -> Result<SiteSettings, ApiError> {
        Ok(self.app.site(&mut self.tx).await?.settings)
    }

    /// Keeps the change, where nobody asks for its answer again.
    pub(crate) async fn keep(self) -> Result<(), ApiError> {
        self.finish(Answer::done()).await.map(drop)
    }

    /// Keeps the change and its answer, and wakes whoever passes jobs on.
    pub(crate) async fn finish(mut self, answer: Answer) -> Result<Answer, ApiError> {
        if let Some((user, key, request)) = &self.key {
            let recorded = answer.recorded(*request);
            idempotency::record(&mut self.tx, *user, key, &recorded, self.origin.at).await?;
        }
        // Asked for again under its key, a change that was kept after all is not made twice but answered as before; the
        // lock on the key lets nobody ask before the database knows.
        let is_kept_once = self.key.is_some();
        self.tx.commit().await.map_err(|error| ApiError::of_commit(error, is_kept_once))?;
        metrics::posts_published(self.published);
        self.app.waker.wake();
        Ok(answer)
    }
}

fn key_of_another_request() -> ApiError {
    ApiError::new(
        ErrorCode::IdempotencyMismatch,
        "This Idempotency-Key was sent with another request before. Use a new key for each change.",
    )
}

/// How long answers are kept for clients that ask again.
const KEEP_ANSWERS: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How long finished builds are kept, with their events.
const KEEP_BUILDS: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);

/// How long errors and alerts are kept that are over.
const KEEP_TROUBLE: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);
/// Alertmanager repeats itself every minute, as prometheus/alertmanager.yml has it; what it does not repeat for so long is
/// over. It does not say so of what is silenced when it ends.
const UNHEARD: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// Forgets what is over: answers that nobody will ask for again, sessions that have ended, builds, errors and alerts of
/// long ago.
pub(crate) async fn forget_what_is_over(app: &AppState) -> Result<(), ApiError> {
    let now = app.clock.now();
    let before = |kept| now.checked_sub(kept).map_err(ApiError::internal);
    let (answers, builds, trouble) = (before(KEEP_ANSWERS)?, before(KEEP_BUILDS)?, before(KEEP_TROUBLE)?);
    let mut tx = app.store.begin().await?;
    idempotency::forget_older(&mut tx, answers).await?;
    microblog_store::builds::forget_finished(&mut tx, builds).await?;
    microblog_store::sessions::forget_ended(&mut tx, now).await?;
    microblog_store::errors::forget_older(&mut tx, trouble).await?;
    microblog_store::alerts::end_unheard(&mut tx, before(UNHEARD)?).await?;
    microblog_store::alerts::forget_ended(&mut tx, trouble).await?;
    Ok(tx.commit().await?)
}
