//! The worker on a real database and a real release store.

mod publishing;
mod recovery;
mod workshop;
