//! Hashes passwords with bcrypt and verifies them. [`password_rules`](super::password_rules) checks
//! new passwords.
//!
//! bcrypt reads only 72 bytes and stops at a zero byte. To keep all of a long passphrase, bcrypt
//! gets `base64(HMAC-SHA-256("xboard password 1", password))`, which is always 44 bytes. The HMAC
//! key is not secret. It makes a leaked plain SHA-256 of the same password useless here.

use std::sync::Arc;
use std::thread::available_parallelism;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

/// Separates this use of HMAC from any other. Changing it invalidates all stored hashes.
const CONTEXT: &[u8] = b"xboard password 1";

/// Why a password could not be hashed or verified. A wrong password is not an error.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The stored hash is malformed, or there was no randomness.
    #[error("bcrypt: {0}")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// The hashing thread stopped, because the program is shutting down.
    #[error("the password hashing was cancelled")]
    Stopped,
}

/// Hashes and verifies passwords on the blocking pool. At most one per core runs at a time.
#[derive(Clone, Debug)]
pub struct Passwords {
    cost: u32,
    slots: Arc<Semaphore>,
    dummy: Arc<str>,
}

impl Passwords {
    /// Uses this bcrypt cost (4 to 31; each step doubles the time).
    #[must_use]
    pub fn new(cost: u32) -> Self {
        let cores = available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            cost,
            slots: Arc::new(Semaphore::new(cores)),
            dummy: dummy_hash(cost).into(),
        }
    }

    /// A salted hash to store.
    pub async fn hash(&self, password: &SecretString) -> Result<SecretString, PasswordError> {
        let (input, cost) = (prepared(password), self.cost);
        self.run(move || bcrypt::non_truncating_hash(input.expose_secret(), cost))
            .await
            .map(SecretString::from)
    }

    /// Whether the password matches the hash. Without a hash (unknown user) the check takes the
    /// same time and returns false.
    pub async fn verify(
        &self,
        password: &SecretString,
        hash: Option<&SecretString>,
    ) -> Result<bool, PasswordError> {
        let input = prepared(password);
        let known = hash.is_some();
        let hash = hash
            .cloned()
            .unwrap_or_else(|| SecretString::from(self.dummy.as_ref()));
        let same = self
            .run(move || bcrypt::non_truncating_verify(input.expose_secret(), hash.expose_secret()))
            .await?;
        Ok(same && known)
    }

    /// Runs the work on the blocking pool. The work holds its slot until it ends, so that a
    /// cancelled request does not allow one more to run in parallel.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Stopped)?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(slot);
            result
        })
        .await
        .map_err(|_| PasswordError::Stopped)?
        .map_err(PasswordError::from)
    }
}

/// The input of bcrypt: always 44 bytes, none of them zero.
fn prepared(password: &SecretString) -> SecretString {
    let key = hmac::Key::new(hmac::HMAC_SHA256, CONTEXT);
    let digest = hmac::sign(&key, password.expose_secret().as_bytes());
    SecretString::from(STANDARD.encode(digest))
}

/// A well-formed hash of this cost that matches no known password.
fn dummy_hash(cost: u32) -> String {
    format!("$2b${cost:02}$XBoardXBoardXBoardXBouDUMMYDUMMYDUMMYDUMMYDUMMYDUMMYu")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn only_the_password_that_was_hashed_matches() {
        let passwords = Passwords::new(4);
        let hash = passwords.hash(&secret("a long passphrase")).await.unwrap();
        assert!(hash.expose_secret().starts_with("$2b$04$"));
        assert!(
            passwords
                .verify(&secret("a long passphrase"), Some(&hash))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify(&secret("a long passphrasE"), Some(&hash))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn nothing_is_cut_after_72_bytes_or_at_a_zero_byte() {
        let passwords = Passwords::new(4);
        let long = "x".repeat(100);
        let hash = passwords.hash(&secret(&format!("{long}a"))).await.unwrap();
        assert!(
            !passwords
                .verify(&secret(&format!("{long}b")), Some(&hash))
                .await
                .unwrap()
        );
        let hash = passwords.hash(&secret("begins\0ends")).await.unwrap();
        assert!(
            !passwords
                .verify(&secret("begins\0goes on"), Some(&hash))
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn an_unknown_user_is_checked_against_a_real_hash_and_refused() {
        let passwords = Passwords::new(4);
        assert!(
            !passwords
                .verify(&secret("whatever it is"), None)
                .await
                .unwrap()
        );
        let dummy: bcrypt::HashParts = dummy_hash(12).parse().unwrap();
        assert_eq!(dummy.get_cost(), 12);
    }

    #[test]
    fn debug_shows_no_password() {
        assert!(!format!("{:?}", prepared(&secret("hunter2"))).contains("hunter2"));
    }
}
