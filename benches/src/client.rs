//! Speaking HTTP to a server on this machine.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

/// A single answer never takes this long, whatever is being built meanwhile.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// Keeps its connections, as browsers and proxies do.
pub(crate) struct Client(Agent);

impl Client {
    pub(crate) fn new() -> Self {
        Self(Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_TIME)).build().into())
    }

    /// Status and text.
    pub(crate) fn read(&self, url: &str) -> Result<(u16, String), ureq::Error> {
        let mut answer = self.0.get(url).call()?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }

    /// A request to the API with a token, which must succeed. Null if the answer is empty.
    pub(crate) fn ask(&self, method: &str, url: &str, token: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = Request::builder().method(method).uri(url).header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json");
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut answer = self.0.run(request.body(text)?).with_context(|| format!("{method} {url}"))?;
        let text =
            answer.body_mut().read_to_string().with_context(|| format!("reading the answer to {method} {url}"))?;
        let status = answer.status();
        ensure!(status.is_success(), "{method} {url} was answered {status}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("the answer to {method} {url} is no JSON"))
    }
}
