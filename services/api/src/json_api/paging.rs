//! Lists in pages, each of which begins where the last one ended, whatever was added or removed meanwhile.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use microblog_domain::Timestamp;
use microblog_store::TimeCursor;
use serde::Serialize;

use crate::input::{Fields, FromFields};

/// The most that one page holds.
const MAX_LIMIT: u32 = 100;
/// What one holds if the client does not say.
const DEFAULT_LIMIT: u32 = 20;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct PageBody<T> {
    pub(crate) items: Vec<T>,
    /// To be sent as `cursor` for the next page; missing on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

impl<T> PageBody<T> {
    /// Of a list that was read with one more than `limit`; `cursor` tells where an item stands.
    pub(crate) fn of(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| has_more).map(cursor);
        Self { items, next_cursor }
    }
}

/// Which page the client wants.
#[derive(Debug)]
pub(crate) struct PageQuery<C> {
    pub(crate) limit: u32,
    pub(crate) cursor: Option<C>,
}

impl<C: FromStr> PageQuery<C> {
    /// Takes `limit` and `cursor`.
    pub(crate) fn take(fields: &mut Fields) -> Self {
        let limit = fields.parsed("limit").unwrap_or(DEFAULT_LIMIT);
        fields.check((1..=MAX_LIMIT).contains(&limit), "limit", "must be a number from 1 to 100");
        let text = fields.optional::<String>("cursor");
        let cursor = text.and_then(|text| {
            let cursor = text.parse().ok();
            fields.check(cursor.is_some(), "cursor", "must be the next_cursor of the page before");
            cursor
        });
        Self { limit, cursor }
    }
}

impl<C: FromStr> FromFields for PageQuery<C> {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Some(Self::take(fields))
    }
}

/// Where a page ended of a list that is ordered by time. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor<Id>(pub(crate) TimeCursor<Id>);

impl<Id: ToString> Cursor<Id> {
    /// Behind this entry.
    pub(crate) fn behind(at: Timestamp, id: Id) -> Self {
        Self(TimeCursor { at, id })
    }

    pub(crate) fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.0.at.as_microsecond(), self.0.id.to_string()))
    }
}

/// Not a cursor of ours.
#[derive(Debug)]
pub(crate) struct NotACursor;

impl<Id: FromStr> FromStr for Cursor<Id> {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotACursor)?;
        let text = String::from_utf8(bytes).map_err(|_| NotACursor)?;
        let (micros, id) = text.split_once(' ').ok_or(NotACursor)?;
        let micros = micros.parse().map_err(|_| NotACursor)?;
        let at = Timestamp::from_microsecond(micros).map_err(|_| NotACursor)?;
        Ok(Self(TimeCursor { at, id: id.parse().map_err(|_| NotACursor)? }))
    }
}

#[cfg(test)]
mod tests {
    use microblog_domain::PostId;

    use super::*;

    #[test]
    fn a_cursor_survives_the_way_to_the_client_and_back() {
        let at = Timestamp::from_microsecond(1_800_000_000_123_456).unwrap();
        let cursor = Cursor::behind(at, PostId::generate(at));
        assert_eq!(cursor.to_text().parse::<Cursor<PostId>>().ok(), Some(cursor));
        for wrong in ["", "x", "MTIz", "!"] {
            assert!(wrong.parse::<Cursor<PostId>>().is_err(), "{wrong}");
        }
    }
}
