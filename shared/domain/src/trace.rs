//! Where in a distributed trace something belongs: the W3C's `traceparent`.

use std::fmt;
use std::str::FromStr;

/// A span of a trace, as it is told to those who go on with it: `00-<trace>-<span>-<flags>`
/// (<https://www.w3.org/TR/trace-context/>, version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    // Bytes, since numbers would be aligned and so make everything larger that has one.
    trace: [u8; 16],
    span: [u8; 8],
    is_sampled: bool,
}

/// The only flag that is known: whoever began the trace records it.
const SAMPLED: u8 = 1;

impl TraceParent {
    /// Nothing if one of the ids is zero, which means none.
    #[must_use]
    pub const fn new(trace: u128, span: u64, is_sampled: bool) -> Option<Self> {
        if trace == 0 || span == 0 {
            return None;
        }
        Some(Self { trace: trace.to_be_bytes(), span: span.to_be_bytes(), is_sampled })
    }

    /// The trace.
    #[must_use]
    pub const fn trace(self) -> u128 {
        u128::from_be_bytes(self.trace)
    }

    /// The span in it.
    #[must_use]
    pub const fn span(self) -> u64 {
        u64::from_be_bytes(self.span)
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        self.is_sampled
    }
}

/// The text is no `traceparent` of version 00, or of a later one that begins alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
pub struct TraceParentError;

impl FromStr for TraceParent {
    type Err = TraceParentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut digits =
            |length| parts.next().filter(|part| part.len() == length && is_hex(part)).ok_or(TraceParentError);
        let (version, trace, span, flags) = (digits(2)?, digits(32)?, digits(16)?, digits(2)?);
        // A later version may say more behind; `ff` is no version.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(TraceParentError);
        }
        let number = |text| u128::from_str_radix(text, 16).map_err(|_| TraceParentError);
        let span = u64::try_from(number(span)?).map_err(|_| TraceParentError)?;
        let is_sampled = number(flags)? & u128::from(SAMPLED) != 0;
        Self::new(number(trace)?, span, is_sampled).ok_or(TraceParentError)
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace(), self.span(), u8::from(self.is_sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_told_is_told_on() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent: TraceParent = text.parse().unwrap();
        assert_eq!(parent.to_string(), text);
        assert!(parent.is_sampled());
        let later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03-more".parse::<TraceParent>();
        assert_eq!(later, Ok(parent), "of a later version, what is known of it");
    }

    #[test]
    fn what_is_no_trace_parent_is_not_taken() {
        for wrong in [
            "",
            "00",
            "00-1-2-3",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\n",
        ] {
            assert_eq!(wrong.parse::<TraceParent>(), Err(TraceParentError), "{wrong}");
        }
    }
}
