//! The worker on a real database and a real release store.
