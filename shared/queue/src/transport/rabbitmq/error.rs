//! What can be wrong with a broker, and what to do about it.
//!
//! The message is for the log: it holds the reason as the broker, the network or the system words it, which names hosts,
//! users and files. [`BrokerError::shown`] is the same without the reason, for everybody. All of these states may pass
//! while the program runs, so all are tried again.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

/// Why the broker can not be used at the moment. A `reason` is what was heard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerError {
    /// Its name can not be looked up.
    HostUnknown {
        /// What the resolver says.
        reason: String,
    },
    /// Nothing takes connections there.
    Unreachable {
        /// What the network says.
        reason: String,
    },
    /// The file of certificates is no such file.
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The two can not agree on encryption, or the broker's certificate is not trusted.
    Tls {
        /// What the TLS library says.
        reason: String,
    },
    /// Something else listens there.
    NotABroker,
    /// It does not answer in time.
    Silent,
    /// It is older than what was tested.
    TooOld {
        /// What it says it is.
        version: String,
    },
    /// The log-in failed.
    Login,
    /// The virtual host can not be used.
    VirtualHost {
        /// What the broker says.
        reason: String,
    },
    /// The user may not do something.
    Permission {
        /// What the broker says.
        reason: String,
    },
    /// A queue or exchange of the name is not what is needed.
    OtherArguments {
        /// Queue or exchange, with its name.
        what: &'static str,
        /// What the broker says.
        reason: String,
    },
    /// A queue is there but does not work, or vanished.
    Queue {
        /// What the broker says.
        reason: String,
    },
    /// A queue is there and takes no consumer.
    QueueSilent,
    /// A connection that worked has ended.
    Lost {
        /// What was seen of it.
        reason: String,
    },
}

impl BrokerError {
    /// What is wrong and what to do, without names of hosts, users, virtual hosts and files.
    #[must_use]
    pub fn shown(&self) -> Cow<'static, str> {
        match self {
            Self::CaFile { .. } | Self::Permission { .. } | Self::Lost { .. } => {
                format!("{}; the log says more", self.advice()).into()
            }
            _ => self.advice(),
        }
    }

    fn advice(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::HostUnknown { .. } => "the host name of the broker is not known; check the host in queue.url",
            Self::Unreachable { .. } => {
                "the broker can not be reached; check that it runs, and the host and port in queue.url"
            }
            Self::CaFile { .. } => "the file of queue.ca_file can not be used",
            Self::Tls { .. } => {
                "no encrypted connection to the broker can be made; check that the port in queue.url is the one for \
                 amqps, and that queue.ca_file holds the certificate of who vouches for the broker"
            }
            Self::NotABroker => {
                "what answers is no RabbitMQ broker, or wants encryption; check the port in queue.url, and whether it \
                 must begin with amqps://"
            }
            Self::Silent => "the broker does not answer in time; look at its log, and at the network in between",
            Self::TooOld { version } => {
                return format!("RabbitMQ {version} is not supported; use 3.10 or a later one").into();
            }
            Self::Login => {
                "the broker refuses the user or the password; check both in queue.url (some users may only log in from \
                 the broker's own machine)"
            }
            Self::VirtualHost { .. } => {
                "the broker does not let the user into the virtual host of queue.url; make it with `rabbitmqctl \
                 add_vhost`, and let the user in with `rabbitmqctl set_permissions`"
            }
            Self::Permission { .. } => {
                "the broker does not allow something; allow it with `rabbitmqctl set_permissions`"
            }
            Self::OtherArguments { what, .. } => {
                return format!(
                    "{what} was declared with other arguments; delete it, e.g. with `rabbitmqctl delete_queue`, and it \
                     is made anew: no job is lost, the database keeps them"
                )
                .into();
            }
            Self::Queue { .. } => {
                "the queue can not be used; look at it with `rabbitmqctl list_queues name state`, and if it stays so \
                 delete it with `rabbitmqctl delete_queue builds`: no job is lost, the database keeps them"
            }
            Self::QueueSilent => {
                "the queue builds does not answer, as after a crash of the broker right after the queue was made; if it \
                 stays so, it is deleted and made anew: no job is lost, the database keeps them"
            }
            Self::Lost { .. } => "the connection to the broker ended",
        })
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::HostUnknown { reason }
            | Self::Unreachable { reason }
            | Self::CaFile { reason, .. }
            | Self::Tls { reason }
            | Self::VirtualHost { reason }
            | Self::Permission { reason }
            | Self::OtherArguments { reason, .. }
            | Self::Queue { reason }
            | Self::Lost { reason } => Some(reason),
            Self::NotABroker | Self::Silent | Self::QueueSilent | Self::TooOld { .. } | Self::Login => None,
        }
    }
}

impl fmt::Display for BrokerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.advice())?;
        if let Self::CaFile { path, .. } = self {
            write!(f, " ({})", path.display())?;
        }
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

impl std::error::Error for BrokerError {}

impl BrokerError {
    /// What went wrong while the connection was being made. `has_greeted` tells whether a broker introduced itself.
    pub(super) fn of_handshake(error: &Error, has_greeted: bool) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(told) => match told.kind() {
                AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Self::Login,
                AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
                    Self::VirtualHost { reason: told.get_message().to_string() }
                }
                _ => Self::of_session(error),
            },
            ErrorKind::ParsingError(_) | ErrorKind::InvalidProtocolVersion(_) => Self::NotABroker,
            ErrorKind::IOError(_) if !has_greeted => Self::NotABroker,
            _ => Self::of_session(error),
        }
    }

    /// What went wrong on a connection that was there.
    pub(super) fn of_session(error: &Error) -> Self {
        let ErrorKind::ProtocolError(told) = error.kind() else {
            return Self::Lost { reason: error.to_string() };
        };
        let reason = told.get_message().to_string();
        match told.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Self::Permission { reason },
            AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND | AMQPSoftError::RESOURCELOCKED) => Self::Queue { reason },
            _ => Self::Lost { reason },
        }
    }

    /// What went wrong while `what` was declared.
    pub(super) fn of_declaration(error: &Error, what: &'static str) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(told)
                if matches!(told.kind(), AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED)) =>
            {
                Self::OtherArguments { what, reason: told.get_message().to_string() }
            }
            _ => Self::of_session(error),
        }
    }
}
