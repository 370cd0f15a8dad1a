//! How often somebody may try to sign in: per account, so that one password cannot be guessed from many
//! addresses, and per address, so that one address cannot try many accounts. A request that only reads is
//! not limited here. Each process counts for itself.

use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::digest;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// The number of keys at which those that have recovered are dropped. What remains are the keys of the last
/// minute, each of a few dozen bytes.
const SWEEP_AT: usize = 10_000;

/// Attempts a minute. All of them may come at once; then they come back one by one.
#[derive(Clone, Copy, Debug)]
pub struct AttemptsPerMinute {
    /// For one email address.
    pub account: NonZeroU32,
    /// For one network address; a whole /64 of IPv6 is one.
    pub address: NonZeroU32,
}

impl Default for AttemptsPerMinute {
    /// 10 for an account: nobody mistypes a password more often. 30 for an address: an office behind one.
    fn default() -> Self {
        const ACCOUNT: NonZeroU32 = NonZeroU32::new(10).unwrap();
        const ADDRESS: NonZeroU32 = NonZeroU32::new(30).unwrap();
        Self {
            account: ACCOUNT,
            address: ADDRESS,
        }
    }
}

/// How long to wait before the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts: wait {} seconds and try again", .0.as_secs())]
pub struct TooManyAttempts(pub Duration);

/// Counts the attempts.
pub struct Limits {
    accounts: DefaultKeyedRateLimiter<[u8; 32]>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    /// Allows so many.
    #[must_use]
    pub fn new(allowed: AttemptsPerMinute) -> Self {
        Self {
            accounts: RateLimiter::keyed(Quota::per_minute(allowed.account)),
            addresses: RateLimiter::keyed(Quota::per_minute(allowed.address)),
        }
    }

    /// Counts an attempt to sign in as `account` from `address`. The address is asked first: one that is
    /// over its limit cannot use up the attempts of somebody else's account.
    pub fn check(&self, address: Option<IpAddr>, account: &str) -> Result<(), TooManyAttempts> {
        if let Some(address) = address {
            check(&self.addresses, &network(address))?;
        }
        // Hashed, so that a key is small whatever was typed.
        let account = account.trim().to_lowercase();
        let mut key = [0; 32];
        key.copy_from_slice(digest::digest(&digest::SHA256, account.as_bytes()).as_ref());
        check(&self.accounts, &key)
    }
}

fn check<K: Clone + Eq + Hash>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), TooManyAttempts> {
    if limiter.len() > SWEEP_AT {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        TooManyAttempts(Duration::from_secs(wait.as_secs() + 1))
    })
}

/// The part of an address that one customer of a provider has: all of an IPv4 address, half of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(account: u32, address: u32) -> Limits {
        let number = |n| NonZeroU32::new(n).unwrap();
        Limits::new(AttemptsPerMinute {
            account: number(account),
            address: number(address),
        })
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_account_is_limited_from_wherever_it_is_tried() {
        let limits = limits(2, 100);
        assert!(
            limits
                .check(Some(address("192.0.2.1")), "ada@example.com")
                .is_ok()
        );
        assert!(
            limits
                .check(Some(address("192.0.2.2")), " Ada@example.com")
                .is_ok()
        );
        let refused = limits
            .check(Some(address("192.0.2.3")), "ada@example.com")
            .unwrap_err();
        assert!((1..=31).contains(&refused.0.as_secs()), "{refused}");
        assert!(
            limits
                .check(Some(address("192.0.2.3")), "bob@example.com")
                .is_ok()
        );
    }

    #[test]
    fn an_address_is_limited_whatever_account_it_tries() {
        let limits = limits(100, 2);
        assert!(limits.check(Some(address("2001:db8::1")), "a").is_ok());
        assert!(limits.check(Some(address("2001:db8::2")), "b").is_ok());
        assert!(limits.check(Some(address("2001:db8::3")), "c").is_err());
        assert!(limits.check(Some(address("2001:db8:0:1::3")), "c").is_ok());
        assert!(limits.check(Some(address("192.0.2.1")), "c").is_ok());
    }

    #[test]
    fn an_address_over_its_limit_uses_up_no_ones_attempts() {
        let limits = limits(2, 1);
        assert!(limits.check(Some(address("192.0.2.1")), "x").is_ok());
        for _ in 0..5 {
            assert!(limits.check(Some(address("192.0.2.1")), "ada").is_err());
        }
        assert!(limits.check(Some(address("192.0.2.2")), "ada").is_ok());
        assert!(limits.check(Some(address("192.0.2.3")), "ada").is_ok());
    }
}
