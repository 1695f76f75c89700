//! The forms that values take: how each is written and what is told when it is not.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use microblog_domain::{DatabaseUrl, QueueUrl};

/// A value that can be read from text.
pub(crate) trait Setting: Sized {
    /// Reads it, or says what is expected instead.
    fn read(text: &str) -> Result<Self, String>;

    /// The text as it may be shown to whoever looks at the screen or the log; `None` hides it.
    fn shown(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl Setting for String {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for PathBuf {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.contains('\0') {
            return Err("the path of a folder or file".to_owned());
        }
        Ok(Self::from(text))
    }
}

impl Setting for bool {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "true or false".to_owned())
    }
}

impl Setting for u16 {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "a whole number from 0 to 65535".to_owned())
    }
}

impl Setting for u32 {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "a whole number, 0 or more".to_owned())
    }
}

/// `:8000` means the port on all addresses of the machine.
impl Setting for SocketAddr {
    fn read(text: &str) -> Result<Self, String> {
        let port_only = text.strip_prefix(':').and_then(|port| port.parse().ok());
        port_only
            .map(|port| Self::from((Ipv4Addr::UNSPECIFIED, port)))
            .or_else(|| text.parse().ok())
            .ok_or_else(|| "an address and a port such as 127.0.0.1:8000, or :8000 for all addresses".to_owned())
    }
}

impl Setting for Duration {
    fn read(text: &str) -> Result<Self, String> {
        let seconds_of = |unit: &str| match unit {
            "s" => Some(1),
            "m" => Some(60),
            "h" => Some(60 * 60),
            "d" => Some(24 * 60 * 60),
            _ => None,
        };
        number_with_unit(text, seconds_of)
            .map(Self::from_secs)
            .ok_or_else(|| "a length of time such as 30s, 15m, 12h or 30d".to_owned())
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// So many times 1,048,576 bytes.
    #[must_use]
    pub const fn mebibytes(count: u64) -> Self {
        Self(count * 1024 * 1024)
    }
}

impl Setting for ByteSize {
    fn read(text: &str) -> Result<Self, String> {
        let bytes_of = |unit: &str| match unit.to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "kib" => Some(1 << 10),
            "mib" => Some(1 << 20),
            "gib" => Some(1 << 30),
            "kb" => Some(1_000),
            "mb" => Some(1_000_000),
            "gb" => Some(1_000_000_000),
            _ => None,
        };
        number_with_unit(text, bytes_of).map(Self).ok_or_else(|| "a size such as 512 KiB, 20 MiB or 1 GiB".to_owned())
    }
}

fn number_with_unit(text: &str, factor_of: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    number.parse::<u64>().ok()?.checked_mul(factor_of(unit.trim())?)
}

/// How often something may be done in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerMinute(pub NonZeroU32);

impl PerMinute {
    /// `count` times a minute; 0 counts as 1.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        match NonZeroU32::new(count) {
            Some(count) => Self(count),
            None => Self(NonZeroU32::MIN),
        }
    }
}

impl Setting for PerMinute {
    fn read(text: &str) -> Result<Self, String> {
        let count = text.parse().ok().filter(|count: &NonZeroU32| count.get() <= 1_000_000);
        count.map(Self).ok_or_else(|| "a number of times a minute, from 1 to 1000000".to_owned())
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people when the output is a terminal, else JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Setting for LogFormat {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err("auto, json or text".to_owned()),
        }
    }
}

/// The URL of a database server may hold a password, so only that of a file is ever shown.
impl Setting for DatabaseUrl {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error| {
            format!(
                "the address of a database, such as sqlite:///var/lib/microblog/microblog.db or \
                 postgres://user:password@host:5432/microblog ({error})"
            )
        })
    }

    fn shown(text: &str) -> Option<String> {
        text.starts_with("sqlite:").then(|| text.to_owned())
    }
}

/// A secret that whoever runs the site has chosen. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ChosenSecret(String);

impl ChosenSecret {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ChosenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChosenSecret(…)")
    }
}

/// Too long to be guessed.
impl Setting for ChosenSecret {
    fn read(text: &str) -> Result<Self, String> {
        let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        let is_fine = (24..=200).contains(&text.len()) && text.bytes().all(is_usual);
        is_fine.then(|| Self(text.to_owned())).ok_or_else(|| {
            "24 to 200 letters, digits, '-', '_', '.' or '~', such as `openssl rand -hex 32` makes".to_owned()
        })
    }

