//! Which hosts and origins are let in: the defence against DNS rebinding, on unless switched off.

use ::http::HeaderMap;
use ::http::header::{HOST, ORIGIN};
use ::http::uri::Authority;

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
    /// Origins of web pages that may call. Requests without an origin come from no web page and pass.
    pub origins: Allowed,
}

impl Guard {
    /// Whether a request may pass; otherwise what is wrong.
    ///
    /// # Errors
    /// A sentence that says which of the two headers is refused.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let mut hosts = headers.get_all(HOST).iter();
        match (hosts.next().map(|host| host.to_str()), hosts.next()) {
            (None, _) if self.hosts == Allowed::Any => {}
            (Some(Ok(host)), None) if self.allows_host(host) => {}
            _ => return Err("Host is not allowed here"),
        }
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next().map(|origin| origin.to_str()), origins.next()) {
            (None, _) => Ok(()),
            (Some(Ok(origin)), None) if self.allows_origin(origin) => Ok(()),
            _ => Err("Origin is not allowed here"),
        }
    }

    /// Whether this is the `Host` of something that is served here.
    pub fn allows_host(&self, host: &str) -> bool {
        match &self.hosts {
            Allowed::Any => true,
            Allowed::Loopback => is_loopback(host),
            Allowed::Listed(list) => is_loopback(host) || list.iter().any(|listed| same_host(listed, host)),
        }
    }

    /// Whether pages of this origin may call.
    pub fn allows_origin(&self, origin: &str) -> bool {
        let loopback = || {
            let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            rest.is_some_and(is_loopback)
        };
        match &self.origins {
            Allowed::Any => true,
            Allowed::Loopback => loopback(),
            Allowed::Listed(list) => loopback() || list.iter().any(|listed| same_origin(listed, origin)),
        }
    }
}

/// Every request asks: a host that is written in the usual way is not parsed as a whole.
fn is_loopback(host: &str) -> bool {
    let name = match host.split_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    is_loopback_name(name) || is_loopback_authority(host)
}

fn is_loopback_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

fn is_loopback_authority(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    name == "[::1]" || is_loopback_name(name)
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

fn same_host(listed: &str, host: &str) -> bool {
    if listed.eq_ignore_ascii_case(host) {
        return true;
    }
    let (Ok(listed), Ok(host)) = (listed.parse::<Authority>(), host.parse::<Authority>()) else { return false };
    listed.port().is_none() && listed.host().eq_ignore_ascii_case(host.host())
}

#[cfg(test)]
mod tests {
    use ::http::HeaderMap;
    use ::http::header::{HOST, ORIGIN};

    use super::{Allowed, Guard};

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
        let guard = Guard { hosts, origins: Allowed::Listed(origins) };
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
}
