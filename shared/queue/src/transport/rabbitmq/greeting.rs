//! How a broker introduces itself: the first frame that it sends.

use std::sync::{Arc, OnceLock};

use amq_protocol::frame::{AMQPFrame, parse_frame};
use amq_protocol::protocol::AMQPClass;
use amq_protocol::protocol::connection::AMQPMethod;
use amq_protocol::types::{AMQPValue, FieldTable};

use super::error::BrokerError;

/// The oldest version that quorum queues with a delivery limit and dead letters are tested on.
const OLDEST: (u32, u32) = (3, 10);
/// No broker has more to say.
const LONGEST: usize = 64 * 1024;

/// What the broker said of itself, once it has.
#[derive(Debug, Clone, Default)]
pub(super) struct Greeting(Arc<OnceLock<Broker>>);

#[derive(Debug, PartialEq, Eq)]
struct Broker {
    product: String,
    version: String,
}

impl Greeting {
    /// Whether it was a broker that answered.
    pub(super) fn is_there(&self) -> bool {
        self.0.get().is_some()
    }

    /// Refuses versions of RabbitMQ that are too old. Other products are taken as they are.
    pub(super) fn check_version(&self) -> Result<(), BrokerError> {
        match self.0.get() {
            Some(broker) if broker.product == "RabbitMQ" && is_too_old(&broker.version) => {
                Err(BrokerError::TooOld { version: broker.version.clone() })
            }
            _ => Ok(()),
        }
    }
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) < OLDEST)
}

/// Listens to what comes in until the greeting is complete.
pub(super) struct Overheard {
    greeting: Greeting,
    so_far: Option<Vec<u8>>,
}

impl Overheard {
    pub(super) fn new(greeting: Greeting) -> Self {
        Self { greeting, so_far: Some(Vec::new()) }
    }

    pub(super) fn take_in(&mut self, bytes: &[u8]) {
        let Some(so_far) = &mut self.so_far else { return };
        so_far.extend_from_slice(bytes);
        match parse_frame(&so_far[..]) {
            Ok((_, frame)) => {
                if let Some(broker) = introduction(frame) {
                    // The wire has one greeting.
                    let _ = self.greeting.0.set(broker);
                }
                self.so_far = None;
            }
            Err(error) if error.is_incomplete() && so_far.len() < LONGEST => {}
            Err(_) => self.so_far = None,
        }
    }
}

fn introduction(frame: AMQPFrame) -> Option<Broker> {
    let AMQPFrame::Method(_, AMQPClass::Connection(AMQPMethod::Start(start))) = frame else { return None };
    let text = |name| text_of(&start.server_properties, name);
    Some(Broker { product: text("product"), version: text("version") })
}

fn text_of(properties: &FieldTable, name: &str) -> String {
    match properties.inner().get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use amq_protocol::frame::{WriteContext, gen_frame};
    use amq_protocol::protocol::connection::Start;

    use super::*;

    fn greeting_of(product: &str, version: &str) -> Vec<u8> {
        let mut server_properties = FieldTable::default();
        for (name, value) in [("product", product), ("version", version)] {
            server_properties.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        let (mechanisms, locales) = ("PLAIN".into(), "en_US".into());
        let start = Start { version_major: 0, version_minor: 9, server_properties, mechanisms, locales };
        let frame = AMQPFrame::Method(0, AMQPClass::Connection(AMQPMethod::Start(start)));
        let written = gen_frame(&frame)(WriteContext::from(Vec::new())).unwrap();
        written.into_inner().0
    }

    fn overhear(bytes: &[u8], piece: usize) -> Greeting {
        let greeting = Greeting::default();
        let mut overheard = Overheard::new(greeting.clone());
        for piece in bytes.chunks(piece) {
            overheard.take_in(piece);
        }
        greeting
    }

    #[test]
    fn a_greeting_is_understood_however_it_is_cut_into_pieces() {
        let mut bytes = greeting_of("RabbitMQ", "3.9.27");
        bytes.extend_from_slice(b"what follows is none of our business");
        for piece in [1, 7, 4096] {
            let told = overhear(&bytes, piece).check_version();
            assert_eq!(told, Err(BrokerError::TooOld { version: "3.9.27".to_owned() }), "{piece}");
        }
    }

    #[test]
    fn versions_from_3_10_on_and_other_products_are_taken() {
        for (product, version) in [
            ("RabbitMQ", "3.10.0"),
            ("RabbitMQ", "3.13.7"),
            ("RabbitMQ", "4.0.5"),
            ("RabbitMQ", "10.1.0"),
            ("RabbitMQ", "unknown"),
            ("LavinMQ", "2.1.0"),
        ] {
            let greeting = overhear(&greeting_of(product, version), 4096);
            assert_eq!((greeting.is_there(), greeting.check_version()), (true, Ok(())), "{product} {version}");
        }
    }

    #[test]
    fn what_is_no_greeting_is_passed_over() {
        for bytes in [b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), vec![1; 2 * LONGEST], b"AMQP\0\0\x09\x01".to_vec()]
        {
            assert!(!overhear(&bytes, 512).is_there());
        }
    }
}
