//! What can go wrong. Each fault strikes ([`super::strike`]), lasts, and passes; what has to come back then is everything.

use std::fmt;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::SmallRng;

/// A part of the system that is a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Api,
    Builder,
    Broker,
    Database,
}

/// What services depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependency {
    Broker,
    Database,
}

/// What becomes of the wire between one service and what it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Connections end, and new ones are made.
    Cut,
    /// Connections end, and no new ones come about.
    Down,
    /// Nothing passes, and nobody is told.
    Frozen,
    /// Everything is late.
    Slow,
    /// The other side hears no more; the service does.
    HalfClosed,
    /// Nothing passes any more on the connections that there are, and nobody is told; new ones work. So does a firewall
    /// that was restarted.
    Forgotten,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL.
    Kill(Part),
    /// SIGTERM, and started again.
    Restart(Part),
    /// Broker and database are killed at once.
    KillBoth,
    Wire(Wire, Dependency),
    /// Publishers are blocked, for want of memory.
    BrokerMemory,
    /// Publishers are blocked, for want of room.
    BrokerDisk,
    /// The broker ends all connections.
    ConnectionsClosed,
    /// The broker ends channels and leaves connections open.
    ChannelsClosed,
    /// The broker cancels consumers and leaves their channels open.
    ConsumersCancelled,
    /// The queue is removed with all that it holds; its consumers are cancelled.
    QueueDeleted,
    /// A message comes that nobody can read.
    Undecodable,
    /// No room for releases.
    BuildDisk,
    /// The builder that has the build is stopped for longer than its lease lasts, and then goes on.
    BuilderPaused,
    /// One replica of the API is stopped in the middle of whatever it does, and then goes on.
    ApiPaused,
    /// The clock of one service jumps by so many minutes.
    Clock(Part, i64),
}

/// All that can go wrong.
pub(crate) const ALL: [Fault; 39] = {
    use Part::{Api, Broker, Builder, Database};
    [
        Fault::Kill(Api),
        Fault::Kill(Builder),
        Fault::Kill(Broker),
        Fault::Kill(Database),
        Fault::Restart(Api),
        Fault::Restart(Builder),
        Fault::Restart(Broker),
        Fault::Restart(Database),
        Fault::KillBoth,
        Fault::Wire(Wire::Cut, Dependency::Broker),
        Fault::Wire(Wire::Cut, Dependency::Database),
        Fault::Wire(Wire::Down, Dependency::Broker),
        Fault::Wire(Wire::Down, Dependency::Database),
        Fault::Wire(Wire::Frozen, Dependency::Broker),
        Fault::Wire(Wire::Frozen, Dependency::Database),
        Fault::Wire(Wire::Slow, Dependency::Broker),
        Fault::Wire(Wire::Slow, Dependency::Database),
        Fault::Wire(Wire::HalfClosed, Dependency::Broker),
        Fault::Wire(Wire::HalfClosed, Dependency::Database),
        Fault::Wire(Wire::Forgotten, Dependency::Broker),
        Fault::Wire(Wire::Forgotten, Dependency::Database),
        Fault::BrokerMemory,
        Fault::BrokerDisk,
        Fault::ConnectionsClosed,
        Fault::ChannelsClosed,
        Fault::ConsumersCancelled,
        Fault::QueueDeleted,
        Fault::Undecodable,
        Fault::BuildDisk,
        Fault::BuilderPaused,
        Fault::ApiPaused,
        Fault::Clock(Api, 5),
        Fault::Clock(Api, -5),
        Fault::Clock(Api, 60),
        Fault::Clock(Api, -60),
        Fault::Clock(Builder, 5),
        Fault::Clock(Builder, -5),
        Fault::Clock(Builder, 60),
        Fault::Clock(Builder, -60),
    ]
};

impl Fault {
    /// How long it lasts.
    pub(crate) fn lasts(self, dice: &mut SmallRng) -> Duration {
        let milliseconds = match self {
            // The lease lasts ten seconds.
            Self::BuilderPaused => 12_000..14_000,
            // A transaction may stand still for five.
            Self::ApiPaused => 6_000..9_000,
            Self::Wire(Wire::Frozen, _) => 2_000..9_000,
            Self::Wire(Wire::Cut | Wire::Forgotten, _)
            | Self::ConnectionsClosed
            | Self::ChannelsClosed
            | Self::ConsumersCancelled
            | Self::QueueDeleted
            | Self::Undecodable
            | Self::Kill(Part::Api | Part::Builder)
            | Self::Restart(_) => 0..1,
            _ => 1_000..5_000,
        };
        Duration::from_millis(dice.random_range(milliseconds))
    }

