//! What can be wrong with a broker, and what to do about it.
//!
//! No message names the host or shows a password, so that all of them may be shown by health checks. All of these
//! states may pass while the program runs, so all are tried again.

use std::path::PathBuf;

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

/// Why the broker can not be used at the moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// Its name can not be looked up.
    #[error("the host name of the broker is not known ({reason}); check the host in queue.url")]
    HostUnknown {
        /// What the resolver says.
        reason: String,
    },
    /// Nothing takes connections there.
    #[error("the broker can not be reached ({reason}); check that it runs, and the host and port in queue.url")]
    Unreachable {
        /// What the network says.
        reason: String,
    },
    /// The file of certificates is no such file.
    #[error("queue.ca_file {path:?} can not be used: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The two can not agree on encryption, or the broker's certificate is not trusted.
    #[error(
        "no encrypted connection to the broker can be made ({reason}); check that the port in queue.url is the one for \
         amqps, and that queue.ca_file holds the certificate of who vouches for the broker"
    )]
    Tls {
        /// What the TLS library says.
        reason: String,
    },
    /// Something else listens there.
    #[error(
        "what answers is no RabbitMQ broker, or wants encryption; check the port in queue.url, and whether it must begin \
         with amqps://"
    )]
    NotABroker,
    /// It does not answer in time.
    #[error("the broker does not answer in time; look at its log, and at the network in between")]
    Silent,
    /// It is older than what was tested.
    #[error("RabbitMQ {version} is not supported; use 3.10 or a later one")]
    TooOld {
        /// What it says it is.
        version: String,
    },
    /// The log-in failed.
    #[error(
        "the broker refuses the user or the password; check both in queue.url (guest may only log in from the broker's \
         own machine)"
    )]
    Login,
    /// The virtual host can not be used.
    #[error(
        "the broker does not let the user into the virtual host of queue.url ({reason}); make it with `rabbitmqctl \
         add_vhost`, and let the user in with `rabbitmqctl set_permissions`"
    )]
    VirtualHost {
        /// What the broker says.
        reason: String,
    },
    /// The user may not do something.
    #[error("the broker does not allow something ({reason}); allow it with `rabbitmqctl set_permissions`")]
    Permission {
        /// What the broker says.
        reason: String,
    },
    /// A queue or exchange of the name is not what is needed.
    #[error(
        "{what} was declared with other arguments ({reason}); delete it, e.g. with `rabbitmqctl delete_queue`, and it is \
         made anew: no job is lost, the database keeps them"
    )]
    OtherArguments {
        /// Queue or exchange, with its name.
        what: &'static str,
        /// What the broker says.
        reason: String,
    },
    /// A queue is there but does not work, or vanished.
    #[error("the queue can not be used ({reason}); look at it with `rabbitmqctl list_queues name state`")]
    Queue {
        /// What the broker says.
        reason: String,
    },
    /// A connection that worked has ended.
    #[error("the connection to the broker ended ({reason})")]
    Lost {
        /// What was seen of it.
        reason: String,
    },
}

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
