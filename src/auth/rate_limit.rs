//! Rate limits of sign-in attempts. The limit per account stops guessing one password from many
//! addresses. The limit per address stops trying many accounts from one address. Other requests are
//! not limited here. Each process counts on its own.

use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use aws_lc_rs::digest;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// The number of keys above which expired ones are dropped. The remaining keys are those of the
/// last minute, with a few dozen bytes each.
const SWEEP_THRESHOLD: usize = 10_000;

/// The allowed attempts per minute. They may all come at once; each then becomes available again
/// one by one.
#[derive(Clone, Copy, Debug)]
pub struct AttemptsPerMinute {
    /// Per email address.
    pub account: NonZeroU32,
    /// Per IP address. A whole IPv6 /64 counts as one address.
    pub address: NonZeroU32,
}

impl Default for AttemptsPerMinute {
    /// 10 per account, which allows for typing errors. 30 per address, because an office may share
    /// one.
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

/// Counts sign-in attempts.
pub struct SignInRateLimiter {
    accounts: DefaultKeyedRateLimiter<[u8; 32]>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl fmt::Debug for SignInRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInRateLimiter").finish_non_exhaustive()
    }
}

impl SignInRateLimiter {
    /// Creates a rate limiter.
    #[must_use]
    pub fn new(allowed: AttemptsPerMinute) -> Self {
        Self {
            accounts: RateLimiter::keyed(Quota::per_minute(allowed.account)),
            addresses: RateLimiter::keyed(Quota::per_minute(allowed.address)),
        }
    }

    /// Counts an attempt to sign in as `account` from `address`. The address is checked first, so
    /// that a blocked address cannot use up the attempts of another user's account.
    pub fn check(&self, address: Option<IpAddr>, account: &str) -> Result<(), TooManyAttempts> {
        if let Some(address) = address {
            check(&self.addresses, &network(address))?;
        }
        // Hashed, so that keys have a small, fixed size.
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
    if limiter.len() > SWEEP_THRESHOLD {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        TooManyAttempts(Duration::from_secs(wait.as_secs() + 1))
    })
}

/// The part of an address that identifies one customer of a provider: an IPv4 address, or the /64
/// of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(account: u32, address: u32) -> SignInRateLimiter {
        let number = |n| NonZeroU32::new(n).unwrap();
        SignInRateLimiter::new(AttemptsPerMinute {
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
