//! The HTTP service: JSON API, dashboard, health, metrics, previews, uploads.
//!
//! Owns what travels over HTTP and who may do what. Leaves what is kept to `microblog-store`, what pages look like to
//! `microblog-site`, and the making of releases to the builder, which it asks by way of the store.
//!
//! A request goes three hops: the route table (`routes.rs`, where to start reading) -> a handler in
//! `json_api` or `dashboard` -> a function of the store. Around every handler stand the layers of [`build_app`].

mod auth;
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
mod routes;
mod scheduler;
mod service;
mod service_metrics;
mod space;
mod state;
mod table;

use std::future::{Future, IntoFuture as _};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::ListenerExt as _;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use edge::Stopping;

pub use auth::{Caller, Passwords, Secret, Via};
pub use edge::{Client, Limiters, Scheme, Ticks};
pub use error::{ApiError, ErrorCode, FieldError};
pub use json_api::preview::PreviewTheme;
pub use json_api::setup::offer_setup;
pub use scheduler::publish_on_time;
pub use state::AppState;

/// Of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How often [`keep_house`] does so.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// The whole service. Layers further down see a request earlier.
pub fn build_app(app: Arc<AppState>) -> Router {
    metrics::describe();
    service_metrics::describe();
    table::router(routes::table(), &app)
        .layer(CatchPanicLayer::custom(error::render::panicked))
        .layer(from_fn(error::render::render_errors))
        .layer(CompressionLayer::new())
        .layer(from_fn(edge::set_security_headers))
        .layer(from_fn_with_state(Arc::clone(&app), edge::observe))
        .with_state(app)
}

/// Forgets, now and then, what is over: sessions that ended, answers that nobody will ask for again, clients that went
/// away. To be spawned once for the life of the process.
pub async fn keep_house(app: Arc<AppState>) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    loop {
        ticks.tick().await;
        app.limiters.forget_idle_clients();
        if let Err(error) = change::forget_what_is_over(&app).await {
            tracing::warn!(%error, "what is over could not be forgotten; trying again in a minute");
        }
    }
}

/// How long requests may go on after the service was told to stop.
const GRACE: Duration = Duration::from_secs(8);

/// Serves until `stop` is ready, then finishes the requests that are under way, within eight seconds.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stopping = Stopping::default();
    let told = stopping.clone();
    let stop = async move {
        stop.await;
        told.tell();
    };
    let service = app.layer(Extension(stopping.clone())).into_make_service_with_connect_info::<SocketAddr>();
    // An answer whose body follows its head would wait 40 ms for the client to acknowledge the head.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let served = axum::serve(listener, service).with_graceful_shutdown(stop).into_future();
    let time_is_up = async {
        stopping.told().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = served => served,
        () = time_is_up => {
            tracing::warn!("requests that did not end in time are cut off");
            Ok(())
        }
    }
}
