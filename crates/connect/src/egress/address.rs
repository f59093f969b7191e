//! What an address reaches, by the registries of special-purpose addresses (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A host of the public Internet.
    Public,
    /// A machine or network of the operator; the text says which kind.
    Private(&'static str),
    /// Nothing that a request should ever reach; the text says why.
    Never(&'static str),
}

/// Ranges of IPv4 that are not public: network, length of its prefix, meaning.
const IPV4: &[([u8; 4], u32, Reach)] = &[
    ([0, 0, 0, 0], 8, Reach::Never("an address of no host")),
    ([10, 0, 0, 0], 8, Reach::Private("a private address")),
    ([100, 100, 100, 200], 32, Reach::Never("a cloud's metadata service")),
    ([100, 64, 0, 0], 10, Reach::Private("an address of a shared network")),
    ([127, 0, 0, 0], 8, Reach::Private("a loopback address")),
    ([168, 63, 129, 16], 32, Reach::Never("a cloud's metadata service")),
    ([169, 254, 0, 0], 16, Reach::Never("a link-local address, where clouds keep their metadata service")),
    ([172, 16, 0, 0], 12, Reach::Private("a private address")),
    ([192, 0, 0, 0], 24, Reach::Never("a reserved address")),
    ([192, 0, 2, 0], 24, Reach::Never("an address for documentation")),
    ([192, 88, 99, 0], 24, Reach::Never("an address of a retired relay")),
    ([192, 168, 0, 0], 16, Reach::Private("a private address")),
    ([198, 18, 0, 0], 15, Reach::Never("an address for benchmarks")),
    ([198, 51, 100, 0], 24, Reach::Never("an address for documentation")),
    ([203, 0, 113, 0], 24, Reach::Never("an address for documentation")),
    ([224, 0, 0, 0], 4, Reach::Never("a multicast address")),
    ([240, 0, 0, 0], 4, Reach::Never("a reserved or broadcast address")),
];

/// What an address reaches. Addresses of IPv6 that carry one of IPv4 count as the latter.
pub fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let bits = ip.to_bits();
    let within = |net: &[u8; 4], length: u32| (bits ^ u32::from_be_bytes(*net)) >> (32 - length) == 0;
    IPV4.iter().find(|(net, length, _)| within(net, *length)).map_or(Reach::Public, |(_, _, reach)| *reach)
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    if let Some(v4) = ip.to_ipv4_mapped() {
        return reach_v4(v4);
    }
    let parts = ip.segments();
    let carried = || {
        let [a, b] = parts[6].to_be_bytes();
        let [c, d] = parts[7].to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Private("a loopback address"),
        // NAT64 (RFC 6052): a network without IPv4 reaches public addresses through it.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => reach_v4(carried()),
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reach::Never("a cloud's metadata service"),
        [first, ..] if first & 0xfe00 == 0xfc00 => Reach::Private("a private address"),
        [first, ..] if first & 0xffc0 == 0xfe80 => Reach::Never("a link-local address"),
        [first, ..] if first & 0xff00 == 0xff00 => Reach::Never("a multicast address"),
        [0x2001, second, ..] if second < 0x200 => Reach::Never("an address of a tunnel or of a protocol"),
        [0x2001, 0xdb8, ..] => Reach::Never("an address for documentation"),
        [0x3fff, second, ..] if second < 0x1000 => Reach::Never("an address for documentation"),
        [0x2002, ..] => Reach::Never("an address of a retired relay"),
        // ISATAP (RFC 5214) carries an address of IPv4 in the lower half.
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => Reach::Never("an address of a tunnel"),
        [first, ..] if first & 0xe000 == 0x2000 => Reach::Public,
        _ => Reach::Never("a reserved address"),
    }
}
