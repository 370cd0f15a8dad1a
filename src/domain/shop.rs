//! A Shopify store: its domain and what it says of itself.

use std::fmt;

use super::money::Currency;

/// `my-store.myshopify.com`: the only form a store's address has here. Requests go to this host and to no
/// other, so nothing that a user types can steer them elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct ShopDomain(String);

/// Why a domain was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a store's domain: it must read like my-store.myshopify.com")]
pub struct ShopDomainError;

const SUFFIX: &str = ".myshopify.com";

impl ShopDomain {
    /// Reads a domain: trimmed, lower case, one label of letters, digits and hyphens before
    /// `.myshopify.com`. No scheme, no path, no port, no user: those are refused, not cut off.
    pub fn parse(text: &str) -> Result<Self, ShopDomainError> {
        let text = text.trim().to_ascii_lowercase();
        let label = text.strip_suffix(SUFFIX).ok_or(ShopDomainError)?;
        let valid = (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-');
        valid.then_some(Self(text)).ok_or(ShopDomainError)
    }

    /// The domain.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first label: `my-store`.
    #[must_use]
    pub fn label(&self) -> &str {
        self.0.strip_suffix(SUFFIX).unwrap_or(&self.0)
    }
}

impl fmt::Display for ShopDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a store says of itself, and what it lets the app read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopRecord {
    /// `gid://shopify/Shop/…`: stays the same when the domain changes.
    pub gid: String,
    /// The permanent domain, as Shopify names it.
    pub domain: ShopDomain,
    /// The name that the merchant gave it.
    pub name: String,
    /// What its reports are counted in.
    pub currency: Currency,
    /// The IANA zone of its calendar days: `Asia/Kolkata`.
    pub time_zone: String,
    /// The granted access scopes: `read_orders`.
    pub scopes: Vec<String>,
}

/// Without these there is nothing to count.
pub const REQUIRED_SCOPES: [&str; 3] = ["read_customers", "read_orders", "read_products"];

/// Without `read_all_orders` Shopify shows the orders of the last 60 days and says nothing of the others.
pub const LIMITED_ORDER_HISTORY_DAYS: i32 = 60;

/// Whether a scope to read something is among those that were granted. Being allowed to write it includes that.
#[must_use]
pub fn is_granted(scopes: &[String], scope: &str) -> bool {
    let write = scope.replacen("read_", "write_", 1);
    scopes
        .iter()
        .any(|granted| granted == scope || *granted == write)
}

/// The required scopes that are not among the granted ones.
#[must_use]
pub fn missing_scopes(granted: &[String]) -> Vec<&'static str> {
    REQUIRED_SCOPES
        .into_iter()
        .filter(|required| !is_granted(granted, required))
        .collect()
}

impl ShopRecord {
    /// The required scopes that were not granted.
    #[must_use]
    pub fn missing_scopes(&self) -> Vec<&'static str> {
        missing_scopes(&self.scopes)
    }

    /// How many days of orders the store shows; `None` when all.
    #[must_use]
    pub fn order_history_days(&self) -> Option<i32> {
        let all = self.scopes.iter().any(|scope| scope == "read_all_orders");
        (!all).then_some(LIMITED_ORDER_HISTORY_DAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_normalised() {
        let domain = ShopDomain::parse(" My-Store2.MyShopify.com ").unwrap();
        assert_eq!(domain.as_str(), "my-store2.myshopify.com");
        assert_eq!(domain.label(), "my-store2");
    }

    #[test]
    fn nothing_but_a_shops_domain_passes() {
        for wrong in [
            "",
            "myshopify.com",
            ".myshopify.com",
            "a.b.myshopify.com",
            "https://a.myshopify.com",
            "a.myshopify.com/x",
            "a.myshopify.com.evil.com",
            "a@b.myshopify.com",
            "a.myshopify.com:80",
            "-a.myshopify.com",
            "a-.myshopify.com",
            "a_b.myshopify.com",
            "a.myshopify.com#",
            "a.myshopify.com\n.evil.com",
            "127.0.0.1",
            "évil.myshopify.com",
        ] {
            assert!(ShopDomain::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
