//! The names of this crate's metrics, one typed function for each event.

use metrics::{counter, describe_counter};

const LINES_DROPPED: &str = "microblog_log_lines_dropped_total";
const SPANS_DROPPED: &str = "microblog_trace_spans_dropped_total";

/// A log file is written: its counter begins at 0, so that the first increase is seen.
pub(crate) fn describe_log_file() {
    describe_counter!(LINES_DROPPED, "Log lines that are not in the log file, because it could not be written");
    lines_dropped(0);
}

/// So many log lines could not be written to the file.
pub(crate) fn lines_dropped(lines: u64) {
    counter!(LINES_DROPPED).increment(lines);
}

/// Traces are sent to a collector: their counter begins at 0.
pub(crate) fn describe_collector() {
    describe_counter!(SPANS_DROPPED, "Spans of traces that the collector did not take");
    spans_dropped(0);
}

/// The collector did not take so many spans.
pub(crate) fn spans_dropped(spans: u64) {
    counter!(SPANS_DROPPED).increment(spans);
}
