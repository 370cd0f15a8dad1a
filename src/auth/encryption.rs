//! Encrypts stored credentials with AES-256-GCM, with a random nonce from the library. A ciphertext
//! is `key id (1) | nonce (12) | ciphertext | tag (16)`. The tenant is authenticated as associated
//! data, so a value in another tenant's row cannot be decrypted.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice};

use crate::domain::ids::TenantId;

/// Separates these values from any others encrypted with the same key.
const CONTEXT: &[u8] = b"xboard shop credentials 1";

/// Why a value could not be encrypted or decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The settings have no key with this id.
    #[error("encrypted with key {0}, which is not among the encryption keys")]
    UnknownKey(u8),
    /// The ciphertext is malformed, was modified, or belongs to another tenant.
    #[error("the value cannot be decrypted: it was modified, or belongs to another tenant or key")]
    Invalid,
    /// The key is invalid, or there was no randomness.
    #[error("the value could not be encrypted")]
    Failed,
}

/// Encrypts with the first key and decrypts with any key.
pub struct Encryption {
    current: (u8, RandomizedNonceKey),
    older: Vec<(u8, RandomizedNonceKey)>,
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption")
            .field("key.id", &self.current.0)
            .finish_non_exhaustive()
    }
}

impl Encryption {
    /// Encrypts with `current`. The `older` keys, which have other ids, only decrypt.
    pub fn new<'a>(
        current: (u8, &SecretBox<[u8; 32]>),
        older: impl IntoIterator<Item = (u8, &'a SecretBox<[u8; 32]>)>,
    ) -> Result<Self, EncryptionError> {
        Ok(Self {
            current: key(current)?,
            older: older.into_iter().map(key).collect::<Result<_, _>>()?,
        })
    }

    /// Encrypts a value for a tenant.
    pub fn encrypt(&self, tenant: TenantId, plain: &[u8]) -> Result<Vec<u8>, EncryptionError> {
        let (id, key) = &self.current;
        let mut body = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(associated_data(*id, tenant), &mut body)
            .map_err(|_| EncryptionError::Failed)?;
        Ok([&[*id], nonce.as_ref().as_slice(), &body].concat())
    }

    /// Decrypts a value of the tenant.
    pub fn decrypt(
        &self,
        tenant: TenantId,
        ciphertext: &[u8],
    ) -> Result<SecretSlice<u8>, EncryptionError> {
        let (id, rest) = ciphertext.split_first().ok_or(EncryptionError::Invalid)?;
        let (nonce, body) = rest
            .split_at_checked(NONCE_LEN)
            .ok_or(EncryptionError::Invalid)?;
        let key = self.find(*id).ok_or(EncryptionError::UnknownKey(*id))?;
        let nonce =
            Nonce::try_assume_unique_for_key(nonce).map_err(|_| EncryptionError::Invalid)?;
        let mut body = body.to_vec();
        let plain = key
            .open_in_place(nonce, associated_data(*id, tenant), &mut body)
            .map_err(|_| EncryptionError::Invalid)?;
        Ok(SecretSlice::from(plain.to_vec()))
    }

    /// Whether the value should be encrypted again, because its key is no longer the current one.
    #[must_use]
    pub fn is_outdated(&self, ciphertext: &[u8]) -> bool {
        ciphertext.first() != Some(&self.current.0)
    }

    fn find(&self, id: u8) -> Option<&RandomizedNonceKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|(key_id, _)| *key_id == id)
            .map(|(_, key)| key)
    }
}

fn key(
    (id, bytes): (u8, &SecretBox<[u8; 32]>),
) -> Result<(u8, RandomizedNonceKey), EncryptionError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, bytes.expose_secret())
        .map_err(|_| EncryptionError::Failed)?;
    Ok((id, key))
}

fn associated_data(key_id: u8, tenant: TenantId) -> Aad<Vec<u8>> {
    Aad::from([CONTEXT, &[key_id], tenant.uuid().as_bytes().as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(fill: u8) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new([fill; 32]))
    }

    #[test]
    fn a_value_can_be_decrypted_for_its_own_tenant_only() {
        let encryption = Encryption::new((1, &bytes(1)), []).unwrap();
        let tenant = TenantId::generate();
        let value = encryption.encrypt(tenant, b"shpat_secret").unwrap();
        assert_eq!(value.len(), 1 + 12 + 12 + 16);
        assert_eq!(
            encryption.decrypt(tenant, &value).unwrap().expose_secret(),
            b"shpat_secret"
        );
        let other = encryption.decrypt(TenantId::generate(), &value);
        assert_eq!(other.unwrap_err(), EncryptionError::Invalid);
    }

    #[test]
    fn encrypting_a_value_twice_gives_different_results() {
        let encryption = Encryption::new((1, &bytes(1)), []).unwrap();
        let tenant = TenantId::generate();
        assert_ne!(
            encryption.encrypt(tenant, b"x").unwrap(),
            encryption.encrypt(tenant, b"x").unwrap()
        );
    }

    #[test]
    fn a_changed_or_truncated_value_cannot_be_decrypted() {
        let encryption = Encryption::new((1, &bytes(1)), []).unwrap();
        let tenant = TenantId::generate();
        let value = encryption.encrypt(tenant, b"secret").unwrap();
        for index in 1..value.len() {
            let mut changed = value.clone();
            changed[index] ^= 1;
            assert_eq!(
                encryption.decrypt(tenant, &changed).unwrap_err(),
                EncryptionError::Invalid
            );
        }
        for end in 0..value.len() {
            assert_eq!(
                encryption.decrypt(tenant, &value[..end]).unwrap_err(),
                EncryptionError::Invalid
            );
        }
    }

    #[test]
    fn after_a_rotation_the_old_key_decrypts_and_the_new_one_encrypts() {
        let tenant = TenantId::generate();
        let before = Encryption::new((1, &bytes(1)), []).unwrap();
        let old = before.encrypt(tenant, b"secret").unwrap();
        let (new_key, old_key) = (bytes(2), bytes(1));
        let after = Encryption::new((2, &new_key), [(1, &old_key)]).unwrap();
        assert_eq!(
            after.decrypt(tenant, &old).unwrap().expose_secret(),
            b"secret"
        );
        assert!(after.is_outdated(&old));
        let new = after.encrypt(tenant, b"secret").unwrap();
        assert!(!after.is_outdated(&new));
        assert_eq!(
            before.decrypt(tenant, &new).unwrap_err(),
            EncryptionError::UnknownKey(2)
        );
    }
}
