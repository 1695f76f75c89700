//! Who sent a request, as far as the network tells.
//!
//! A proxy in front of the service is seen instead of its clients. What it says about them is believed if the settings
//! name it, and only then: anybody else could write the same header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use microblog_config::AddressRange;

/// How a request came over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Encrypted, at least up to the proxy.
    Https,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The address of the client itself, not of a trusted proxy.
    pub address: IpAddr,
    /// Whether the client's connection is encrypted.
    pub scheme: Scheme,
}

impl Client {
    /// Finds out from the connection and, if a trusted proxy is at its other end, from what that says.
    pub(crate) fn of(request: &Request, trusted: &[AddressRange]) -> Self {
        let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = connection.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
        if !is_trusted(peer, trusted) {
            return Self { address: peer, scheme: Scheme::Http };
        }
        let address = forwarded_for(request.headers(), trusted).unwrap_or(peer);
        Self { address, scheme: forwarded_scheme(request.headers()) }
    }

    /// What rate limits count by: the address, or the network that one customer gets with IPv6.
    #[must_use]
    pub(crate) fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) >> 64 << 64)),
        }
    }
}

fn is_trusted(address: IpAddr, trusted: &[AddressRange]) -> bool {
    trusted.iter().any(|range| range.contains(address))
}

/// Each proxy appends whom it saw, so the last address that is not a trusted proxy's own is the client's.
fn forwarded_for(headers: &HeaderMap, trusted: &[AddressRange]) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = None;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = Some(address.to_canonical());
        if !is_trusted(address, trusted) {
            break;
        }
    }
    client
}

fn forwarded_scheme(headers: &HeaderMap) -> Scheme {
    let is_https =
        headers.get("x-forwarded-proto").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"));
    if is_https { Scheme::Https } else { Scheme::Http }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut request = Request::builder().header("x-forwarded-proto", "https");
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer: IpAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((peer, 1))));
        let trusted = ["127.0.0.0/8", "10.0.0.0/8"].map(|range| range.parse().unwrap());
        let client = Client::of(&request, &trusted);
        format!("{} {:?}", client.address, client.scheme)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"]), "203.0.113.9 Http");
        assert_eq!(client("127.0.0.1", &["198.51.100.1"]), "198.51.100.1 Https");
        assert_eq!(client("::ffff:127.0.0.1", &["198.51.100.1"]), "198.51.100.1 Https");
    }

    #[test]
    fn addresses_that_the_client_wrote_itself_are_passed_over() {
        assert_eq!(client("127.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.7"]), "198.51.100.1 Https");
        assert_eq!(client("127.0.0.1", &["1.1.1.1", "198.51.100.1"]), "198.51.100.1 Https");
        assert_eq!(client("127.0.0.1", &["nonsense, 10.0.0.7"]), "10.0.0.7 Https");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1 Https");
    }

    #[test]
    fn all_addresses_of_one_ipv6_customer_count_as_one() {
        let network = |address: &str| Client { address: address.parse().unwrap(), scheme: Scheme::Http }.network();
        assert_eq!(network("2001:db8:1:2::9"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::9"), network("2001:db8:1:3::9"));
    }
}
