//! Whoever Alertmanager tells of alerts: the pager, the chat, the mail server, the dead man's switch and the product's own
//! webhook, all in one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::mail;

/// How somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// `PagerDuty`.
    Pager,
    /// Slack.
    Chat,
    /// E-mail.
    Mail,
    /// The dead man's switch.
    DeadMansSwitch,
    /// The product's own page of alerts, which is told of all.
    Webhook,
}

impl Way {
    const ALL: [Self; 5] = [Self::Pager, Self::Chat, Self::Mail, Self::DeadMansSwitch, Self::Webhook];

    fn name(self) -> &'static str {
        match self {
            Self::Pager => "pager",
            Self::Chat => "chat",
            Self::Mail => "mail",
            Self::DeadMansSwitch => "dead-mans-switch",
            Self::Webhook => "webhook",
        }
    }
}

/// Something that arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// How.
    pub way: Way,
    /// When.
    pub at: Instant,
    /// What was sent: JSON, or the text of a mail.
    pub body: Value,
}

impl Delivery {
    /// The alerts that it tells of, if it came to the webhook or to the switch: others are told in words.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        self.body["alerts"].as_array().into_iter().flatten().map(Alert::of).collect()
    }
}

/// An alert, as webhooks are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What tells it from others.
    pub labels: BTreeMap<String, String>,
    /// What people read.
    pub annotations: BTreeMap<String, String>,
    /// Or has it been resolved?
    pub is_firing: bool,
}

impl Alert {
    fn of(value: &Value) -> Self {
        let texts = |value: &Value| {
            let texts = value.as_object().into_iter().flatten();
            texts.map(|(name, text)| (name.clone(), text.as_str().unwrap_or_default().to_owned())).collect()
        };
        let is_firing = value["status"] == "firing";
        Self { labels: texts(&value["labels"]), annotations: texts(&value["annotations"]), is_firing }
    }

    /// The value of a label; nothing if it has none of this name.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

#[derive(Debug, Default)]
pub(super) struct Book {
    deliveries: Vec<Delivery>,
    refused: BTreeSet<Way>,
}

/// The book that all ways write into.
pub(super) type Shared = Arc<Mutex<Book>>;

/// Receives until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    http: SocketAddr,
    mail: SocketAddr,
    book: Shared,
    _runtime: Runtime,
}

impl Receiver {
    /// Starts to listen.
    ///
    /// # Panics
    /// When it can not.
    #[must_use]
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let book = Shared::default();
        let bind = || runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).expect("a free port");
        let (http, mail) = (bind(), bind());
        let address = |listener: &TcpListener| listener.local_addr().expect("a bound socket");
        let receiver = Self { http: address(&http), mail: address(&mail), book: Arc::clone(&book), _runtime: runtime };
        let app = Router::new().route("/{way}", post(take)).with_state(Arc::clone(&book));
        receiver._runtime.spawn(async move { axum::serve(http, app).await });
        receiver._runtime.spawn(mail::serve(mail, book));
        receiver
    }

    /// What has arrived since the beginning.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        book(&self.book).deliveries.clone()
    }

    /// Refuses whatever comes on this way, until [`Self::accept`].
    pub fn refuse(&self, way: Way) {
        book(&self.book).refused.insert(way);
    }

    /// Takes again what comes on this way.
    pub fn accept(&self, way: Way) {
        book(&self.book).refused.remove(&way);
    }

    pub(super) fn url(&self, way: Way) -> String {
        format!("http://{}/{}", self.http, way.name())
    }

    pub(super) fn mail(&self) -> SocketAddr {
        self.mail
    }
}

fn book(shared: &Shared) -> MutexGuard<'_, Book> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(shared): State<Shared>, Path(name): Path<String>, body: String) -> StatusCode {
    let way = Way::ALL.into_iter().find(|way| way.name() == name);
    let is_taken = match (way, serde_json::from_str(&body)) {
        (Some(way), Ok(body)) => note(&shared, way, body),
        _ => false,
    };
    // After a 5xx Alertmanager would try again.
    if is_taken { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST }
}

/// Writes down what came; tells whether it is taken.
pub(super) fn note(shared: &Shared, way: Way, body: Value) -> bool {
    let mut book = book(shared);
    let is_taken = !book.refused.contains(&way);
    if is_taken {
        book.deliveries.push(Delivery { way, at: Instant::now(), body });
    }
    is_taken
}
