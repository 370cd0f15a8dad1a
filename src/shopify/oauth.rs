//! The operator's own app, which merchants install from Shopify: the consent page, the signature of
//! the callback, and the exchange of its code for a pair of tokens. The access token expires after
//! an hour; the refresh token is exchanged for the next pair.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::client::Shopify;
use super::error::ShopifyError;
use super::tokens::TokenResponse;
use crate::domain::credentials::TokenPair;
use crate::domain::shop::ShopDomain;

/// An app that merchants install.
#[derive(Clone, Debug)]
pub struct InstallableApp {
    /// The client id.
    pub client_id: String,
    /// The client secret. Shopify also signs webhooks and OAuth callbacks with it.
    pub client_secret: SecretString,
    /// The requested access scopes, separated by commas.
    pub scopes: String,
}

impl InstallableApp {
    /// Verifies the HMAC of the query parameters of a callback, in constant time. As in Shopify's
    /// own libraries, the message consists of all parameters except `hmac`, sorted by name and
    /// percent-encoded. Without the encoding, one value could pass as two parameters.
    #[must_use]
    pub fn signed(&self, fields: &[(String, String)]) -> bool {
        let mut given = fields.iter().filter(|(name, _)| name == "hmac");
        let (Some((_, signature)), None) = (given.next(), given.next()) else {
            return false;
        };
        let mut rest: Vec<_> = fields.iter().filter(|(name, _)| name != "hmac").collect();
        rest.sort();
        let line = rest
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect::<Vec<_>>()
            .join("&");
        let secret = self.client_secret.expose_secret();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let Some(tag) = unhex(signature) else {
            return false;
        };
        !secret.is_empty() && hmac::verify(&key, line.as_bytes(), &tag).is_ok()
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pairs = digits.chunks(2).map(std::str::from_utf8);
    pairs
        .map(|pair| u8::from_str_radix(pair.ok()?, 16).ok())
        .collect()
}

/// Percent-encodes a value for a query string.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

impl Shopify {
    /// The operator's own app, if one is configured.
    #[must_use]
    pub fn app(&self) -> Option<&InstallableApp> {
        self.config().app.as_ref()
    }

    /// The URL of the consent page, on the shop's own host.
    #[must_use]
    pub fn consent_url(&self, domain: &ShopDomain, redirect: &str, state: &str) -> Option<String> {
        let app = self.app()?;
        Some(format!(
            "{}/admin/oauth/authorize?client_id={}&scope={}&redirect_uri={}&state={}",
            self.origin(domain),
            encoded(&app.client_id),
            encoded(&app.scopes),
            encoded(redirect),
            encoded(state)
        ))
    }

    /// Exchanges the code of a callback for tokens. Not retried: a code works once, and the
    /// merchant can start again.
    pub async fn exchange_code(
        &self,
        domain: &ShopDomain,
        code: &str,
    ) -> Result<TokenPair, ShopifyError> {
        let app = self.app().ok_or(ShopifyError::Unauthorized)?;
        let trade = json!({
            "client_id": app.client_id,
            "client_secret": app.client_secret.expose_secret(),
            "code": code,
            "expiring": "1",
        });
        let requested_at = self.clock().now();
        let granted = self.request_token(domain, &trade).await?;
        pair(granted, requested_at)
    }

    /// Exchanges a refresh token for the next pair, which must be stored before it is used. Retried
    /// after a lost response: Shopify accepts the old token until the new pair has been used.
    pub async fn refresh_token_pair(
        &self,
        domain: &ShopDomain,
        refresh_token: &SecretString,
    ) -> Result<TokenPair, ShopifyError> {
        let app = self.app().ok_or(ShopifyError::Unauthorized)?;
        let trade = json!({
            "client_id": app.client_id,
            "client_secret": app.client_secret.expose_secret(),
            "grant_type": "refresh_token",
            "refresh_token": refresh_token.expose_secret(),
        });
        let requested_at = self.clock().now();
        let granted = self.request_token_with_retries(domain, &trade).await;
        let granted = granted.map_err(|error| match error {
            ShopifyError::CredentialsRefused { code } => ShopifyError::ConsentEnded { code },
            other => other,
        })?;
        pair(granted, requested_at)
    }
}

fn pair(granted: TokenResponse, requested_at: DateTime<Utc>) -> Result<TokenPair, ShopifyError> {
    let access_expires_at = granted.expires_at(requested_at);
    let missing = || ShopifyError::Unreadable("the refresh token is missing".to_owned());
    Ok(TokenPair {
        access_token: granted.access_token.into(),
        access_expires_at,
        refresh_token: granted.refresh_token.ok_or_else(missing)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(secret: &str) -> InstallableApp {
        InstallableApp {
            client_id: "id".to_owned(),
            client_secret: secret.into(),
            scopes: String::new(),
        }
    }

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Signs as Shopify does, independently of the code under test.
    fn signature(secret: &str, line: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, line.as_bytes());
        tag.as_ref().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    }

    #[test]
    fn the_order_of_the_fields_makes_no_difference_and_everything_else_does() {
        let line = "code=c&shop=a.myshopify.com&state=s&timestamp=1";
        let good = signature("hush", line);
        let given = |hmac: &str, shop: &str| {
            fields(&[
                ("timestamp", "1"),
                ("hmac", hmac),
                ("shop", shop),
                ("state", "s"),
                ("code", "c"),
            ])
        };
        assert!(app("hush").signed(&given(&good, "a.myshopify.com")));
        assert!(app("hush").signed(&given(&good.to_uppercase(), "a.myshopify.com")));
        assert!(!app("other").signed(&given(&good, "a.myshopify.com")));
        assert!(!app("hush").signed(&given(&good, "b.myshopify.com")));
        for wrong in ["", "00", "zz", &good[1..], &format!("{good}00")] {
            assert!(
                !app("hush").signed(&given(wrong, "a.myshopify.com")),
                "{wrong}"
            );
        }
        let mut twice = given(&good, "a.myshopify.com");
        twice.push(("hmac".to_owned(), good.clone()));
        assert!(!app("hush").signed(&twice));
        let mut without = given(&good, "a.myshopify.com");
        without.retain(|(name, _)| name != "hmac");
        assert!(!app("hush").signed(&without));
    }

    #[test]
    fn no_value_poses_as_two_fields() {
        // The shop in the first one belongs to the attacker, who chose the value of `state`.
        let signed = signature(
            "hush",
            "shop=evil.myshopify.com&state=s%26shop%3Da.myshopify.com",
        );
        let honest = fields(&[
            ("shop", "evil.myshopify.com"),
            ("state", "s&shop=a.myshopify.com"),
            ("hmac", &signed),
        ]);
        assert!(app("hush").signed(&honest));
        let posing = fields(&[
            ("shop", "evil.myshopify.com&state=s"),
            ("shop", "a.myshopify.com"),
            ("hmac", &signed),
        ]);
        assert!(!app("hush").signed(&posing));
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let unsigned = signature("", "shop=a.myshopify.com");
        assert!(!app("").signed(&fields(&[("shop", "a.myshopify.com"), ("hmac", &unsigned)])));
    }

    #[test]
    fn what_stands_in_an_address_cannot_end_its_field() {
        assert_eq!(encoded("a b&c=d/é"), "a%20b%26c%3Dd%2F%C3%A9");
    }
}
