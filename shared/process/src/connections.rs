//! Connections: how many there are at a time, how long each may keep its place, and how they end.
//!
//! Whoever neither sends nor reads loses the connection, since each one costs a descriptor of those that the database, the
//! broker and the log need, too: heads of requests, and the time between two, are limited by hyper; bodies, by progress,
//! by a layer; answers that nobody reads, by the kernel. How long an answer takes is limited by whoever makes it, and some
//! have no end.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::Listener;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use microblog_telemetry::Trouble;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::stopping::Stopping;
use crate::{descriptors, metrics};

/// How long the head of a request may take, and a connection lie idle. Longer than the ten seconds after which whoever
/// reads metrics comes again.
const HEAD_LIMIT: Duration = Duration::from_secs(15);
/// How long the next piece of a body may take: less than a request, which would only hear that its time is up.
const BODY_PAUSE: Duration = Duration::from_secs(20);
/// How long a client may leave what it was sent unread or unacknowledged.
const UNREAD_LIMIT: Duration = Duration::from_secs(60);
/// How many connections one server has at most: each costs some 10 kB.
const MOST: usize = 4_096;

/// Serves whoever connects until the process stops; then waits until the open connections end, each with the answer that
/// is under way.
pub(crate) async fn serve_all(mut listener: TcpListener, app: Router, stopping: &Stopping, mut room: Room) {
    let app = app.layer(RequestBodyTimeoutLayer::new(BODY_PAUSE));
    let open = TaskTracker::new();
    loop {
        let accepted = async {
            let (stream, peer) = Listener::accept(&mut listener).await;
            (room.take().await, stream, peer)
        };
        let (place, stream, peer) = tokio::select! {
            accepted = accepted => accepted,
            () = stopping.told() => break,
        };
        let Some(place) = place else { break };
        open.spawn(serve_one(stream, peer, app.clone(), stopping.clone(), place));
    }
    drop(listener);
    open.close();
    open.wait().await;
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, app: Router, stopping: Stopping, place: Place) {
    // A client that is gone already has no need of them.
    drop(set_options(&stream));
    let told = stopping.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(told.clone());
        app.clone().oneshot(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), answer));
    let last = async {
        tokio::select! {
            () = stopping.told() => {}
            () = place.is_wanted() => {}
        }
    };
    tokio::select! {
        // How it ended is the client's business: it went away, was too slow, or does not speak HTTP.
        _ = connection.as_mut() => return,
        () = last => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    // An answer whose body follows its head would wait 40 ms for the client to acknowledge the head.
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD_LIMIT))
}

/// The places of a server's connections. When all are taken, those that only lie open are closed, and no connection is
/// kept any longer than for the answer that it waits for.
#[derive(Debug)]
pub(crate) struct Room {
    places: Arc<Semaphore>,
    size: usize,
    wanted: Arc<Notify>,
    trouble: Trouble,
}

/// The place of one connection.
#[derive(Debug)]
struct Place {
    _permit: OwnedSemaphorePermit,
    wanted: Arc<Notify>,
}

impl Room {
    /// As large as this process can afford: two servers, of which each connection may be sent a file, leave more than half
    /// of all descriptors to the rest.
    pub(crate) fn of_this_process() -> Self {
        Self::new(MOST.min(descriptors::allowed() / 10).max(1))
    }

    fn new(size: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(size)), size, wanted: Arc::default(), trouble: Trouble::default() }
    }

    /// Waits for a place. There is always one in the end, since nobody can keep one without sending or reading.
    async fn take(&mut self) -> Option<Place> {
        if self.places.available_permits() == 0 {
            self.make_room();
        } else if self.places.available_permits() > self.size / 10 && self.trouble.is_over() {
            tracing::info!("there is room for connections again");
        }
        let permit = Arc::clone(&self.places).acquire_owned().await.ok()?;
        metrics::connection_opened();
        Some(Place { _permit: permit, wanted: Arc::clone(&self.wanted) })
    }

    fn make_room(&mut self) {
        if self.trouble.is_news(&"full") {
            tracing::warn!(
                connections = self.size,
                "all connections are in use: idle ones are closed, and whoever comes waits. If these are readers, put nginx \
                 in front; if one client has most of them, limit it there"
            );
        }
        self.wanted.notify_waiters();
    }
}

impl Place {
    async fn is_wanted(&self) {
        self.wanted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::connection_closed();
    }
}

#[cfg(test)]
mod tests;
