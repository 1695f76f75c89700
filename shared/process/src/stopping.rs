//! Tells answers without an end that the process is stopping.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio_util::sync::CancellationToken;

/// Whether the server that a request came to is stopping. Like the address of the client it belongs to the listening
/// socket, so it comes with the request; a service that does not listen never stops.
#[derive(Debug, Clone, Default)]
pub struct Stopping(CancellationToken);

impl Stopping {
    /// Tells it.
    pub(crate) fn tell(&self) {
        self.0.cancel();
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is told.
    pub async fn told(&self) {
        self.0.cancelled().await;
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Stopping {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
