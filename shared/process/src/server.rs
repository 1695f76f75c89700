//! The listening socket, and serving from it until the process stops.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::TcpListener;

use crate::connections::{Room, serve_all};
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
/// None: a listening socket that fails, for want of descriptors say, is asked again.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Infallible> {
    let stopping = Stopping::default();
    let tell = async {
        stop.await;
        stopping.tell();
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        () = serve_all(listener, app, &stopping, Room::of_this_process()) => {}
        () = tell => tracing::warn!("requests that did not end in time are cut off"),
    }
    Ok(())
}
