//! Where a request comes from, when proxies stand between.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of proxies that say truly whom they speak for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<(IpAddr, u8)>);

impl Proxies {
    /// Reads addresses and ranges such as `10.0.0.0/8`.
    ///
    /// # Errors
    /// The entry that is neither.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let one = |entry: &str| {
            let (address, length) = entry.split_once('/').map_or((entry, None), |(ip, length)| (ip, Some(length)));
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let length = length.map_or(Some(most), |length| length.parse().ok())?;
            (length <= most).then_some((address, length))
        };
        let entries =
            entries.into_iter().flat_map(|entry| entry.split(',')).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(|entry| one(entry).ok_or_else(|| entry.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    /// The address of a caller: of the peer itself unless it is one of the proxies, else the last address of
    /// `X-Forwarded-For` that is none of them.
    pub fn caller<'a>(&self, peer: Option<IpAddr>, forwarded: impl Iterator<Item = &'a str>) -> IpAddr {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), plain);
        if self.0.is_empty() || !self.trusts(peer) {
            return peer;
        }
        let all: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut caller = peer;
        for entry in all.iter().rev() {
            let Some(address) = read(entry) else { return caller };
            caller = address;
            if !self.trusts(address) {
                return caller;
            }
        }
        caller
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => u128::from(ip.to_bits()) << 96,
            IpAddr::V6(ip) => ip.to_bits(),
        };
        let within = |start: IpAddr, length: u8| {
            let differ = bits(start) ^ bits(address);
            start.is_ipv4() == address.is_ipv4() && differ.checked_shr(128 - u32::from(length)).unwrap_or_default() == 0
        };
        self.0.iter().any(|(start, length)| within(*start, *length))
    }
}

/// An address with or without a port.
fn read(entry: &str) -> Option<IpAddr> {
    let bare = entry.trim_start_matches('[').split(']').next().unwrap_or_default();
    let address =
        bare.parse().ok().or_else(|| entry.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))?;
    Some(plain(address))
}

fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// The address as a bucket has it: of IPv6 the network, since one customer has all of its addresses.
pub fn bucket(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

/// The network around an address, of which somebody may have every address: /24 of IPv4, /48 of IPv6.
pub fn wide(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 80))),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Proxies, bucket, wide};

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxies = Proxies::parse(["127.0.0.1, 10.0.0.0/8", "2001:db8::/32"]).unwrap();
        let caller = |peer: &str, forwarded: &[&str]| {
            proxies.caller(Some(peer.parse::<IpAddr>().unwrap()), forwarded.iter().copied()).to_string()
        };
        assert_eq!(caller("203.0.113.7", &["1.2.3.4"]), "203.0.113.7");
        assert_eq!(caller("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(caller("127.0.0.1", &["6.6.6.6, 198.51.100.9, 10.1.2.3"]), "198.51.100.9");
        assert_eq!(caller("::ffff:127.0.0.1", &["6.6.6.6", "198.51.100.9:443"]), "198.51.100.9");
        assert_eq!(caller("10.9.9.9", &["[2001:4860::1]:9"]), "2001:4860::1");
        assert_eq!(caller("10.9.9.9", &["198.51.100.9, nonsense"]), "10.9.9.9");
        assert_eq!(caller("2001:db8::5", &["198.51.100.9"]), "198.51.100.9");
        for bad in ["x", "10.0.0.0/33", "1.2.3"] {
            assert!(Proxies::parse([bad]).is_err(), "{bad}");
        }
        assert_eq!(bucket("2001:db8:1:2:3::4".parse().unwrap()).to_string(), "2001:db8:1:2::");
        assert_eq!(wide("2001:db8:1:2:3::4".parse().unwrap()).to_string(), "2001:db8:1::");
        assert_eq!(wide("198.51.100.7".parse().unwrap()).to_string(), "198.51.100.0");
    }
}
