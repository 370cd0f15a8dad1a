//! The signature of a webhook: HMAC-SHA256 of the raw body with the app's secret, in base64. It
//! does not cover the headers.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// A body with a valid signature. Only [`verify`] creates one, and only verified bytes are parsed.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    body: &'a [u8],
}

impl<'a> Verified<'a> {
    /// The bytes of the body.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.body
    }
}

/// Verifies a body against each of the secrets, in constant time. Without any secret, the work is
/// the same, so that the timing does not reveal whether a shop exists.
#[must_use]
pub fn verify<'a>(
    body: &'a [u8],
    signature: &str,
    secrets: &[SecretString],
) -> Option<Verified<'a>> {
    let signature = STANDARD.decode(signature.trim()).unwrap_or_default();
    let nobody = [SecretString::from(String::new())];
    let known = !secrets.is_empty();
    let candidates = if known { secrets } else { &nobody };
    let mut holds = false;
    for secret in candidates {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
        holds |= hmac::verify(&key, body, &signature).is_ok();
    }
    (known && holds).then_some(Verified { body })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: [(&str, &str, &str); 4] = [
        (
            "hush",
            "{\"id\":788032119674292922}",
            "fhhqwxYconmiOqTJ0cD1XzOlT7ONdp6Ryc18pkvlq5Q=",
        ),
        (
            "hush-previous",
            "{\"id\":788032119674292922}",
            "GEufkUqI5G03vOCmFl1g7kFoadEu1249quzXouFD6R0=",
        ),
        (
            "hush",
            "{\"note\":\"café ☕ \\/ 1.0\"}",
            "+94rPl9WaUWMKPWunjUW9BDCLznNExg6Zpl+7771aYM=",
        ),
        ("hush", "", "Knm8rWjeSXNIt2H0AOMT7DQ8/YSy8sQi/pEjbuUmGMs="),
    ];

    fn holds(secrets: &[&str], body: &str, signature: &str) -> bool {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
        verify(body.as_bytes(), signature, &secrets).is_some()
    }

    #[test]
    fn the_known_signatures_hold() {
        for (secret, body, signature) in VECTORS {
            assert!(holds(&[secret], body, signature), "{body}");
            assert!(holds(&["another", secret], body, signature), "{body}");
            assert!(!holds(&["another"], body, signature), "{body}");
            assert!(!holds(&[], body, signature), "{body}");
            assert!(!holds(&[secret], &format!("{body} "), signature), "{body}");
        }
    }

    #[test]
    fn what_is_no_signature_never_holds() {
        for wrong in [
            "",
            "=",
            "not base64!",
            "fhhqwxYconmiOqTJ0cD1XzOlT7ONdp6Ryc18pkvlq5",
        ] {
            assert!(
                !holds(&["hush"], "{\"id\":788032119674292922}", wrong),
                "{wrong}"
            );
        }
        // An empty list of secrets proves nothing, not even with an empty key.
        assert!(!holds(
            &[],
            "",
            "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0="
        ));
    }
}
