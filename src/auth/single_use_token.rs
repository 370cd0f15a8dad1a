//! Random single-use tokens: 32 random bytes with a prefix that names their purpose. Scanners for
//! leaked secrets recognise the prefix. The owner has the token; the database stores only its hash.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use super::tokens::TokenError;

/// The purpose of a token. A token is invalid for any other purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Refreshing a session.
    Refresh,
    /// Accepting an invitation to a shop.
    Invitation,
    /// Setting a new password.
    PasswordReset,
    /// The `state` of an OAuth installation in progress.
    InstallState,
    /// The browser of an OAuth installation in progress.
    InstallBrowser,
    /// Claiming a shop whose merchant installed the app.
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

/// A single-use token.
#[derive(Clone, Debug)]
pub struct SingleUseToken(SecretString);

impl SingleUseToken {
    /// Generates a token.
    pub fn generate(purpose: Purpose) -> Result<Self, TokenError> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| TokenError::Signing)?;
        let encoded = URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self(SecretString::from(format!(
            "{}{encoded}",
            purpose.prefix()
        ))))
    }

    /// Parses a token from a request. Malformed tokens never reach the database.
    pub fn parse(purpose: Purpose, text: &str) -> Result<Self, TokenError> {
        let decoded = text
            .strip_prefix(purpose.prefix())
            .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
        match decoded {
            Some(bytes) if bytes.len() == 32 => Ok(Self(SecretString::from(text))),
            _ => Err(TokenError::Invalid),
        }
    }

    /// The token itself, for its owner.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// The stored hash. Plain SHA-256 is enough, because 32 random bytes cannot be guessed.
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
        let token = SingleUseToken::generate(Purpose::Invitation).unwrap();
        let text = token.secret().expose_secret();
        let read = SingleUseToken::parse(Purpose::Invitation, text).unwrap();
        assert_eq!(read.hash(), token.hash());
        assert!(SingleUseToken::parse(Purpose::PasswordReset, text).is_err());
        assert!(SingleUseToken::parse(Purpose::Refresh, text).is_err());
        assert!(!format!("{token:?}").contains(&text[4..]));
    }

    #[test]
    fn what_cannot_be_a_token_is_refused() {
        for wrong in ["", "xbi_", "xbi_AAAA", "xbi_!", &"x".repeat(1_000)] {
            assert!(
                SingleUseToken::parse(Purpose::Invitation, wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
