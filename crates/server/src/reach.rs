//! Where to listen, and who may come there.

use std::net::{IpAddr, SocketAddr};

use protocol::http::{Allowed, Guard};

/// Where to listen, and who may come there.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Where to listen. Port 0 takes a free one.
    pub address: SocketAddr,
    /// Host names, besides those of this machine, that requests may name.
    pub hosts: Vec<String>,
    /// Origins of web pages, besides those of this machine, that may send requests.
    pub origins: Vec<String>,
    /// Whether other machines may reach the server although it asks for no key.
    pub allow_unauthenticated: bool,
}

/// Why serving cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Other machines could call a server that asks for no key.
    #[error("refused to listen on {address}: other machines can reach it, and the server asks for no key")]
    Exposed {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be taken.
    #[error("cannot listen on {address}: {reason}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        reason: String,
    },
    /// The operating system gives no random bytes.
    #[error("cannot make session keys: {0}")]
    Random(String),
}

impl Reach {
    pub(crate) fn check(&self, authenticated: bool) -> Result<(), Error> {
        if self.address.ip().is_loopback() || authenticated || self.allow_unauthenticated {
            Ok(())
        } else {
            Err(Error::Exposed { address: self.address })
        }
    }

    /// Which `Host` and `Origin` headers are let in. On loopback only this machine's names are,
    /// against DNS rebinding. On an address that others reach, a caller shows a key, which no
    /// rebound web page has: any host name is let in unless some are listed. Origins are always
    /// listed.
    pub(crate) fn guard(&self, authenticated: bool) -> Guard {
        let ip = self.address.ip();
        let hosts = if !self.hosts.is_empty() {
            Allowed::Listed(self.hosts.clone())
        } else if ip.is_loopback() {
            Allowed::Loopback
        } else if authenticated || ip.is_unspecified() {
            Allowed::Any
        } else {
            Allowed::Listed(vec![host_of(ip)])
        };
        let origins = if self.origins.is_empty() { Allowed::Loopback } else { Allowed::Listed(self.origins.clone()) };
        Guard { hosts, origins }
    }
}

fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// URL of a path at an address. An address that means every interface is written as loopback.
pub(crate) fn url(address: SocketAddr, path: &str) -> String {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
        ip => host_of(ip),
    };
    format!("http://{host}:{}{path}", address.port())
}

#[cfg(test)]
mod tests {
    use protocol::http::Allowed;

    use super::{Error, Reach, url};

    fn reach(address: &str) -> Reach {
        let address = address.parse().unwrap();
        Reach { address, hosts: Vec::new(), origins: Vec::new(), allow_unauthenticated: false }
    }

    #[test]
    fn nobody_is_exposed_by_accident() {
        assert!(reach("127.0.0.1:0").check(false).is_ok());
        assert!(reach("[::1]:0").check(false).is_ok());
        assert!(matches!(reach("0.0.0.0:80").check(false), Err(Error::Exposed { .. })));
        assert!(reach("0.0.0.0:80").check(true).is_ok());
        assert!(Reach { allow_unauthenticated: true, ..reach("0.0.0.0:80") }.check(false).is_ok());
    }

    #[test]
    fn hosts_follow_the_address() {
        assert_eq!(reach("127.0.0.1:0").guard(true).hosts, Allowed::Loopback);
        assert_eq!(reach("192.0.2.1:0").guard(false).hosts, Allowed::Listed(vec!["192.0.2.1".to_owned()]));
        assert_eq!(reach("0.0.0.0:0").guard(true).hosts, Allowed::Any);
        let listed = Reach { hosts: vec!["mcp.example.com".to_owned()], ..reach("0.0.0.0:0") };
        assert_eq!(listed.guard(true).hosts, Allowed::Listed(vec!["mcp.example.com".to_owned()]));
        assert_eq!(url("0.0.0.0:8808".parse().unwrap(), "/mcp"), "http://127.0.0.1:8808/mcp");
        assert_eq!(url("[::1]:1".parse().unwrap(), "/sse"), "http://[::1]:1/sse");
    }
}
