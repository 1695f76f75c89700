//! Gathers events and the spans around them into records, and writes each with one call.

use std::io::Write as _;
use std::sync::Arc;

use microblog_domain::Clock;
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::record::{Fields, Record};
use super::write::Form;

/// The field of lines that names the request that they belong to.
const REQUEST_ID: &str = "request_id";

/// The part of the subscriber that writes log lines.
#[derive(Debug)]
pub struct LogLayer {
    service: &'static str,
    clock: Arc<dyn Clock>,
    outputs: Vec<(Form, BoxMakeWriter)>,
}

impl LogLayer {
    /// Writes nowhere yet.
    #[must_use]
    pub fn new(service: &'static str, clock: Arc<dyn Clock>) -> Self {
        Self { service, clock, outputs: Vec::new() }
    }

    /// Writes to what `writer` makes, too.
    #[must_use]
    pub fn to<W: for<'w> MakeWriter<'w> + Send + Sync + 'static>(mut self, form: Form, writer: W) -> Self {
        self.outputs.push((form, BoxMakeWriter::new(writer)));
        self
    }

    fn record<S: Subscriber + for<'a> LookupSpan<'a>>(&self, event: &Event<'_>, context: &Context<'_, S>) -> Record {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.extend(of_span);
            }
        }
        event.record(&mut fields);
        Record {
            timestamp: self.clock.now(),
            level: *event.metadata().level(),
            target: event.metadata().target(),
            service: self.service,
            fields,
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &SpanRecord<'_>, context: Context<'_, S>) {
        // Before the span's fields are locked: a value that panics while it is written is logged with these fields.
        let mut recorded = Fields::default();
        values.record(&mut recorded);
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            fields.extend(&recorded);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let record = self.record(event, &context);
        for (form, writer) in &self.outputs {
            // A log that can not be written must not stop the work, and there is nowhere left to say so.
            let _ = writer.make_writer().write_all(form.line(&record).as_bytes());
        }
    }
}

/// The request that whoever runs now works for, where lines say so.
#[must_use]
pub fn current_request_id() -> Option<String> {
    tracing::dispatcher::get_default(|subscriber| {
        let registry = subscriber.downcast_ref::<Registry>()?;
        let span = registry.span(registry.current_span().id()?)?;
        span.scope().find_map(|span| {
            let extensions = span.extensions();
            extensions.get::<Fields>()?.get(REQUEST_ID)?.as_str().map(str::to_owned)
        })
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use microblog_domain::Timestamp;
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Debug)]
    struct StoppedClock;

    impl Clock for StoppedClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(1_800_000_000).unwrap()
        }
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(form: Form, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let layer = LogLayer::new("api", Arc::new(StoppedClock)).to(form, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn every_line_inside_carries_the_ids_of_the_spans_around_it() {
        let text = logged(Form::Json, || {
            let request =
                tracing::info_span!("request", request_id = "r-1", user = tracing::field::Empty, otel.kind = "server");
            let _inside = request.enter();
            request.record("user", "ada");
            let _deeper = tracing::info_span!("build", job_id = "j-7").entered();
            tracing::info!(target: "audit", pages = 3, "the site was built");
        });
        insta::assert_snapshot!(text, @r#"{"timestamp":"2027-01-15T08:00:00Z","level":"info","target":"audit","message":"the site was built","service":"api","request_id":"r-1","user":"ada","job_id":"j-7","pages":3}"#);
    }

    #[test]
    fn whoever_runs_can_tell_which_request_it_is_for() {
        let mut told = None;
        logged(Form::Json, || {
            assert_eq!(current_request_id(), None);
            let _request = tracing::error_span!("request", request_id = "r-1").entered();
            let _deeper = tracing::info_span!("render").entered();
            told = current_request_id();
        });
        assert_eq!(told.as_deref(), Some("r-1"));
        assert_eq!(current_request_id(), None);
    }

    /// As the panic hook does while a value panics.
    struct AsksWhileItIsWritten;

    impl std::fmt::Display for AsksWhileItIsWritten {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a part of {}", current_request_id().unwrap_or_default())
        }
    }

    #[test]
    fn a_value_that_is_recorded_may_itself_ask_for_the_fields_of_its_span() {
        let (ends, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let text = logged(Form::Json, || {
                let span = tracing::error_span!("request", request_id = "r-1", part = tracing::field::Empty);
                span.in_scope(|| {
                    span.record("part", tracing::field::display(AsksWhileItIsWritten));
                    tracing::info!("done");
                });
            });
            ends.send(text)
        });
        let text = ended.recv_timeout(std::time::Duration::from_secs(20)).expect("it waits for itself");
        assert!(text.contains("\"part\":\"a part of r-1\""), "{text}");
    }

    #[test]
    fn secrets_are_hidden_in_both_forms_wherever_they_stand() {
        for form in [Form::Json, Form::Text] {
            let text = logged(form, || {
                let _span = tracing::info_span!("request", Authorization = "Bearer hunter2").entered();
                tracing::warn!(password = "hunter2", csrf_token = ?"hunter2", author = "ada", "log-in failed");
            });
            assert!(!text.contains("hunter2"), "{text}");
            assert!(text.contains("[redacted]") && text.contains("ada"), "{text}");
        }
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let hostile = "one\n{\"level\":\"error\"}\u{1b}[2J";
        let json = logged(Form::Json, || tracing::info!(slug = hostile, "{hostile}"));
        assert_eq!(json.lines().count(), 1);
        let parsed: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&parsed["slug"], &parsed["message"]), (&Value::from(hostile), &Value::from(hostile)));
        let text = logged(Form::Text, || tracing::info!(slug = hostile, "{hostile}"));
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains("\u{1b}[2J"), "{text}");
    }

    #[test]
    fn a_field_can_not_pose_as_a_part_of_the_line() {
        let json = logged(Form::Json, || tracing::info!(level = "error", service = "other", "told"));
        let parsed: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((&parsed["level"], &parsed["service"]), (&Value::from("info"), &Value::from("api")));
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_a_huge_value_is_cut() {
        #[derive(Debug, thiserror::Error)]
        #[error("the post was not saved")]
        struct Outer(#[source] io::Error);
        let error = Outer(io::Error::other("disk full"));
        let text = logged(Form::Json, || {
            tracing::error!(error = &error as &dyn std::error::Error, body = "x".repeat(100_000), "failed");
        });
        assert!(text.contains("the post was not saved: disk full"), "{text}");
        assert!(text.len() < 20_000);
    }
}
