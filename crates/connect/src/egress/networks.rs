//! Private networks that the operator opened.

use std::net::IpAddr;

/// Private places that requests may reach: a decision of the operator, never of a spec. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    all: bool,
    hosts: Vec<String>,
    ranges: Vec<(IpAddr, u8)>,
}

impl Networks {
    /// Reads a list: `private` for all private networks and this machine, names (`localhost`, `*.corp`), addresses and
    /// ranges (`10.0.0.0/8`), separated by commas.
    ///
    /// # Errors
    /// The first entry that cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut out = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let bare = entry.trim_start_matches('[').trim_end_matches(']');
            if entry == "private" {
                out.all = true;
            } else if let Ok(ip) = bare.parse::<IpAddr>() {
                out.ranges.push((ip, bits(ip)));
            } else if let Some((ip, length)) = entry.split_once('/') {
                let ip: IpAddr = ip.parse().map_err(|_| format!("`{entry}` is no range such as `10.0.0.0/8`"))?;
                let length = length.parse::<u8>().ok().filter(|length| *length <= bits(ip));
                out.ranges.push((ip, length.ok_or_else(|| format!("`{entry}` is no range such as `10.0.0.0/8`"))?));
            } else if is_name(entry) {
                out.hosts.push(entry.to_ascii_lowercase());
            } else {
                return Err(format!("`{entry}` is neither `private` nor a host, an address or a range"));
            }
        }
        Ok(out)
    }

    /// With one more host, whatever addresses it has.
    #[must_use]
    pub fn with_host(mut self, host: &str) -> Self {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(ip) => self.ranges.push((ip, bits(ip))),
            Err(_) => self.hosts.push(bare.to_ascii_lowercase()),
        }
        self
    }

    /// With all private networks.
    #[must_use]
    pub fn with_all(mut self, allowed: bool) -> Self {
        self.all = allowed;
        self
    }

    /// Whether a private name may be looked up, and whatever address it has be reached.
    pub(super) fn has_host(&self, host: &str) -> bool {
        self.all || self.hosts.iter().any(|pattern| fits(pattern, host))
    }

    /// Whether a private address may be reached.
    pub(super) fn has_address(&self, ip: IpAddr) -> bool {
        self.all || self.ranges.iter().any(|(start, length)| is_within(ip, *start, *length))
    }
}

/// Whether a host is a name, or with `*` one of those below it.
pub(super) fn fits(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(end) => host.len() > end.len() && host.ends_with(end),
        None => host == pattern,
    }
}

fn is_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let good =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name.split('.').all(good)
}

fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn is_within(ip: IpAddr, start: IpAddr, length: u8) -> bool {
    let number = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let rest = bits(start) - length;
    let cut = |ip: IpAddr| number(ip).checked_shr(u32::from(rest)).unwrap_or_default();
    ip.is_ipv4() == start.is_ipv4() && cut(ip) == cut(start)
}

#[cfg(test)]
mod tests {
    use super::Networks;

    #[test]
    fn entries_open_what_they_name_and_nothing_else() {
        let networks = Networks::parse("localhost, *.corp, 10.1.0.0/16,::1, 192.168.7.9").unwrap();
        for host in ["localhost", "a.corp", "b.a.corp"] {
            assert!(networks.has_host(host), "{host}");
        }
        for host in ["corp", "xlocalhost", "a.corp.example", "localhost.localdomain"] {
            assert!(!networks.has_host(host), "{host}");
        }
        for ip in ["10.1.0.0", "10.1.255.255", "::1", "192.168.7.9"] {
            assert!(networks.has_address(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["10.2.0.0", "127.0.0.1", "::2", "192.168.7.10", "::a01:1"] {
            assert!(!networks.has_address(ip.parse().unwrap()), "{ip}");
        }
        assert!(Networks::parse("private").unwrap().has_address("127.0.0.1".parse().unwrap()));
        assert!(Networks::parse("0.0.0.0/0").unwrap().has_address("127.0.0.1".parse().unwrap()));
        for bad in ["http://x", "10.0.0.0/33", "a b", "10.0.0.0/x", "-/8", "a..b"] {
            assert!(Networks::parse(bad).is_err(), "{bad}");
        }
    }
}
