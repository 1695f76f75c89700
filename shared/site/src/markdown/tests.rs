#![allow(missing_docs)]
//! tests
