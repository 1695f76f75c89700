//! The engine as its callers use it: posts in, pages out.

mod addresses;
mod equivalence;
mod pages;
mod support;
