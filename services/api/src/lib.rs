//! The HTTP service: JSON API, dashboard, health, metrics, previews, uploads.
//!
//! Owns what travels over HTTP and who may do what. Leaves what is kept to `microblog-store`, what pages look like to
//! `microblog-site`, and the making of releases to the builder, which it asks by way of the store.
//!
//! A request goes three hops: the route table (`routes.rs`, where to start reading) -> a handler in
//! `json_api` or `dashboard` -> a function of the store. Around every handler stand the layers of [`build_app`]; beside the
//! requests run the tasks of [`start_tasks`].

mod auth;
mod certificate;
mod change;
mod dashboard;
mod edge;
mod error;
mod health;
mod input;
mod json_api;
mod media;
mod metrics;
mod openapi;
mod repeat;
mod routes;
mod scheduler;
mod service;
mod service_metrics;
mod state;
mod table;
mod tasks;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

pub use auth::{Caller, Passwords, Secret, Via};
pub use edge::{Client, Limiters, Scheme, Ticks};
pub use error::{ApiError, ErrorCode, FieldError};
pub use health::Health;
pub use json_api::preview::PreviewTheme;
pub use json_api::setup::{offer_setup, setup_link};
pub use state::AppState;
pub use tasks::start_tasks;

/// Of this program.
pub const VERSION: &str = microblog_process::VERSION;

/// The whole service. Layers further down see a request earlier.
pub fn build_app(app: Arc<AppState>) -> Router {
    let table = routes::table();
    metrics::describe(table.iter().map(|route| (&route.method, route.path)));
    service_metrics::describe();
    table::router(table, &app)
        .layer(CatchPanicLayer::custom(error::render::panicked))
        .layer(from_fn_with_state(app.errors.clone(), error::render::render_errors))
        .layer(CompressionLayer::new())
        .layer(from_fn(edge::set_security_headers))
        .layer(from_fn_with_state(Arc::clone(&app), edge::observe))
        .with_state(app)
}
