use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::*;

/// Far beyond every limit: reached only if there is none.
const FAR: Duration = Duration::from_secs(3_600);
/// Of real time, for what needs none.
const SOON: Duration = Duration::from_secs(10);

async fn read_whole(body: Result<Bytes, axum::extract::rejection::BytesRejection>) -> StatusCode {
    if body.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST }
}

/// One word at once, and one a minute later.
async fn stream() -> Response {
    let later = async {
        sleep(Duration::from_secs(60)).await;
        Ok::<_, io::Error>(Bytes::from_static(b"last"))
    };
    let words = futures_util::stream::once(async { Ok(Bytes::from_static(b"first")) });
    Response::new(Body::from_stream(futures_util::StreamExt::chain(words, futures_util::stream::once(later))))
}

async fn server(size: usize) -> (SocketAddr, Stopping) {
    let app =
        Router::new().route("/", get(|| async { "done" })).route("/", post(read_whole)).route("/stream", get(stream));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stopping) = (listener.local_addr().unwrap(), Stopping::default());
    let told = stopping.clone();
    tokio::spawn(async move { serve_all(listener, app, &told, Room::new(size)).await });
    (address, stopping)
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server closes the connection.
async fn rest(stream: &mut TcpStream, limit: Duration) -> String {
    let mut text = Vec::new();
    drop(timeout(limit, stream.read_to_end(&mut text)).await.expect("the connection stays open"));
    String::from_utf8(text).unwrap()
}

/// What comes until an answer of [`server`] is whole.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    while !text.ends_with("done") {
        let mut buffer = [0; 1_024];
        let count = timeout(SOON, stream.read(&mut buffer)).await.expect("no answer").unwrap();
        assert_ne!(count, 0, "closed after: {text}");
        text.push_str(str::from_utf8(&buffer[..count]).unwrap());
    }
    text
}

const GET: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn who_sends_no_whole_head_loses_the_connection() {
    let (address, _stopping) = server(10).await;
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut slow = send(address, begun).await;
        assert_eq!(rest(&mut slow, FAR).await, "", "{begun:?}");
    }
    let mut idle = send(address, GET).await;
    assert!(rest(&mut idle, FAR).await.ends_with("done"), "an idle connection");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stands_still_is_given_up_and_one_that_comes_slowly_is_not() {
    let (address, _stopping) = server(10).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\n";
    let mut stuck = send(address, &format!("{head}ab")).await;
    assert!(rest(&mut stuck, FAR).await.starts_with("HTTP/1.1 400"));

    let mut slow = send(address, head).await;
    for byte in ["a", "b", "c", "d"] {
        sleep(BODY_PAUSE - Duration::from_secs(1)).await;
        slow.write_all(byte.as_bytes()).await.unwrap();
    }
    assert!(rest(&mut slow, FAR).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_as_long_as_it_likes() {
    let (address, _stopping) = server(10).await;
    let mut watcher = send(address, "GET /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let heard = rest(&mut watcher, FAR).await;
    assert!(heard.contains("first") && heard.contains("last"), "{heard}");
}

#[tokio::test]
async fn when_all_places_are_taken_idle_connections_make_room() {
    let (address, _stopping) = server(2).await;
    let mut idle = [send(address, GET).await, send(address, GET).await];
    for stream in &mut idle {
        answer(stream).await;
    }
    let mut late = send(address, GET).await;
    answer(&mut late).await;
    for stream in &mut idle {
        assert_eq!(rest(stream, SOON).await, "");
    }
}

#[tokio::test]
async fn a_server_that_stops_closes_idle_connections_and_finishes_answers() {
    let (address, stopping) = server(10).await;
    let mut idle = send(address, GET).await;
    answer(&mut idle).await;
    let mut busy = send(address, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na").await;
    let mut other = send(address, GET).await;
    answer(&mut other).await;
    stopping.tell();
    assert_eq!(rest(&mut idle, SOON).await, "");
    busy.write_all(b"b").await.unwrap();
    assert!(rest(&mut busy, SOON).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn what_was_sent_is_read_within_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    set_options(&stream).unwrap();
    assert!(stream.nodelay().unwrap());
    assert_eq!(SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(UNREAD_LIMIT));
}
