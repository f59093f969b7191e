//! Which hosts and origins are let in: the defence against DNS rebinding, on unless switched off.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ::http::header::{HOST, ORIGIN};
use ::http::{HeaderMap, HeaderValue, StatusCode};

/// A set of hosts or origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Allowed {
    /// `localhost`, `127.0.0.0/8`, `[::1]`, on every port.
    #[default]
    Loopback,
    /// Loopback and these. Hosts as `example.com` (every port) or `example.com:8080`; origins as
    /// `https://example.com`, or `https://*.example.com` for every name below it.
    Listed(Vec<String>),
    /// Everything. For hosts only behind a proxy that checks them.
    Any,
}

/// Checks `Host` and `Origin` of every request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Hosts that may be addressed.
    pub hosts: Allowed,
    /// Whether an IP address may be addressed, whichever it is. Rebinding needs a name: what a web page asks of an address goes to
    /// that address, and tells its own origin.
    pub addresses: bool,
    /// Origins of web pages that may call. Requests without an origin come from no web page and pass.
    pub origins: Allowed,
}

/// Why a request may not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// `Host` is missing, there more than once, or no host.
    Malformed(&'static str),
    /// Nothing is served under this `Host`.
    Host,
    /// Pages of this `Origin` may not call.
    Origin,
}

impl Barred {
    /// How it is answered (RFC 9112, 3.2 for what is malformed).
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
        }
    }

    /// A sentence that says which of the two headers is refused.
    pub fn why(self) -> &'static str {
        match self {
            Self::Malformed(why) => why,
            Self::Host => "Host is not allowed here",
            Self::Origin => "Origin is not allowed here",
        }
    }
}

impl Guard {
    /// Whether a request may pass.
    ///
    /// # Errors
    /// Which of the two headers is refused.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Barred> {
        let mut hosts = headers.get_all(HOST).iter();
        match (hosts.next().map(HeaderValue::to_str), hosts.next()) {
            (None, _) if self.hosts == Allowed::Any => {}
            (None, _) => return Err(Barred::Malformed("Host is missing")),
            (Some(Ok(host)), None) if self.allows_host(host) => {}
            (Some(Ok(host)), None) if Named::of(host).is_some() => return Err(Barred::Host),
            (Some(_), None) => return Err(Barred::Malformed("Host is no name or address with or without a port")),
            (Some(_), Some(_)) => return Err(Barred::Malformed("Host is there more than once")),
        }
        self.check_origin(headers)
    }

    /// Whether a request for what is no secret of anybody may pass, whichever name it uses.
    ///
    /// # Errors
    /// Its origin is refused.
    pub fn check_origin(&self, headers: &HeaderMap) -> Result<(), Barred> {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next().map(HeaderValue::to_str), origins.next()) {
            (None, _) => Ok(()),
            (Some(Ok(origin)), None) if self.allows_origin(origin) => Ok(()),
            _ => Err(Barred::Origin),
        }
    }

    /// Whether this is the `Host` of something that is served here.
    pub fn allows_host(&self, host: &str) -> bool {
        let Some(named) = Named::of(host) else { return false };
        match &self.hosts {
            Allowed::Any => true,
            _ if named.is_loopback() || (self.addresses && named.address.is_some()) => true,
            Allowed::Loopback => false,
            Allowed::Listed(list) => list.iter().any(|listed| named.is_listed(listed, host)),
        }
    }

    /// Whether pages of this origin may call.
    pub fn allows_origin(&self, origin: &str) -> bool {
        let loopback = || {
            let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            rest.and_then(Named::of).is_some_and(|named| named.is_loopback())
        };
        match &self.origins {
            Allowed::Any => true,
            Allowed::Loopback => loopback(),
            Allowed::Listed(list) => loopback() || list.iter().any(|listed| same_origin(listed, origin)),
        }
    }
}

/// A host that is written as it should be.
struct Named<'a> {
    /// Without the port.
    name: &'a str,
    has_port: bool,
    address: Option<IpAddr>,
}

impl<'a> Named<'a> {
    /// Name or address, and behind a colon nothing but a port.
    fn of(host: &'a str) -> Option<Self> {
        let (name, port, address) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((inside, port)) => {
                let address = inside.parse::<Ipv6Addr>().ok()?;
                (&host[..inside.len() + 2], port, Some(IpAddr::V6(address)))
            }
            None => {
                let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
                if name.is_empty() || !name.bytes().all(is_plain) {
                    return None;
                }
                (name, port, name.parse::<Ipv4Addr>().ok().map(IpAddr::V4))
            }
        };
        let digits = if port.is_empty() { "" } else { port.strip_prefix(':')? };
        let is_port = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok();
        (digits.is_empty() || is_port).then_some(Self { name, has_port: !digits.is_empty(), address })
    }

    fn is_loopback(&self) -> bool {
        self.address.map_or_else(|| self.name.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
    }

    fn is_listed(&self, listed: &str, host: &str) -> bool {
        listed.eq_ignore_ascii_case(host)
            || Named::of(listed).is_some_and(|listed| !listed.has_port && listed.name.eq_ignore_ascii_case(self.name))
    }
}

