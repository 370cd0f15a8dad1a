//! Which callers share a rate limit.

use std::net::{IpAddr, Ipv6Addr};

use crate::domain::ids::TenantId;
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;

/// The part of an IPv6 address that a network operator assigns: one customer controls all addresses below it.
const IPV6_PREFIX: u128 = u128::MAX << 64;

/// The owner of a token bucket and of concurrency slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateLimitKey {
    /// All users of one tenant together.
    Tenant(TenantId),
    /// Callers without a token, by IPv4 address or IPv6 /64 prefix; `None` if the address is unknown.
    Network(Option<IpAddr>),
}

impl RateLimitKey {
    /// The key of a caller.
    #[must_use]
    pub fn new(principal: Option<Principal>, address: Option<IpAddr>) -> Self {
        match principal {
            Some(principal) => Self::Tenant(principal.tenant),
            None => Self::Network(address.map(network_of)),
        }
    }

    pub(in crate::graphql) fn of(request: &RequestContext) -> Self {
        Self::new(request.principal, request.client_address)
    }
}

fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_PREFIX).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_of_one_network_share_a_key() {
        let key = |address: &str| RateLimitKey::new(None, Some(address.parse().unwrap()));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
        assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
    }
}
