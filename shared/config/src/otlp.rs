//! Where traces are sent.

use std::collections::HashMap;
use std::fmt;

use http::Uri;

use crate::reader::Reader;
use crate::values::Setting;

/// Export of traces by OTLP over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct OtlpSettings {
    /// `otlp.endpoint`: the address of a collector, such as `http://127.0.0.1:4318`. Without one nothing is exported.
    pub endpoint: Option<OtlpEndpoint>,
    /// `otlp.headers`: what goes with each request, as `name=value`, several with commas between them. Secret.
    pub headers: OtlpHeaders,
    /// `otlp.sample`, default 1: how many of the traces are recorded that do not come from elsewhere, from 0 to 1.
    pub sample: Share,
}

impl OtlpSettings {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            endpoint: reader.optional("otlp.endpoint"),
            headers: reader.value("otlp.headers", OtlpHeaders::default()),
            sample: reader.value("otlp.sample", Share(1.0)),
        }
    }
}

/// The address of a collector; it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    /// With its password.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OtlpEndpoint(…)")
    }
}

impl Setting for OtlpEndpoint {
    fn read(text: &str) -> Result<Self, String> {
        // As whoever sends to it reads it, who would quote what is wrong with its password.
        let is_fine = text.parse().is_ok_and(|address| is_address(&address));
        is_fine.then(|| Self(text.to_owned())).ok_or_else(|| {
            "the address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318".to_owned()
        })
    }

    fn shown(text: &str) -> Option<String> {
        (!text.contains('@')).then(|| text.to_owned())
    }
}

fn is_address(address: &Uri) -> bool {
    let Some(authority) = address.authority() else { return false };
    let (host, port) = (authority.host(), authority.port_u16());
    // A port that is none is no part of the host, either.
    let end = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    matches!(address.scheme_str(), Some("http" | "https")) && !host.is_empty() && authority.as_str().ends_with(&end)
}

/// Names and values of headers.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OtlpHeaders(HashMap<String, String>);

impl OtlpHeaders {
    /// By name.
    #[must_use]
    pub fn reveal(&self) -> &HashMap<String, String> {
        &self.0
    }
}

impl fmt::Debug for OtlpHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Setting for OtlpHeaders {
    fn read(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let headers = pairs.map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            let is_fine = !name.is_empty()
                && name.bytes().all(is_name)
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            is_fine.then(|| (name.to_owned(), value.to_owned()))
        });
        headers
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| "headers such as authorization=Bearer abc,x-tenant=blog".to_owned())
    }

    fn shown(_: &str) -> Option<String> {
        None
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(pub f64);

impl Setting for Share {
    fn read(text: &str) -> Result<Self, String> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| "a number from 0 to 1".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_has_an_address_and_no_secret_of_it_is_shown() {
        assert!(OtlpEndpoint::read("http://127.0.0.1:4318").is_ok());
        for wrong in [
            "",
            "127.0.0.1:4318",
            "grpc://x",
            "http://",
            "http:///v1",
            "http://a b",
            "http://u:p@c:99999",
            "http://u:p@",
        ] {
            assert!(OtlpEndpoint::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(OtlpEndpoint::shown("http://u:p@c"), None);
        let headers = OtlpHeaders::read("authorization=Bearer hunter2, x-tenant=blog").unwrap();
        assert_eq!(headers.reveal()["authorization"], "Bearer hunter2");
        assert!(!format!("{headers:?}").contains("hunter2") && OtlpHeaders::shown("x").is_none());
        for wrong in ["authorization", "=x", "a b=c", "a=\u{7}"] {
            assert!(OtlpHeaders::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_no_more_than_all() {
        assert_eq!(Share::read("0.25"), Ok(Share(0.25)));
        for wrong in ["", "-1", "1.1", "NaN", "half"] {
            assert!(Share::read(wrong).is_err(), "{wrong}");
        }
    }
}
