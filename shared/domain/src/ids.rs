//! Identifiers, one type each, so that two of them can not be swapped by mistake.
//!
//! Things that are made in several processes (posts, builds, users, media, tokens) carry a UUID version 7: unique
//! without coordination and sorted by the time of their making. Things that one owner counts (releases, revisions,
//! versions) carry a number.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text was not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be a UUID such as 0190c1d2-7a3b-7c4d-8e5f-0123456789ab")]
pub struct IdError {
    /// Which kind of id was expected, e.g. `post id`.
    pub what: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, unique and later in order than those made before `now`.
            #[must_use]
            pub fn generate(now: Timestamp) -> Self {
                let since_epoch = now.duration_since(Timestamp::UNIX_EPOCH);
                let seconds = u64::try_from(since_epoch.as_secs()).unwrap_or(0);
                let nanos = u32::try_from(since_epoch.subsec_nanos()).unwrap_or(0);
                let ticks = uuid::Timestamp::from_unix(uuid::timestamp::context::ContextV7::new(), seconds, nanos);
                Self(Uuid::new_v7(ticks))
            }

            /// Wraps a UUID that is known to name such a thing (tests, deterministic ids of files).
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError { what: $what })
            }
        }
    };
}

uuid_id!(
    /// Names a post, whatever its slug, through its whole life.
    PostId,
    "post id"
);
uuid_id!(
    /// Names a build, which is also the job that asks for it.
    BuildId,
    "build id"
);
uuid_id!(
    /// Names a person who can log in.
    UserId,
    "user id"
);
uuid_id!(
    /// Names an uploaded file.
    MediaId,
    "media id"
);
uuid_id!(
    /// Names an API token (not the secret itself).
    TokenId,
    "token id"
);
uuid_id!(
    /// Names an installation: a database, and what is made from it. A copy of the database has the same.
    InstallationId,
    "installation id"
);
uuid_id!(
    /// Names an error that happens again and again: what it is, and where.
    ErrorGroupId,
    "error id"
);
uuid_id!(
    /// Names one time that an alert fired.
    AlertId,
    "alert id"
);

macro_rules! counted_id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The one that follows.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NumberError;

            fn from_str(text: &str) -> Result<Self, NumberError> {
                text.parse().map(Self).map_err(|_| NumberError { what: $what })
            }
        }
    };
}

/// The text was not a whole number of the right size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be a whole number, 0 or more")]
pub struct NumberError {
    /// Which kind of number was expected, e.g. `release id`.
    pub what: &'static str,
}

counted_id!(
    /// Numbers the releases of a site in the order of their activation, from 1.
    ReleaseId(u64),
    "release id"
);
counted_id!(
    /// Numbers the saved texts of one post, from 1.
    RevisionNumber(u32),
    "revision number"
);
counted_id!(
    /// Counts the changes of one row; an edit must name the version that it was made from.
    Version(u64),
    "version"
);
counted_id!(
    /// Numbers the changes that readers could notice, over the whole site: a build that has seen number N needs only
    /// what came after it.
    ChangeSeq(u64),
    "change number"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_sorted_by_the_time_of_their_making() {
        let early = PostId::generate(Timestamp::from_second(1_000).unwrap());
        let late = PostId::generate(Timestamp::from_second(2_000).unwrap());
        assert!(early < late);
    }

    #[test]
    fn a_wrong_id_names_what_was_expected() {
        assert_eq!(
            "7".parse::<PostId>().unwrap_err().to_string(),
            "post id must be a UUID such as 0190c1d2-7a3b-7c4d-8e5f-0123456789ab"
        );
        assert_eq!("-1".parse::<ReleaseId>().unwrap_err().to_string(), "release id must be a whole number, 0 or more");
    }
}