fn same_origin(listed: &str, origin: &str) -> bool {
    let Some((scheme, end)) = listed.split_once("*.") else { return listed.eq_ignore_ascii_case(origin) };
    let rest =
        origin.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(|_| &origin[scheme.len()..]);
    let Some(name) = rest.and_then(|host| host.len().checked_sub(end.len()).and_then(|at| host.split_at_checked(at)))
    else {
        return false;
    };
    let good = |below: &str| below.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    name.1.eq_ignore_ascii_case(end) && name.0.len() > 1 && name.0.ends_with('.') && good(name.0)
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;
    use ::http::header::{HOST, ORIGIN};

    use super::{Allowed, Barred, Guard};

    fn passes(guard: &Guard, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        guard.check(&headers).is_ok()
    }

    #[test]
    fn loopback_alone_is_let_in_by_default() {
        let guard = Guard::default();
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "127.9.9.9", "[::1]:3000", "[::1]", "localhost:"] {
            assert!(passes(&guard, host, None), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "127.0.0.1.nip.io",
            "x@localhost",
            "x:1@localhost",
            "localhost:80:80",
            "0.0.0.0",
            "",
        ] {
            assert!(!passes(&guard, host, None), "{host}");
        }
        assert!(passes(&guard, "localhost", Some("http://localhost:5173")));
        for origin in ["http://evil.example", "null", "http://localhost.evil.example", "file://"] {
            assert!(!passes(&guard, "localhost", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn listed_hosts_match_with_any_port_unless_one_is_given() {
        let hosts = Allowed::Listed(vec!["mcp.example.com".into(), "other.example.com:8443".into()]);
        let origins = vec!["https://app.example.com".into(), "https://*.pages.example".into()];
        let guard = Guard { hosts, origins: Allowed::Listed(origins), addresses: false };
        assert!(passes(&guard, "localhost", Some("https://www.pages.example")));
        for origin in
            ["https://pages.example", "http://www.pages.example", "https://evilpages.example", "https://.pages.example"]
        {
            assert!(!passes(&guard, "localhost", Some(origin)), "{origin}");
        }
        assert!(!passes(&guard, "localhost", Some("https://evil.example/.pages.example")));
        assert!(passes(&guard, "mcp.example.com:443", Some("https://app.example.com")));
        assert!(passes(&guard, "other.example.com:8443", None));
        assert!(!passes(&guard, "other.example.com", None));
        assert!(!passes(&guard, "mcp.example.com", Some("https://app.example.com.evil.example")));
    }

    #[test]
    fn addresses_pass_where_others_reach_them_and_names_do_not() {
        let guard = Guard { addresses: true, ..Guard::default() };
        for host in ["192.168.1.5:8800", "10.0.0.1", "[2001:db8::1]:80", "localhost"] {
            assert!(passes(&guard, host, None), "{host}");
            assert!(!passes(&guard, host, Some("http://192.168.1.6")), "{host}");
        }
        for host in ["example.com", "192.168.1.5.nip.io", "1.2.3", "0x7f000001"] {
            assert!(!passes(&guard, host, None), "{host}");
        }
        assert!(!passes(&Guard::default(), "192.168.1.5", None));
    }

    #[test]
    fn what_is_no_host_is_malformed_for_everybody() {
        let any = Guard { hosts: Allowed::Any, origins: Allowed::Any, addresses: true };
        for host in [
            "127.0.0.1:8300,evil",
            "localhost:abc",
            "localhost:65536",
            "localhost:+80",
            "a b",
            "x@localhost",
            "",
            "[::1",
            "[::1]x",
            "localhost:80:80",
            "::1",
        ] {
            let headers = HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
            for guard in [&Guard::default(), &any] {
                assert!(matches!(guard.check(&headers), Err(Barred::Malformed(_))), "{host}");
            }
        }
        let mut headers = HeaderMap::new();
        assert!(matches!(Guard::default().check(&headers), Err(Barred::Malformed("Host is missing"))));
        headers.append(HOST, "localhost".parse().unwrap());
        headers.append(HOST, "localhost".parse().unwrap());
        assert!(matches!(Guard::default().check(&headers), Err(Barred::Malformed(_))));
        assert_eq!(Guard::default().check_origin(&headers), Ok(()));
    }
}
