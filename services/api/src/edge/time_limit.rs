//! How long a request may take, and whose fault it is that it took longer: the client's while it keeps a body back, which
//! nobody is to be called for, or else ours.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};

use crate::error::{ApiError, ErrorCode};

/// Gives a request up that takes longer.
pub(crate) async fn answer_in_time(
    State(time): State<Duration>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (request, client) = watch_body(request);
    tokio::time::timeout(time, next.run(request)).await.map_err(|_| late(&client))
}

fn late(client: &Client) -> ApiError {
    if client.is_waited_for() {
        let detail = "The body did not come in time. Nothing was done.";
        return ApiError::new(ErrorCode::RequestTimeout, detail);
    }
    ApiError::new(ErrorCode::Timeout, "Nothing may have been done, or all of it: look before you try again.")
}

/// Whether a client is to send more.
#[derive(Debug, Clone, Default)]
struct Client(Arc<AtomicBool>);

impl Client {
    fn is_waited_for(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn watch_body(request: Request) -> (Request, Client) {
    let client = Client::default();
    let watched = client.clone();
    (request.map(|body| Body::new(Watched { body, client: watched })), client)
}

/// A body that notes whether it was empty-handed when it was asked last.
struct Watched {
    body: Body,
    client: Client,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.client.0.store(polled.is_pending(), Ordering::Relaxed);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::to_bytes;
    use futures_util::{FutureExt as _, StreamExt as _, stream};

    use super::*;

    #[tokio::test]
    async fn a_client_is_waited_for_while_it_keeps_back_what_somebody_wants_to_read() {
        let half = stream::iter([Ok::<_, Infallible>("half")]).chain(stream::pending());
        let (request, client) = watch_body(Request::new(Body::from_stream(half)));
        assert_eq!(late(&client).code(), ErrorCode::Timeout, "nobody has asked for the body yet");
        assert!(to_bytes(request.into_body(), 100).now_or_never().is_none());
        assert_eq!(late(&client).code(), ErrorCode::RequestTimeout);
    }

    #[tokio::test]
    async fn a_body_that_came_is_no_excuse() {
        let (request, client) = watch_body(Request::new(Body::from("whole")));
        assert_eq!(request.body().size_hint().exact(), Some(5));
        assert_eq!(to_bytes(request.into_body(), 100).await.unwrap(), "whole");
        assert_eq!(late(&client).code(), ErrorCode::Timeout);
    }
}
