//! Dates as people write them in front matter.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// Reads a date; one without a zone is in the site's.
pub(crate) fn read(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    let text = normalised(text.trim());
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp);
    }
    if let Ok(timestamp) = rfc2822::DateTimeParser::new().parse_timestamp(&text) {
        return Ok(timestamp);
    }
    let local: DateTime = text.parse().map_err(|error: jiff::Error| explain(&text, &error))?;
    zone.to_ambiguous_timestamp(local).compatible().map_err(|error| explain(&text, &error))
}

fn explain(text: &str, error: &jiff::Error) -> String {
    format!("{text:?} is not a date ({error}); write it like 2024-01-31 or 2024-01-31T10:00:00+02:00")
}

/// Brings `2024/1/5 10:00:00 +0200` and `… UTC` into the form that the parser knows.
fn normalised(text: &str) -> String {
    let (date, time) = match text.find([' ', 'T', 't']) {
        Some(at) if text[..at].starts_with(|c: char| c.is_ascii_digit()) => text.split_at(at),
        _ => (text, ""),
    };
    let mut time = time.to_owned();
    for zone in [" UTC", " GMT", " Z"] {
        if let Some(before) = time.strip_suffix(zone) {
            time = format!("{before}Z");
        }
    }
    for sign in [" +", " -"] {
        if let Some((clock, offset)) = time.split_once(sign) {
            time = format!("{clock}{}{offset}", &sign[1..]);
        }
    }
    padded(date).unwrap_or_else(|| date.to_owned()) + &time
}

/// `2024/1/5` as `2024-01-05`; nothing if it is not of that shape.
fn padded(date: &str) -> Option<String> {
    let parts: Vec<&str> = date.split(['-', '/']).collect();
    let [year, month, day] = parts[..] else { return None };
    let is_number = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (year.len() == 4 && is_number(year, 4) && is_number(month, 2) && is_number(day, 2))
        .then(|| format!("{year}-{month:0>2}-{day:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_shapes_are_read() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for (text, expected) in [
            ("2024-01-31", "2024-01-30T23:00:00Z"),
            ("2024-1-5", "2024-01-04T23:00:00Z"),
            ("2024/01/31", "2024-01-30T23:00:00Z"),
            ("2024-01-31 10:00", "2024-01-31T09:00:00Z"),
            ("2024-07-31 10:00:00", "2024-07-31T08:00:00Z"),
            ("2024-01-31T10:00:00", "2024-01-31T09:00:00Z"),
            ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
            ("2024-01-31T10:00:00.25+05:30", "2024-01-31T04:30:00.25Z"),
            ("2024-01-31 10:00:00 +0200", "2024-01-31T08:00:00Z"),
            ("2024-01-31 10:00:00 -07:00", "2024-01-31T17:00:00Z"),
            ("2024-01-31 10:00:00 UTC", "2024-01-31T10:00:00Z"),
            (" 2024-01-31t10:00z ", "2024-01-31T10:00:00Z"),
            ("Wed, 31 Jan 2024 10:00:00 +0200", "2024-01-31T08:00:00Z"),
            ("2024-03-31 02:30", "2024-03-31T01:30:00Z"),
        ] {
            assert_eq!(read(text, &zone).map(|date| date.to_string()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_dates_say_why_and_what_is_expected() {
        for text in ["", "tomorrow", "2024-13-01", "2024-02-30", "31.01.2024", "10:00:00", "2024-01-31 25:00", "20240"]
        {
            let error = read(text, &TimeZone::UTC).unwrap_err();
            assert!(error.contains("is not a date") && error.contains("2024-01-31"), "{error}");
        }
    }
}