    fn shown(_: &str) -> Option<String> {
        None
    }
}

/// The URL of a broker may hold a password, too.
impl Setting for QueueUrl {
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error| {
            format!("embedded: or the address of a broker such as amqps://user:password@mq.example.org/vhost ({error})")
        })
    }

    fn shown(text: &str) -> Option<String> {
        (!text.contains('@')).then(|| text.to_owned())
    }
}

/// Some addresses of the internet: those that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    first: IpAddr,
    bits: u8,
}

impl AddressRange {
    /// Whether the address is one of them. An IPv4 address in IPv6 form counts as the IPv4 address that it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                (u32::from(first) ^ u32::from(address)).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                (u128::from(first) ^ u128::from(address)).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// Not a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("addresses or ranges such as 10.0.0.0/8, 192.0.2.7 or ::1")]
pub struct AddressRangeError;

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| AddressRangeError)?)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().map_err(|_| AddressRangeError)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(AddressRangeError) } else { Ok(Self { first, bits }) }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl Setting for Vec<AddressRange> {
    fn read(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| part.parse().map_err(|error: AddressRangeError| error.to_string())).collect()
    }
}

/// Types of the domain say themselves what is wrong; here it is told as what is expected.
macro_rules! domain_settings {
    ($($type:ty => $expected:literal),+ $(,)?) => {
        $(impl Setting for $type {
            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error| format!("{} ({error})", $expected))
            }
        })+
    };
}

domain_settings! {
    microblog_domain::BaseUrl => "the address of the site such as https://blog.example.org",
    microblog_domain::SiteTimeZone => "a time zone such as Europe/Berlin",
    microblog_domain::PermalinkPattern => "a pattern such as /{yyyy}/{mm}/{slug}/",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_and_sizes_have_units() {
        assert_eq!(Duration::read("30d"), Ok(Duration::from_secs(2_592_000)));
        assert_eq!(ByteSize::read("20 MiB"), Ok(ByteSize::mebibytes(20)));
        assert_eq!(ByteSize::read("1GB"), Ok(ByteSize(1_000_000_000)));
        for wrong in ["", "s", "30", "-1s", "1.5h", "99999999999999999999s", "18446744073709551615d", "5 weeks"] {
            assert!(Duration::read(wrong).is_err(), "{wrong}");
        }
        assert!(ByteSize::read("20 MiBs").is_err());
    }

    #[test]
    fn a_port_alone_means_all_addresses() {
        assert_eq!(SocketAddr::read(":8001"), Ok("0.0.0.0:8001".parse().unwrap()));
        assert_eq!(SocketAddr::read("[::1]:80"), Ok("[::1]:80".parse().unwrap()));
        for wrong in ["localhost:8000", "127.0.0.1", ":", ":70000", "8000"] {
            assert!(SocketAddr::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_hold_the_addresses_that_begin_alike() {
        let range = |text: &str| text.parse::<AddressRange>().unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(range("10.0.0.0/8").contains(address("10.255.0.1")));
        assert!(!range("10.0.0.0/8").contains(address("11.0.0.1")));
        assert!(range("127.0.0.1").contains(address("::ffff:127.0.0.1")));
        assert!(range("0.0.0.0/0").contains(address("203.0.113.9")));
        assert!(!range("0.0.0.0/0").contains(address("2001:db8::1")));
        assert!(range("2001:db8::/32").contains(address("2001:db8:1::1")));
        assert!("10.0.0.0/33".parse::<AddressRange>().is_err());
    }

    #[test]
    fn the_secret_of_the_set_up_link_is_long_and_never_shown() {
        assert!(ChosenSecret::read("short").is_err() && ChosenSecret::read(&"a b".repeat(10)).is_err());
        let token = ChosenSecret::read("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!((format!("{token:?}").as_str(), ChosenSecret::shown("x")), ("ChosenSecret(…)", None));
    }

    #[test]
    fn the_url_of_a_server_is_shown_unless_it_may_hold_a_password() {
        assert_eq!(DatabaseUrl::shown("sqlite:data/").as_deref(), Some("sqlite:data/"));
        assert_eq!(DatabaseUrl::shown("mysql://root:hunter2@db/x"), None);
        assert_eq!(QueueUrl::shown("kafka://root:hunter2@mq/x"), None);
        assert_eq!(DatabaseUrl::shown("postgres://db/x?passwd=hunter2"), None);
    }
}
