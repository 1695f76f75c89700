//! The dashboard: the pages that people write, publish and administer with, rendered on the server.
//!
//! Owns the pages, their forms and their files. What a form asks for is done by the same functions that the JSON API
//! calls. Every page works without scripts where that is possible at all; scripts make it quicker.
//!
//! A request: the route table -> the module of the page -> a function in `json_api` or the store -> a typed context in
//! [`pages`] -> a template. Start reading at [`posts`]; [`frame`] is what surrounds each page.

pub(crate) mod account;
pub(crate) mod alerts;
mod assets;
pub(crate) mod builds;
mod conflict;
pub(crate) mod editor;
pub(crate) mod error_groups;
mod errors;
mod flash;
mod form;
mod frame;
pub(crate) mod log_in;
pub(crate) mod media;
mod moments;
mod pages;
mod post_form;
pub(crate) mod posts;
pub(crate) mod preview;
mod problem;
pub(crate) mod releases;
pub(crate) mod revisions;
pub(crate) mod set_up;
pub(crate) mod settings;
mod templates;
pub(crate) mod users;
mod visitor;

use axum::response::Redirect;

pub(crate) use assets::show_asset;
pub(crate) use errors::{Asked, render_error};

/// `GET /dashboard`
pub(crate) async fn show_dashboard() -> Redirect {
    Redirect::to("/dashboard/posts")
}
