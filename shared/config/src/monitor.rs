//! What is watched besides the program itself.

use crate::reader::Reader;
use crate::values::Setting;

/// Watching what stands before the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorSettings {
    /// `monitor.certificate`, default `auto`: the certificate of `site.base_url` is looked at once an hour, if that begins
    /// with https. `off` leaves it alone. `HOST:PORT` asks there for it, where the public address leads elsewhere from here.
    pub certificate: CertificateWatch,
}

/// Where to ask for the certificate of the public address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CertificateWatch {
    /// At the public address itself.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// Here: a host and a port.
    At(String),
}

impl MonitorSettings {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self { certificate: reader.value("monitor.certificate", CertificateWatch::Auto) }
    }
}

impl Setting for CertificateWatch {
    fn read(text: &str) -> Result<Self, String> {
        let is_address = |text: &str| {
            let parts = text.rsplit_once(':');
            parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
        };
        match text {
            "auto" => Ok(Self::Auto),
            "off" => Ok(Self::Off),
            address if is_address(address) => Ok(Self::At(address.to_owned())),
            _ => Err("auto, off, or a host and a port such as 10.0.0.5:443".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_asked_for_at_an_address_with_a_port() {
        assert_eq!(CertificateWatch::read("auto"), Ok(CertificateWatch::Auto));
        assert_eq!(CertificateWatch::read("off"), Ok(CertificateWatch::Off));
        for address in ["10.0.0.5:443", "proxy.internal:8443", "[::1]:443"] {
            assert_eq!(CertificateWatch::read(address), Ok(CertificateWatch::At(address.to_owned())));
        }
        for wrong in ["", "on", "proxy.internal", ":443", "proxy:0", "proxy:https"] {
            assert!(CertificateWatch::read(wrong).is_err(), "{wrong}");
        }
    }
}
