//! A Shopify shop: its domain and its own record.

use std::fmt;

use super::money::Currency;

/// `my-store.myshopify.com`, the only accepted form of a shop's domain. Requests go to no other
/// host, so user input cannot redirect them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct ShopDomain(String);

/// The text is not a shop's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a shop's domain: it must look like my-store.myshopify.com")]
pub struct ShopDomainError;

const SUFFIX: &str = ".myshopify.com";

impl ShopDomain {
    /// Parses a domain: trimmed, in lower case, with one label of letters, digits and hyphens
    /// before `.myshopify.com`. A scheme, path, port or user is an error.
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

    /// The first label, such as `my-store`.
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

/// The shop's own record, and the access scopes of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopRecord {
    /// `gid://shopify/Shop/…`. It stays the same if the domain changes.
    pub gid: String,
    /// The permanent domain.
    pub domain: ShopDomain,
    /// The shop's name.
    pub name: String,
    /// The shop's currency.
    pub currency: Currency,
    /// The IANA time zone of the shop's calendar days, such as `Asia/Kolkata`.
    pub time_zone: String,
    /// The granted access scopes, such as `read_orders`.
    pub scopes: Vec<String>,
}

/// The access scopes without which there are no figures.
pub const REQUIRED_SCOPES: [&str; 3] = ["read_customers", "read_orders", "read_products"];

/// Without `read_all_orders`, Shopify shows only the orders of the last 60 days, without any
/// notice.
pub const LIMITED_ORDER_HISTORY_DAYS: i32 = 60;

/// Whether a read scope was granted. The corresponding write scope includes it.
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

    /// The number of past days whose orders Shopify shows the app. `None` for all.
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