    /// Whether both can strike at once.
    pub(crate) fn goes_with(self, other: Self) -> bool {
        let both = |is: fn(Self) -> bool| is(self) && is(other);
        let meet =
            |one: fn(Self) -> bool, two: fn(Self) -> bool| (one(self) && two(other)) || (two(self) && one(other));
        let is_other = self != other;
        let reaches_the_broker = !both(Self::takes_broker) && !meet(Self::takes_broker, Self::needs_broker);
        let processes = ![Self::needs_database, Self::needs_builder, Self::needs_api].map(both).contains(&true);
        // A builder that starts asks for a build, too.
        let hides = |it: Self| it.needs_writers() || it.needs_builder();
        let shows = !meet(hides, Self::is_hidden_by_writers);
        is_other && reaches_the_broker && processes && shows
    }

    /// Whether edits that come afterwards could make good what it did to those before.
    pub(crate) fn is_hidden_by_writers(self) -> bool {
        matches!(self, Self::BuildDisk | Self::Kill(Part::Broker | Part::Database))
    }

    /// Whether it needs writers at work, to find its moment and to see that others go on.
    pub(crate) fn needs_writers(self) -> bool {
        matches!(self, Self::BuilderPaused | Self::ApiPaused)
    }

    /// Whether the broker is of no use to others meanwhile. A message that is sent must not be lost on its way.
    fn takes_broker(self) -> bool {
        use Part::Broker;
        matches!(self, Self::Kill(Broker) | Self::Restart(Broker) | Self::KillBoth | Self::Undecodable)
    }

    fn needs_broker(self) -> bool {
        matches!(
            self,
            Self::BrokerMemory
                | Self::BrokerDisk
                | Self::ConnectionsClosed
                | Self::ChannelsClosed
                | Self::ConsumersCancelled
                | Self::QueueDeleted
        )
    }

    fn needs_database(self) -> bool {
        matches!(self, Self::Kill(Part::Database) | Self::Restart(Part::Database) | Self::KillBoth)
            || self.needs_writers()
    }

    /// One that is paused hears of nothing.
    fn needs_builder(self) -> bool {
        matches!(self, Self::Kill(Part::Builder) | Self::Restart(Part::Builder) | Self::BuilderPaused)
    }

    fn needs_api(self) -> bool {
        matches!(self, Self::Kill(Part::Api) | Self::Restart(Part::Api) | Self::ApiPaused)
    }
}

/// As it stands in the figures.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(part) => write!(f, "{part} killed"),
            Self::Restart(part) => write!(f, "{part} restarted"),
            Self::KillBoth => write!(f, "broker and database killed"),
            Self::Wire(wire, dependency) => write!(f, "wire to the {dependency} {wire}"),
            Self::BrokerMemory => write!(f, "broker short of memory"),
            Self::BrokerDisk => write!(f, "broker short of disk"),
            Self::ConnectionsClosed => write!(f, "broker closes connections"),
            Self::ChannelsClosed => write!(f, "broker closes channels"),
            Self::ConsumersCancelled => write!(f, "broker cancels consumers"),
            Self::QueueDeleted => write!(f, "queue deleted"),
            Self::Undecodable => write!(f, "undecodable message"),
            Self::BuildDisk => write!(f, "no room for releases"),
            Self::BuilderPaused => write!(f, "builder paused beyond its lease"),
            Self::ApiPaused => write!(f, "api paused"),
            Self::Clock(part, minutes) => write!(f, "clock of one {part} {minutes:+} min"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Builder => "builder",
            Self::Broker => "broker",
            Self::Database => "database",
        })
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Broker => "broker",
            Self::Database => "database",
        })
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "cut",
            Self::Down => "down",
            Self::Frozen => "frozen",
            Self::Slow => "slow",
            Self::HalfClosed => "half closed",
            Self::Forgotten => "forgotten",
        })
    }
}
