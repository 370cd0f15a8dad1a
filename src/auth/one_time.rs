//! Random strings that are worth something once: 32 bytes from the system, with a prefix that says what they
//! are for and lets scanners for leaked secrets tell them. Their owner has the string; what is kept of it is
//! its hash.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use super::tokens::TokenError;

/// What a token is for. One of another kind is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The next pair of tokens of a session.
    Refresh,
    /// Becoming a member of a store.
    Invitation,
    /// A new password for somebody who forgot theirs.
    PasswordReset,
    /// A merchant's consent that is under way.
    InstallState,
    /// The browser in which the merchant is asked.
    InstallBrowser,
    /// Taking over a store whose merchant agreed.
    InstallClaim,
}

impl Purpose {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "xbr_",
            Self::Invitation => "xbi_",
            Self::PasswordReset => "xbp_",
            Self::InstallState => "xbs_",
            Self::InstallBrowser => "xbb_",
            Self::InstallClaim => "xbc_",
        }
    }
}

/// A token, in the hands of its owner.
#[derive(Clone, Debug)]
pub struct OneTimeToken(SecretString);

impl OneTimeToken {
    /// A new one.
    pub fn generate(purpose: Purpose) -> Result<Self, TokenError> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| TokenError::Signing)?;
        let encoded = URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self(SecretString::from(format!(
            "{}{encoded}",
            purpose.prefix()
        ))))
    }

    /// Reads what somebody sent: nothing that cannot be such a token reaches the database.
    pub fn parse(purpose: Purpose, text: &str) -> Result<Self, TokenError> {
        let decoded = text
            .strip_prefix(purpose.prefix())
            .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
        match decoded {
            Some(bytes) if bytes.len() == 32 => Ok(Self(SecretString::from(text))),
            _ => Err(TokenError::Invalid),
        }
    }

    /// The token, for its owner.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// What is kept of it. Plain SHA-256 is enough: 32 random bytes cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, self.0.expose_secret().as_bytes())
            .as_ref()
            .to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_purpose_only() {
        let token = OneTimeToken::generate(Purpose::Invitation).unwrap();
        let text = token.secret().expose_secret();
        let read = OneTimeToken::parse(Purpose::Invitation, text).unwrap();
        assert_eq!(read.hash(), token.hash());
        assert!(OneTimeToken::parse(Purpose::PasswordReset, text).is_err());
        assert!(OneTimeToken::parse(Purpose::Refresh, text).is_err());
        assert!(!format!("{token:?}").contains(&text[4..]));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        for wrong in ["", "xbi_", "xbi_AAAA", "xbi_!", &"x".repeat(1_000)] {
            assert!(
                OneTimeToken::parse(Purpose::Invitation, wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
