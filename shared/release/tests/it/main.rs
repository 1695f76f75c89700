//! The release store against a real file system.

mod publishing;
mod site;
