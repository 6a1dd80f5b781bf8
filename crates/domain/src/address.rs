//! Which network addresses a webhook may be sent to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the operator allows as webhook targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetPolicy {
    /// Public addresses over https only.
    #[default]
    PublicHttps,
    /// Also this machine's loopback, over http or https; for development.
    LoopbackToo,
    /// Any address over http or https; for closed networks.
    Anything,
}

impl TargetPolicy {
    /// Whether a connection to the address may be opened.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::Anything => true,
            Self::LoopbackToo => address.is_loopback() || is_public(address),
            Self::PublicHttps => is_public(address),
        }
    }

    /// Whether plain http may be used for the address.
    pub fn allows_http(self, address: IpAddr) -> bool {
        match self {
            Self::Anything => true,
            Self::LoopbackToo => address.to_canonical().is_loopback(),
            Self::PublicHttps => false,
        }
    }
}

/// Whether an address is reachable over the public internet.
///
/// # Source
/// IANA special-purpose address registries (RFC 6890 and its updates).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let relay = a == 192 && b == 88 && c == 99;
    let benchmark = a == 198 && (b == 18 || b == 19);
    let this_network = a == 0;
    let reserved = a >= 240;
    !(this_network
        || shared
        || protocol
        || relay
        || benchmark
        || reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is global unicast; the exceptions inside it carry or hide other addresses.
    let global = first & 0xe000 == 0x2000;
    let documentation = first == 0x2001 && second == 0x0db8 || first == 0x3fff && second < 0x1000;
    let ietf = first == 0x2001 && second < 0x0200;
    let six_to_four = first == 0x2002;
    global && !documentation && !ietf && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn special_addresses_are_not_public() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "3fff::1",
        ] {
            assert!(!is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn ordinary_addresses_are_public() {
        for text in [
            "8.8.8.8",
            "93.184.216.34",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address(text)), "{text}");
        }
    }

    #[test]
    fn policies_widen_step_by_step() {
        let loopback = address("127.0.0.1");
        let private = address("10.0.0.1");
        assert!(!TargetPolicy::PublicHttps.allows(loopback));
        assert!(TargetPolicy::LoopbackToo.allows(loopback));
        assert!(TargetPolicy::LoopbackToo.allows_http(address("::ffff:127.0.0.1")));
        assert!(!TargetPolicy::LoopbackToo.allows(private));
        assert!(!TargetPolicy::LoopbackToo.allows_http(address("8.8.8.8")));
        assert!(TargetPolicy::Anything.allows(private));
    }
}
