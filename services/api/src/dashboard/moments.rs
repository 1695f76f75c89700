//! Times as people read them, in the time zone of the site.

use microblog_domain::{SiteTimeZone, Timestamp};
use serde::Serialize;

use crate::input::GivenTime;

/// A time for the element `time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    /// For programs.
    pub(super) iso: String,
    /// For people: `today, 14:03`, or `20 Nov 2026, 14:03`.
    pub(super) text: String,
}

/// Writes and reads times, as seen at one time in one zone.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    zone: SiteTimeZone,
    now: Timestamp,
}

/// As the field of a form for date and time writes it.
const LOCAL_FORM: &str = "%Y-%m-%dT%H:%M:%S";

impl Moments {
    pub(super) fn new(zone: SiteTimeZone, now: Timestamp) -> Self {
        Self { zone, now }
    }

    /// The name of the zone.
    pub(super) fn zone(&self) -> String {
        self.zone.clone().into()
    }

    /// A time for people.
    pub(super) fn of(&self, at: Timestamp) -> Moment {
        let zoned = at.to_zoned(self.zone.rules().clone());
        let today = self.now.to_zoned(self.zone.rules().clone()).date();
        let text = match zoned.date() {
            day if day == today => format!("today, {}", zoned.strftime("%H:%M")),
            day if day.tomorrow().ok() == Some(today) => format!("yesterday, {}", zoned.strftime("%H:%M")),
            _ => zoned.strftime("%-d %b %Y, %H:%M").to_string(),
        };
        // HTML knows no finer fractions.
        Moment { iso: format!("{at:.3}"), text }
    }

    /// The time of day to the millisecond.
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.rules().clone()).strftime("%H:%M:%S%.3f").to_string()
    }

    /// A time for a field of a form.
    pub(super) fn local(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.rules().clone()).strftime(LOCAL_FORM).to_string()
    }

    /// The time that a field of a form holds, which need not name seconds. `before` is the one that the field was
    /// filled with: unchanged, it keeps the fractions of a second that fields can not show.
    pub(super) fn read_local(&self, text: &str, before: Option<Timestamp>) -> Option<Timestamp> {
        if let Some(before) = before.filter(|before| self.local(*before) == text) {
            return Some(before);
        }
        GivenTime::read(text)?.on_site(&self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments() -> Moments {
        Moments::new("Europe/Berlin".parse().unwrap(), "2026-11-20T23:30:00Z".parse().unwrap())
    }

    #[test]
    fn the_day_is_that_of_the_site() {
        let text = |at: &str| moments().of(at.parse().unwrap()).text;
        assert_eq!(text("2026-11-20T23:05:00Z"), "today, 00:05");
        assert_eq!(text("2026-11-20T22:59:00Z"), "yesterday, 23:59");
        assert_eq!(text("2026-07-01T10:00:00Z"), "1 Jul 2026, 12:00");
    }

    #[test]
    fn a_date_that_nobody_touched_stays_as_it_was_to_the_microsecond() {
        let exact: Timestamp = "2026-11-20T09:15:30.123456Z".parse().unwrap();
        let shown = moments().local(exact);
        assert_eq!(shown, "2026-11-20T10:15:30");
        assert_eq!(moments().read_local(&shown, Some(exact)), Some(exact));
        assert_eq!(moments().read_local(&shown, None).unwrap().to_string(), "2026-11-20T09:15:30Z");
        assert_eq!(moments().read_local("2026-11-20T10:15", Some(exact)).unwrap().to_string(), "2026-11-20T09:15:00Z");
        assert_eq!(moments().read_local("soon", None), None);
    }
}
