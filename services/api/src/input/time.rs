//! Times as clients give them: to the moment, or as the clocks of the site show them.

use jiff::civil::DateTime;
use microblog_domain::{SiteTimeZone, Timestamp};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A time that may leave its zone to the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenTime {
    /// Given with its offset from UTC.
    Moment(Timestamp),
    /// Given without: what clocks show where the site is.
    OnSite(DateTime),
}

impl GivenTime {
    /// Reads `2026-11-20T14:03:00Z`, `2026-11-20T14:03+01:00`, `2026-11-20T14:03` or `2026-11-20`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let moment = text.parse().ok().map(Self::Moment);
        moment.or_else(|| text.parse().ok().map(Self::OnSite))
    }

    /// The moment that is meant on a site in this zone; nothing if it lies beyond the calendar. A time that clocks skip
    /// when they are put forward is as much later; of a time that they show twice, the first is meant.
    pub(crate) fn on_site(self, zone: &SiteTimeZone) -> Option<Timestamp> {
        match self {
            Self::Moment(moment) => Some(moment),
            Self::OnSite(time) => time.to_zoned(zone.rules().clone()).ok().map(|zoned| zoned.timestamp()),
        }
    }
}

impl<'de> Deserialize<'de> for GivenTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| {
            D::Error::custom(
                "must be a time such as 2026-11-20T14:03:00Z, or 2026-11-20T14:03 in the time zone of the site",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_berlin(text: &str) -> String {
        let given = GivenTime::read(text).unwrap();
        given.on_site(&"Europe/Berlin".parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_time_without_an_offset_is_that_of_the_site() {
        assert_eq!(in_berlin("2026-11-20T14:03"), "2026-11-20T13:03:00Z");
        assert_eq!(in_berlin("2026-07-01T14:03:30"), "2026-07-01T12:03:30Z");
        assert_eq!(in_berlin("2026-11-20"), "2026-11-19T23:00:00Z");
    }

    #[test]
    fn a_time_with_an_offset_is_that_moment_wherever_the_site_is() {
        assert_eq!(in_berlin("2026-11-20T14:03:00Z"), "2026-11-20T14:03:00Z");
        assert_eq!(in_berlin("2026-11-20T14:03:00-05:00"), "2026-11-20T19:03:00Z");
    }

    #[test]
    fn where_clocks_are_changed_every_time_means_one_moment() {
        // 02:30 did not happen: the clocks went from 02:00 to 03:00.
        assert_eq!(in_berlin("2026-03-29T02:30"), "2026-03-29T01:30:00Z");
        assert_eq!(in_berlin("2026-03-29T03:30"), "2026-03-29T01:30:00Z");
        // 02:30 happened twice.
        assert_eq!(in_berlin("2026-10-25T02:30"), "2026-10-25T00:30:00Z");
        assert_eq!(in_berlin("2026-10-25T02:30:00+01:00"), "2026-10-25T01:30:00Z");
    }

    #[test]
    fn what_is_no_time_or_beyond_the_calendar_is_none() {
        assert_eq!(GivenTime::read("soon"), None);
        let last = GivenTime::read("9999-12-31T23:59:59").unwrap();
        assert_eq!(last.on_site(&"America/New_York".parse().unwrap()), None);
    }
}
