//! Alerts, for those who look after the service: what fires, what fired, and whether anybody would tell.

use axum::extract::State;
use axum::response::Response;
use jiff::SignedDuration;
use microblog_domain::Timestamp;
use microblog_store::alerts::{self, Alert, WATCHDOG};

use super::frame::{Section, Visit};
use super::moments::Moments;
use super::pages::{AlertRow, AlertsPage, Hearing};
use crate::error::ApiError;
use crate::input::Query;
use crate::json_api::alerts::{AlertQuery, AlertState, read_page, runbook_of};
use crate::json_api::paging::PageQuery;
use crate::state::App;

/// The Watchdog fires every minute or so. Silent for longer, those who were to tell of alerts are in trouble themselves.
const SILENCE: SignedDuration = SignedDuration::from_mins(5);
/// With more alerts than this, it is not the page that is too short.
const MOST_FIRING: u32 = 100;

/// `GET /dashboard/alerts`
pub(crate) async fn show_alerts(
    visit: Visit,
    State(app): State<App>,
    Query(AlertQuery { page, .. }): Query<AlertQuery>,
) -> Result<Response, ApiError> {
    let is_first = page.cursor.is_none();
    let firing = PageQuery { limit: MOST_FIRING, cursor: None };
    let firing = read_page(&app, Some(AlertState::Firing), &firing).await?;
    let ended = read_page(&app, Some(AlertState::Resolved), &page).await?;
    let mut conn = app.store.read().await?;
    let (frame, site) = visit.frame(&mut conn, Section::Alerts).await?;
    let (moments, now) = (visit.moments(&site), app.clock.now());
    let heard_at = alerts::watchdog_heard_at(&mut conn).await?;
    let rows = |found: Vec<Alert>| found.into_iter().map(|alert| row(alert, &moments, now)).collect();
    let is_shown = |alert: &Alert| is_first && alert.heard.name() != WATCHDOG;
    visit.show(&AlertsPage {
        frame,
        hearing: hearing(&app, heard_at, &moments),
        firing: rows(firing.items.into_iter().filter(is_shown).collect()),
        is_first,
        ended: rows(ended.items),
        more: ended.next_cursor.map(|cursor| format!("?cursor={cursor}")),
    })
}

fn hearing(app: &App, heard_at: Option<Timestamp>, moments: &Moments) -> Hearing {
    match heard_at {
        None => Hearing::Never { has_secret: app.alerts.webhook_secret.is_some() },
        Some(at) if app.clock.now().duration_since(at) > SILENCE => Hearing::Silent { since: moments.of(at) },
        Some(at) => Hearing::Well { at: moments.of(at) },
    }
}

fn row(Alert { heard, .. }: Alert, moments: &Moments, now: Timestamp) -> AlertRow {
    let annotation = |name: &str| heard.annotations.get(name).cloned().unwrap_or_default();
    let is_shown = |(name, _): &(&String, &String)| name.as_str() != "alertname" && name.as_str() != "severity";
    let labels = heard.labels.iter().filter(is_shown).map(|(name, value)| (name.clone(), value.clone())).collect();
    AlertRow {
        name: if heard.name().is_empty() { "Without a name".to_owned() } else { heard.name().to_owned() },
        severity: heard.severity().to_owned(),
        is_firing: heard.ends_at.is_none(),
        since: moments.of(heard.starts_at),
        until: heard.ends_at.map(|at| moments.of(at)),
        lasted: length(heard.ends_at.unwrap_or(now).duration_since(heard.starts_at)),
        summary: annotation("summary"),
        description: annotation("description"),
        labels,
        runbook: runbook_of(&heard),
    }
}

/// How long something took, as people say it.
fn length(time: SignedDuration) -> String {
    match time.as_mins() {
        ..1 => "less than a minute".to_owned(),
        minutes @ 1..60 => format!("{minutes} min"),
        minutes @ 60..1_440 => format!("{} h {} min", minutes / 60, minutes % 60),
        minutes => format!("{} d {} h", minutes / 1_440, minutes % 1_440 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_as_people_say_them() {
        let told = |seconds| length(SignedDuration::from_secs(seconds));
        assert_eq!([told(-5), told(59), told(60)], ["less than a minute", "less than a minute", "1 min"]);
        assert_eq!([told(3_599), told(3_660), told(90_000)], ["59 min", "1 h 1 min", "1 d 1 h"]);
    }
}
