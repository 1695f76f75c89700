//! Addresses of queues: `embedded:`, or a RabbitMQ broker such as `amqps://blog:secret@mq.example.org/blog`.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Why a text is not the address of a queue. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueueUrlError {
    /// It begins with something else.
    #[error("it must be embedded: or begin with amqp:// or amqps://")]
    Scheme,
    /// It goes on after the virtual host.
    #[error("it takes no parameters; in a name or password, write ? as %3F, # as %23, / as %2F and @ as %40")]
    Parameters,
    /// A part of it, once decoded, is not text.
    #[error("the name, password and virtual host must be UTF-8 of at most 255 bytes, without control characters")]
    Text,
    /// It names no host.
    #[error("the name of the broker's host is missing")]
    NoHost,
    /// The port is no number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
}

/// Where build jobs are announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueUrl {
    /// Within the process; the database is the queue.
    Embedded,
    /// A RabbitMQ broker.
    Amqp(AmqpUrl),
}

/// Where a broker is and who logs in there. Neither `Debug` nor `Display` show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct AmqpUrl {
    tls: bool,
    host: String,
    port: u16,
    user: String,
    password: String,
    vhost: String,
}

impl AmqpUrl {
    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.tls
    }

    /// The name or address of the host, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Who logs in; `guest` unless given.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Their password, which must not be shown anywhere.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The virtual host; `/` unless given.
    #[must_use]
    pub fn vhost(&self) -> &str {
        &self.vhost
    }
}

impl FromStr for QueueUrl {
    type Err = QueueUrlError;

    fn from_str(given: &str) -> Result<Self, QueueUrlError> {
        if given == "embedded:" {
            return Ok(Self::Embedded);
        }
        let (tls, rest) = match given.split_once("://").ok_or(QueueUrlError::Scheme)? {
            ("amqp", rest) => (false, rest),
            ("amqps", rest) => (true, rest),
            _ => return Err(QueueUrlError::Scheme),
        };
        parse_amqp(tls, rest).map(Self::Amqp)
    }
}

fn parse_amqp(tls: bool, rest: &str) -> Result<AmqpUrl, QueueUrlError> {
    if rest.contains(['?', '#']) {
        return Err(QueueUrlError::Parameters);
    }
    let (authority, vhost) = rest.split_once('/').unwrap_or((rest, ""));
    if vhost.contains('/') {
        return Err(QueueUrlError::Parameters);
    }
    let (login, host) = authority.rsplit_once('@').unwrap_or(("guest:guest", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = split_port(host)?;
    let default_port = if tls { 5671 } else { 5672 };
    let port =
        port.map_or(Ok(default_port), |port| port.parse().ok().filter(|port| *port > 0).ok_or(QueueUrlError::Port))?;
    let vhost = if vhost.is_empty() { "/".to_owned() } else { decoded(vhost)? };
    let host = decoded(host)?;
    if host.is_empty() {
        return Err(QueueUrlError::NoHost);
    }
    Ok(AmqpUrl { tls, host, port, user: decoded(user)?, password: decoded(password)?, vhost })
}

/// Separates the port. The colons of an IPv6 address stand in brackets.
fn split_port(host: &str) -> Result<(&str, Option<&str>), QueueUrlError> {
    let Some(bracketed) = host.strip_prefix('[') else {
        return Ok(host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))));
    };
    let (address, rest) = bracketed.split_once(']').ok_or(QueueUrlError::NoHost)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((address, Some(port))),
        None if rest.is_empty() => Ok((address, None)),
        None => Err(QueueUrlError::Port),
    }
}

/// AMQP has room for 255 bytes.
fn decoded(text: &str) -> Result<String, QueueUrlError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| QueueUrlError::Text)?;
    if text.len() > 255 || text.chars().any(char::is_control) {
        return Err(QueueUrlError::Text);
    }
    Ok(text.into_owned())
}

impl fmt::Display for QueueUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded:"),
            Self::Amqp(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let scheme = if self.tls { "amqps" } else { "amqp" };
        write!(f, "{scheme}://{}@", encoded(&self.user))?;
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        write!(f, ":{}/{}", self.port, encoded(&self.vhost))
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amqp(text: &str) -> AmqpUrl {
        match text.parse() {
            Ok(QueueUrl::Amqp(url)) => url,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_an_address_leaves_out_is_what_brokers_come_with() {
        for text in ["amqp://mq", "amqp://mq/", "amqp://mq:5672/%2F", "amqp://guest:guest@mq:5672"] {
            let url = amqp(text);
            assert_eq!((url.host(), url.port(), url.vhost()), ("mq", 5672, "/"), "{text}");
            assert_eq!((url.user(), url.password(), url.is_encrypted()), ("guest", "guest", false), "{text}");
        }
        assert_eq!((amqp("amqps://mq").port(), amqp("amqps://mq").is_encrypted()), (5671, true));
    }

    #[test]
    fn names_and_passwords_may_hold_anything_once_escaped() {
        let url = amqp("amqp://b%40log:s%2Fe%3Fc:r%25t@[::1]:7000/my%20blog");
        assert_eq!((url.user(), url.password()), ("b@log", "s/e?c:r%t"));
        assert_eq!((url.host(), url.port(), url.vhost()), ("::1", 7000, "my blog"));
    }

    #[test]
    fn the_password_is_never_shown() {
        let url = QueueUrl::Amqp(amqp("amqps://blog:hunter2@mq.example.org/blog"));
        assert_eq!(url.to_string(), "amqps://blog@mq.example.org:5671/blog");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("kafka://mq", QueueUrlError::Scheme),
            ("embedded", QueueUrlError::Scheme),
            ("amqp:mq", QueueUrlError::Scheme),
            ("amqp://", QueueUrlError::NoHost),
            ("amqp://user:secret@/blog", QueueUrlError::NoHost),
            ("amqp://[::1/blog", QueueUrlError::NoHost),
            ("amqp://mq:0", QueueUrlError::Port),
            ("amqp://mq:70000", QueueUrlError::Port),
            ("amqp://[::1]5672", QueueUrlError::Port),
            ("amqp://mq/a/b", QueueUrlError::Parameters),
            ("amqp://mq?heartbeat=0", QueueUrlError::Parameters),
            ("amqp://%FF@mq", QueueUrlError::Text),
            ("amqp://mq/%00", QueueUrlError::Text),
        ] {
            assert_eq!(text.parse::<QueueUrl>(), Err(reason), "{text}");
        }
    }
}
