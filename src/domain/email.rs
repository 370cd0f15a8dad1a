//! Normalised email addresses, which identify users.

use std::fmt;

/// A well-formed email address in lower case. It may not exist.
#[derive(Clone, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Email(String);

/// The text is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an email address: it needs one @, a name before it and a domain with a dot after it")]
pub struct EmailError;

impl Email {
    /// Parses an address: trims it, converts it to lower case and checks its form. It needs one
    /// `@`, no white space or control characters, a name of at most 64 bytes, a domain with a dot,
    /// and at most 254 bytes in all (the limits of RFC 5321).
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = text.trim().to_lowercase();
        let (name, domain) = text.split_once('@').ok_or(EmailError)?;
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let plausible = !name.is_empty()
            && name.len() <= 64
            && text.len() <= 254
            && !name
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || "\"(),:;<>@[\\]".contains(c))
            && !name.starts_with('.')
            && !name.ends_with('.')
            && !name.contains("..")
            && domain.contains('.')
            && domain.split('.').all(label);
        plausible.then_some(Self(text)).ok_or(EmailError)
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_normalised() {
        assert_eq!(
            Email::parse("  Ada@Example.COM ").unwrap().as_str(),
            "ada@example.com"
        );
        assert!(Email::parse("ada+shop@mail.example.co.uk").is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "a b@example.com",
            "ada@@example.com",
            "ada@-example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada@exa mple.com",
            "ada\n@example.com",
        ] {
            assert!(Email::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
