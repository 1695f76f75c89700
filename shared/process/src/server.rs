//! The listening socket, and serving from it until the process stops.

use std::future::{Future, IntoFuture as _};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use axum::{Extension, Router};
use tokio::net::TcpListener;

use crate::stopping::Stopping;
use crate::tasks::GRACE;

/// How long requests may go on after the server was told to stop: it says itself that they are cut off.
const PATIENCE: Duration = GRACE.saturating_sub(Duration::from_secs(1));

/// Listens on an address.
///
/// # Errors
/// Says which setting chooses another one.
pub async fn listen(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "can not listen on {address}: another program may use the port; stop it, or choose another one with \
             --set {setting}=127.0.0.1:PORT"
        )
    })
}

/// Serves until `stop` is ready, then finishes the requests that are under way, within five seconds. Handlers that
/// answer without an end are told by [`Stopping`].
///
/// # Errors
/// When the socket fails.
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
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = served => served,
        () = time_is_up => {
            tracing::warn!("requests that did not end in time are cut off");
            Ok(())
        }
    }
}
