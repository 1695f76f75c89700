//! Alerts: told by Alertmanager, shown to those who look after the service.

use std::collections::BTreeMap;

use axum::extract::State;
use microblog_domain::{AlertId, Timestamp};
use microblog_store::alerts::{self, Alert, HeardAlert};
use serde::{Deserialize, Serialize};

use super::paging::{Cursor, PageBody, PageQuery};
use crate::change::Answer;
use crate::error::ApiError;
use crate::input::{Fields, FromFields, Json, Query};
use crate::state::App;

/// The only form of notification that Alertmanager has had since its version 0.4.
const VERSION: &str = "4";
/// Names of alerts and words for how bad they are stand in indexes of the database.
const MAX_WORD_BYTES: usize = 500;

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AlertState {
    Firing,
    Resolved,
}

/// An alert as clients see it.
#[derive(Debug, Serialize)]
struct AlertBody {
    id: AlertId,
    fingerprint: String,
    state: AlertState,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    severity: String,
    starts_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    heard_at: Timestamp,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook_url: Option<String>,
}

impl From<Alert> for AlertBody {
    fn from(Alert { id, heard, heard_at }: Alert) -> Self {
        Self {
            id,
            state: if heard.ends_at.is_none() { AlertState::Firing } else { AlertState::Resolved },
            name: heard.name().to_owned(),
            severity: heard.severity().to_owned(),
            runbook_url: runbook_of(&heard),
            fingerprint: heard.fingerprint,
            starts_at: heard.starts_at,
            ends_at: heard.ends_at,
            heard_at,
            labels: heard.labels,
            annotations: heard.annotations,
        }
    }
}

/// Where it says what to do; only an address that browsers open as a page.
pub(crate) fn runbook_of(alert: &HeardAlert) -> Option<String> {
    let url = alert.annotations.get("runbook_url")?;
    let is_page = url.starts_with("https://") || url.starts_with("http://");
    is_page.then(|| url.clone())
}

/// Which alerts the client wants.
#[derive(Debug)]
pub(crate) struct AlertQuery {
    pub(crate) state: Option<AlertState>,
    pub(crate) page: PageQuery<Cursor<AlertId>>,
}

impl FromFields for AlertQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let state = match fields.optional::<String>("state").as_deref() {
            None => None,
            Some("firing") => Some(AlertState::Firing),
            Some("resolved") => Some(AlertState::Resolved),
            Some(_) => {
                fields.reject("state", "must be firing or resolved");
                None
            }
        };
        Some(Self { state, page: PageQuery::take(fields) })
    }
}

/// `GET /alerts`, the one that began last first.
pub(crate) async fn list_alerts(State(app): State<App>, Query(query): Query<AlertQuery>) -> Result<Answer, ApiError> {
    let page = read_page(&app, query.state, &query.page).await?;
    let items: Vec<_> = page.items.into_iter().map(AlertBody::from).collect();
    Answer::ok(&PageBody { items, next_cursor: page.next_cursor })
}

/// A page of alerts.
pub(crate) async fn read_page(
    app: &App,
    state: Option<AlertState>,
    page: &PageQuery<Cursor<AlertId>>,
) -> Result<PageBody<Alert>, ApiError> {
    let (firing, after) = (state.map(|state| state == AlertState::Firing), page.cursor.map(|cursor| cursor.0));
    let found = alerts::list(&mut *app.store.read().await?, firing, after, page.limit + 1).await?;
    Ok(PageBody::of(found, page.limit, |alert| Cursor::behind(alert.heard.starts_at, alert.id).to_text()))
}

/// What Alertmanager sends. What else it sends is its own affair.
#[derive(Debug)]
pub(crate) struct Notification(Vec<AlertInput>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AlertInput {
    status: AlertState,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    fingerprint: String,
}

impl FromFields for Notification {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let version = fields.required::<String>("version");
        let is_known = version.as_deref().is_none_or(|version| version == VERSION);
        fields.check(is_known, "version", "must be \"4\"");
        let told: Option<Vec<AlertInput>> = fields.required("alerts");
        for (index, alert) in told.iter().flatten().enumerate() {
            alert.check(index, fields);
        }
        fields.ignore_others();
        Some(Self(told?))
    }
}

impl AlertInput {
    fn check(&self, index: usize, fields: &mut Fields) {
        let words = ["alertname", "severity"].map(|name| self.labels.get(name).map_or("", String::as_str));
        let fits = |word: &str| word.len() <= MAX_WORD_BYTES && !word.contains('\0');
        let is_named = (1..=MAX_WORD_BYTES).contains(&self.fingerprint.len()) && !self.fingerprint.contains('\0');
        fields.check(is_named, &format!("alerts[{index}].fingerprint"), "must have 1 to 500 bytes");
        let message = "alertname and severity must have at most 500 bytes";
        fields.check(words.into_iter().all(fits), &format!("alerts[{index}].labels"), message);
    }

    /// What is over says when; clocks that go wrong end nothing before it began.
    fn heard(self) -> HeardAlert {
        let ends_at = (self.status == AlertState::Resolved).then(|| self.ends_at.max(self.starts_at));
        let Self { labels, annotations, starts_at, fingerprint, .. } = self;
        HeardAlert { fingerprint, starts_at, ends_at, labels, annotations }
    }
}

/// `POST /alerts/webhook`
pub(crate) async fn hear_alerts(
    State(app): State<App>,
    Json { body: Notification(told), .. }: Json<Notification>,
) -> Result<Answer, ApiError> {
    let told: Vec<_> = told.into_iter().map(AlertInput::heard).collect();
    tracing::debug!(count = told.len(), "Alertmanager told of alerts");
    let mut tx = app.store.begin().await?;
    alerts::hear(&mut tx, told, app.clock.now()).await?;
    tx.commit().await.map_err(|error| ApiError::of_commit(error, true))?;
    Ok(Answer::done())
}
