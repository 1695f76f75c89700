//! Build jobs on their way from who asks to who builds.
//!
//! Owns two things: the *decisions* (what becomes of a job after a try: [`decision`]) and the *transport* (how a worker
//! hears that there is work: [`transport`], [`relay`]). The row in the database is the truth about a job; what travels is
//! only a hint to look at it, so a lost or doubled hint does no harm.
//!
//! Leaves the rows to `microblog-store` and the work itself to the builder. Start reading at [`decision`].

pub mod decision;
pub mod events;
pub mod hint;
mod metrics;
pub mod relay;
mod sweeper;
pub mod transport;

pub use decision::{Caution, Failure, FailureKind, RetryPolicy, Settlement};
pub use events::BuildEvents;
pub use hint::Hint;
pub use relay::{Relay, Waker};
pub use transport::{
    BrokerError, Condition, EventBridge, HintReceiver, HintSender, Permit, Queue, QueueStatus, SendError,
};
