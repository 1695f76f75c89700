//! A TCP proxy that does to connections what networks do: cut, refuse, freeze, delay, throttle, half-close.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What happens to the bytes that pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// They pass.
    Fine,
    /// New connections are closed at once.
    Refuse,
    /// Nothing passes in either direction, and nobody is told.
    Freeze,
    /// Each piece comes later.
    Delay(Duration),
    /// No more bytes a second than this, in either direction.
    Throttle(u32),
    /// What the client sends is thrown away, and the server sees its end; answers still pass.
    HalfClosed,
}

#[derive(Debug, Clone, Copy)]
struct State {
    weather: Weather,
    /// Connections of an earlier generation are cut.
    generation: u64,
    /// Connections of an earlier age were forgotten: nothing passes on them any more.
    age: u64,
}

/// A proxy on a port of its own.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy to a port of this machine.
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let state = watch::Sender::new(State { weather: Weather::Fine, generation: 0, age: 0 });
        let target = SocketAddr::from(([127, 0, 0, 1], target));
        let accepting = tokio::spawn(accept(listener, target, state.clone()));
        Self { port, state, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the connections that there are; new ones are let through.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.generation += 1);
    }

    /// Cuts the connections that there are and refuses new ones.
    pub fn refuse(&self) {
        self.state.send_modify(|state| {
            state.weather = Weather::Refuse;
            state.generation += 1;
        });
    }

    /// Lets nothing pass any more. Connections stay open, new ones are accepted, and nobody hears anything.
    pub fn freeze(&self) {
        self.set(Weather::Freeze);
    }

    /// Lets nothing pass any more on the connections that there are, for ever, and tells nobody; new ones are let through.
    /// So does a firewall that was restarted.
    pub fn forget(&self) {
        self.state.send_modify(|state| state.age += 1);
    }

    /// Lets each piece wait before it passes.
    pub fn delay(&self, by: Duration) {
        self.set(Weather::Delay(by));
    }

    /// Lets no more bytes a second pass, in either direction.
    pub fn throttle(&self, bytes_a_second: u32) {
        self.set(Weather::Throttle(bytes_a_second));
    }

    /// Closes the connections that there are for what the client sends; what the server sends still passes.
    pub fn half_close(&self) {
        self.set(Weather::HalfClosed);
    }

    /// Lets everything pass again. Connections that are half closed stay so.
    pub fn mend(&self) {
        self.set(Weather::Fine);
    }

    fn set(&self, weather: Weather) {
        self.state.send_modify(|state| state.weather = weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, state: watch::Sender<State>) {
    let state = Arc::new(state);
    // Dropped with the proxy, which ends all connections.
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if state.borrow().weather == Weather::Refuse {
            continue;
        }
        connections.spawn(carry(client, target, state.subscribe()));
    }
}

async fn carry(client: TcpStream, target: SocketAddr, state: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut told = state.clone();
    let generation = state.borrow().generation;
    let up = pass(from_client, to_server, state.clone(), true);
    let down = pass(from_server, to_client, state, false);
    tokio::select! {
        _ = async { tokio::join!(up, down) } => {}
        _ = told.wait_for(|state| state.generation != generation) => {}
    }
}

/// Carries one direction to its end.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<State>,
    is_from_client: bool,
) {
    let age = state.borrow().age;
    let passes = |state: &State| state.weather != Weather::Freeze && state.age == age;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = state.wait_for(|state| is_from_client && state.weather == Weather::HalfClosed) => Ok(0),
        };
        let Ok(length @ 1..) = read else { break };
        let thawed = state.wait_for(passes).await.map(|state| state.weather);
        match thawed {
            Ok(Weather::Delay(by)) => tokio::time::sleep(by).await,
            Ok(Weather::Throttle(rate)) => {
                let seconds = f64::from(u32::try_from(length).unwrap_or(u32::MAX)) / f64::from(rate.max(1));
                tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
            }
            _ => {}
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
