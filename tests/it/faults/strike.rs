//! How each fault is brought about, from outside: by signals, at the wires, by what the broker itself can be told, by taking
//! the room from a disk, by moving a clock. Nothing in the programs is there for this.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

use super::fault::{Dependency, Fault, Part, Wire};
use super::service::Service;
use super::stack::Stack;

/// What ends a fault.
pub(crate) type Remedy<'a> = Box<dyn FnOnce() + 'a>;

impl Fault {
    /// Lets it strike; gives what ends it.
    pub(crate) fn strike<'a>(self, stack: &'a Stack, dice: &mut SmallRng) -> Remedy<'a> {
        match self {
            Self::Kill(part) => strike_part(stack, part, How::Killed, dice),
            Self::Restart(part) => strike_part(stack, part, How::Told, dice),
            Self::KillBoth => {
                let remedies = [Part::Broker, Part::Database].map(|part| strike_part(stack, part, How::Killed, dice));
                Box::new(|| remedies.into_iter().for_each(|remedy| remedy()))
            }
            Self::Wire(wire, dependency) => wire.strike(any(&stack.services(), dice), dependency),
            Self::BrokerMemory => {
                stack.broker.set_memory_alarm(true);
                Box::new(|| stack.broker.set_memory_alarm(false))
            }
            Self::BrokerDisk => {
                stack.set_broker_disk_limit("\"1000000GB\"");
                Box::new(|| stack.set_broker_disk_limit("1000000"))
            }
            Self::ConnectionsClosed => once(|| stack.broker.close_connections()),
            Self::ChannelsClosed => once(|| stack.close_channels()),
            Self::ConsumersCancelled => once(|| stack.cancel_consumers()),
            Self::QueueDeleted => once(|| stack.delete_queue()),
            Self::Undecodable => once(|| stack.send_undecodable()),
            Self::BuildDisk => {
                stack.disk.fill();
                Box::new(|| stack.disk.make_room())
            }
            Self::BuilderPaused => {
                let paused = stack.pause_who_builds();
                Box::new(|| paused.resume_when_replaced())
            }
            Self::ApiPaused => {
                let paused = stack.pause_api(any(&stack.services_of(Part::Api), dice));
                Box::new(|| paused.resume_when_others_went_on())
            }
            Self::Clock(part, minutes) => {
                let service = any(&stack.services_of(part), dice);
                service.shift_clock(minutes);
                Box::new(|| service.shift_clock(0))
            }
        }
    }

    /// Whether it can be had on this machine.
    pub(crate) fn is_possible(self, stack: &Stack) -> bool {
        self != Self::BuildDisk || stack.disk.can_be_full()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Killed,
    Told,
}

fn strike_part<'a>(stack: &'a Stack, part: Part, how: How, dice: &mut SmallRng) -> Remedy<'a> {
    match (part, how) {
        (Part::Api | Part::Builder, How::Killed) => any(&stack.services_of(part), dice).kill(),
        (Part::Api | Part::Builder, How::Told) => any(&stack.services_of(part), dice).terminate(),
        (Part::Broker, How::Killed) => stack.broker.kill(),
        (Part::Broker, How::Told) => stack.broker.stop(),
        (Part::Database, How::Killed) => stack.database.process().kill(),
        (Part::Database, How::Told) => stack.stop_database(),
    }
    match part {
        // Whoever looks after them starts them again.
        Part::Api | Part::Builder => Box::new(|| {}),
        Part::Broker => Box::new(|| stack.start_broker()),
        Part::Database => Box::new(|| stack.start_database()),
    }
}

impl Wire {
    fn strike(self, service: &Service, dependency: Dependency) -> Remedy<'_> {
        let wire = match dependency {
            Dependency::Broker => &service.broker,
            Dependency::Database => &service.database,
        };
        match self {
            Self::Cut => wire.cut(),
            Self::Down => wire.refuse(),
            Self::Frozen => wire.freeze(),
            Self::Slow => wire.delay(Duration::from_millis(200)),
            Self::HalfClosed => wire.half_close(),
            Self::Forgotten => wire.forget(),
        }
        Box::new(|| wire.mend())
    }
}

fn any<'a>(services: &[&'a Service], dice: &mut SmallRng) -> &'a Service {
    services.choose(dice).unwrap()
}

fn once<'a>(strike: impl FnOnce()) -> Remedy<'a> {
    strike();
    Box::new(|| {})
}
