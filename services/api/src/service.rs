//! What the service tells about itself.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use microblog_telemetry::Recorder;
use serde_json::json;

use crate::change::Answer;
use crate::error::ApiError;
use crate::state::App;
use crate::{VERSION, health, metrics, service_metrics};

/// `GET /`
pub(crate) async fn show_service() -> Result<Answer, ApiError> {
    Answer::ok(&json!({
        "name": "Microblog",
        "version": VERSION,
        "links": {
            "dashboard": "/dashboard",
            "docs": "/api/docs",
            "openapi": "/api/openapi.json",
            "health": "/health",
        },
    }))
}

/// `GET /metrics`
pub(crate) async fn show_metrics(State(app): State<App>) -> impl IntoResponse {
    app.store.pools_in_use().for_each(metrics::pool_is);
    tokio::join!(health::measure(&app), service_metrics::refresh(&app));
    ([(header::CONTENT_TYPE, Recorder::FORMAT)], app.recorder.render())
}
