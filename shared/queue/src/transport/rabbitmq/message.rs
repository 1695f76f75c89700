//! How a hint is written down: a small JSON body, and where the request came from in the headers.
//!
//! What arrives may come from anybody who can reach the broker, so nothing of it is believed before it is parsed.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use microblog_domain::BuildId;
use serde::Deserialize;

use crate::hint::Hint;

/// Raised when the meaning of the body changes; a consumer takes the versions that it knows.
const VERSION: u32 = 1;
/// The whole body is smaller than this.
const LONGEST_BODY: usize = 1024;
/// Request ids and trace contexts are shorter.
const LONGEST_HEADER: usize = 128;
const REQUEST_ID: &str = "x-request-id";
const TRACEPARENT: &str = "traceparent";
/// AMQP's number for messages that survive a restart.
const PERSISTENT: u8 = 2;

/// Why a message means nothing to this program. Holds nothing of its contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Undecodable {
    #[error("its body has {0} bytes")]
    TooLong(usize),
    #[error("its body is not the JSON of a job: {0}")]
    NotAJob(String),
    #[error("it is of version {0}, which a later Microblog may know")]
    Version(u32),
}

#[derive(Debug, Deserialize)]
struct Body {
    job_id: BuildId,
}

/// The body of a message about this build.
pub(super) fn body(build: BuildId) -> Vec<u8> {
    format!("{{\"version\":{VERSION},\"job_id\":\"{build}\"}}").into_bytes()
}

/// What goes with the body.
pub(super) fn properties(hint: &Hint) -> BasicProperties {
    let mut headers = FieldTable::default();
    let trace = hint.trace.map(|trace| trace.to_string());
    for (name, value) in [(REQUEST_ID, &hint.request_id), (TRACEPARENT, &trace)] {
        if let Some(value) = value {
            headers.insert(name.into(), AMQPValue::LongString(value.as_str().into()));
        }
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers)
}

/// Reads a hint.
pub(super) fn decode(data: &[u8], properties: &BasicProperties) -> Result<Hint, Undecodable> {
    let header = |name| properties.headers().as_ref().and_then(|headers| header(headers, name));
    let trace = header(TRACEPARENT).and_then(|text| text.parse().ok());
    Ok(Hint { build: decode_build(data)?, request_id: header(REQUEST_ID), trace })
}

/// Reads which build a message is about.
pub(super) fn decode_build(data: &[u8]) -> Result<BuildId, Undecodable> {
    /// The version is looked at first: another one may have another form.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    if data.len() > LONGEST_BODY {
        return Err(Undecodable::TooLong(data.len()));
    }
    let not_a_job =
        |error: serde_json::Error| Undecodable::NotAJob(format!("{:?} in column {}", error.classify(), error.column()));
    let Versioned { version } = serde_json::from_slice(data).map_err(not_a_job)?;
    if version != VERSION {
        return Err(Undecodable::Version(version));
    }
    let body: Body = serde_json::from_slice(data).map_err(not_a_job)?;
    Ok(body.job_id)
}

/// A header goes into logs, so it must be a short line; else it is left out.
fn header(headers: &FieldTable, name: &str) -> Option<String> {
    let Some(AMQPValue::LongString(value)) = headers.inner().get(name) else { return None };
    let value = value.to_string();
    ((1..=LONGEST_HEADER).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic())).then_some(value)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn hint() -> Hint {
        Hint {
            build: BuildId::generate(Timestamp::UNIX_EPOCH),
            request_id: Some("r-1".to_owned()),
            trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap()),
        }
    }

    #[test]
    fn a_hint_arrives_as_it_was_sent() {
        let hint = hint();
        assert_eq!(decode(&body(hint.build), &properties(&hint)), Ok(hint));
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let build = hint().build;
        let body = format!("{{\"version\":1,\"job_id\":\"{build}\",\"site\":\"other\"}}");
        assert_eq!(decode_build(body.as_bytes()), Ok(build));
    }

    #[test]
    fn a_message_that_is_no_job_is_refused_without_repeating_it() {
        let long = format!("{{\"version\":1,\"job_id\":\"{}\"}}", "x".repeat(2_000));
        for body in ["", "hunter2", "{}", "[1]", "{\"version\":1}", "{\"version\":1,\"job_id\":\"hunter2\"}", &long] {
            let error = decode_build(body.as_bytes()).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert_eq!(decode_build(b"{\"version\":2,\"jobs\":[]}"), Err(Undecodable::Version(2)));
        assert!(matches!(decode_build(&[0xFF, 0]), Err(Undecodable::NotAJob(_))));
    }

    #[test]
    fn headers_that_could_harm_a_log_are_left_out() {
        for bad in ["two\nlines", "", " ", &"x".repeat(500), "naïve"] {
            let hostile = Hint { request_id: Some(bad.to_owned()), ..hint() };
            let read = decode(&body(hostile.build), &properties(&hostile)).unwrap();
            assert_eq!(read.request_id, None, "{bad:?}");
        }
    }
}
