//! The release store against a real file system.

mod crash;
mod publishing;
mod site;
