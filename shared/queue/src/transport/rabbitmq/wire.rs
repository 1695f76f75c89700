//! The bytes between us and a broker, as the AMQP library reads and writes them.
//!
//! The library keeps two things to itself that are needed here. It does not tell which broker greets, so the greeting is
//! overheard. And it can not be made to let go of a connection whose peer is frozen, so a wire can be cut.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_rs::Tokio;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use lapin::AsyncTcpStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::greeting::{Greeting, Overheard};

/// A socket of this runtime.
pub(super) type Socket = <Tokio as Reactor>::TcpStream;
/// What the AMQP library runs on: this runtime, with wires for sockets.
pub(super) type WireRuntime = async_rs::Runtime<RuntimeParts<Tokio, WireReactor>>;

/// A connection on its way through the AMQP library.
pub(super) struct Wire {
    stream: AsyncTcpStream<Socket>,
    overheard: Overheard,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _gone: DropGuard,
}

/// The other hold on a wire.
#[derive(Debug, Clone)]
pub(super) struct WireHandle {
    greeting: Greeting,
    cut: CancellationToken,
    gone: CancellationToken,
}

impl Wire {
    pub(super) fn new(stream: AsyncTcpStream<Socket>) -> (Self, WireHandle) {
        let handle =
            WireHandle { greeting: Greeting::default(), cut: CancellationToken::new(), gone: CancellationToken::new() };
        let wire = Self {
            stream,
            overheard: Overheard::new(handle.greeting.clone()),
            cut: Box::pin(handle.cut.clone().cancelled_owned()),
            _gone: handle.gone.clone().drop_guard(),
        };
        (wire, handle)
    }
}

impl WireHandle {
    pub(super) fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Ends the connection, whatever its peer does.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Waits until the library has let go of the connection.
    pub(super) async fn gone(&self) {
        self.gone.cancelled().await;
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(Error::new(ErrorKind::ConnectionAborted, "no answer in time")));
        }
        let length = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.overheard.take_in(&buffer[..length]);
        Poll::Ready(Ok(length))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

/// This runtime's reactor. Connections are made by [`super::dial`], never by the library.
#[derive(Debug, Clone)]
pub(super) struct WireReactor(Tokio);

/// What the AMQP library runs on.
pub(super) fn runtime() -> WireRuntime {
    let tokio = Tokio::current();
    async_rs::Runtime::new(RuntimeParts::new(tokio.clone(), WireReactor(tokio)))
}

impl Reactor for WireReactor {
    type TcpStream = Wire;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + Send + 'static>(
        &self,
        _: H,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Wire, _>(ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.0.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(duration)
    }

    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = Result<Wire>> + Send + 'static {
        std::future::ready(Err(ErrorKind::Unsupported.into()))
    }
}
