//! Seals what must not be read from a stolen database: AES-256-GCM, with a random nonce that the library
//! makes itself. A sealed value is `key id (1) | nonce (12) | ciphertext | tag (16)`. The tenant is
//! authenticated with it, so a value that is moved into another store's row does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice};

use crate::domain::ids::TenantId;

/// Sets these values apart from anything else that might be sealed with the same key.
const PURPOSE: &[u8] = b"xboard shop credentials 1";

/// Why a value did not seal or open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No key of this id is in the settings.
    #[error("sealed with the key {0}, which is not among the encryption keys")]
    UnknownKey(u8),
    /// Not a sealed value, changed since, or another tenant's.
    #[error("the sealed value does not open: it was changed, or belongs to another tenant or key")]
    Broken,
    /// The key is unusable or there was no randomness.
    #[error("the value could not be sealed")]
    Failed,
}

/// Seals with the first key and opens with any.
pub struct Sealer {
    current: (u8, RandomizedNonceKey),
    older: Vec<(u8, RandomizedNonceKey)>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("key.id", &self.current.0)
            .finish_non_exhaustive()
    }
}

impl Sealer {
    /// Seals with `current`; `older` keys, with ids of their own, only open.
    pub fn new<'a>(
        current: (u8, &SecretBox<[u8; 32]>),
        older: impl IntoIterator<Item = (u8, &'a SecretBox<[u8; 32]>)>,
    ) -> Result<Self, SealError> {
        Ok(Self {
            current: key(current)?,
            older: older.into_iter().map(key).collect::<Result<_, _>>()?,
        })
    }

    /// Seals a value for a tenant.
    pub fn seal(&self, tenant: TenantId, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let (id, key) = &self.current;
        let mut body = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(context(*id, tenant), &mut body)
            .map_err(|_| SealError::Failed)?;
        Ok([&[*id], nonce.as_ref().as_slice(), &body].concat())
    }

    /// Opens what was sealed for the tenant.
    pub fn open(&self, tenant: TenantId, sealed: &[u8]) -> Result<SecretSlice<u8>, SealError> {
        let (id, rest) = sealed.split_first().ok_or(SealError::Broken)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(SealError::Broken)?;
        let key = self.find(*id).ok_or(SealError::UnknownKey(*id))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Broken)?;
        let mut body = body.to_vec();
        let plain = key
            .open_in_place(nonce, context(*id, tenant), &mut body)
            .map_err(|_| SealError::Broken)?;
        Ok(SecretSlice::from(plain.to_vec()))
    }

    /// Whether the value should be sealed again, because its key is no longer the current one.
    #[must_use]
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        sealed.first() != Some(&self.current.0)
    }

    fn find(&self, id: u8) -> Option<&RandomizedNonceKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|(known, _)| *known == id)
            .map(|(_, key)| key)
    }
}

fn key((id, bytes): (u8, &SecretBox<[u8; 32]>)) -> Result<(u8, RandomizedNonceKey), SealError> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, bytes.expose_secret())
        .map_err(|_| SealError::Failed)?;
    Ok((id, key))
}

fn context(key_id: u8, tenant: TenantId) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, &[key_id], tenant.uuid().as_bytes().as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(fill: u8) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new([fill; 32]))
    }

    #[test]
    fn a_value_opens_for_its_tenant_only() {
        let sealer = Sealer::new((1, &bytes(1)), []).unwrap();
        let tenant = TenantId::generate();
        let value = sealer.seal(tenant, b"shpat_secret").unwrap();
        assert_eq!(value.len(), 1 + 12 + 12 + 16);
        assert_eq!(
            sealer.open(tenant, &value).unwrap().expose_secret(),
            b"shpat_secret"
        );
        let other = sealer.open(TenantId::generate(), &value);
        assert_eq!(other.unwrap_err(), SealError::Broken);
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let sealer = Sealer::new((1, &bytes(1)), []).unwrap();
        let tenant = TenantId::generate();
        assert_ne!(
            sealer.seal(tenant, b"x").unwrap(),
            sealer.seal(tenant, b"x").unwrap()
        );
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let sealer = Sealer::new((1, &bytes(1)), []).unwrap();
        let tenant = TenantId::generate();
        let value = sealer.seal(tenant, b"secret").unwrap();
        for index in 1..value.len() {
            let mut changed = value.clone();
            changed[index] ^= 1;
            assert_eq!(
                sealer.open(tenant, &changed).unwrap_err(),
                SealError::Broken
            );
        }
        for end in 0..value.len() {
            assert_eq!(
                sealer.open(tenant, &value[..end]).unwrap_err(),
                SealError::Broken
            );
        }
    }

    #[test]
    fn after_a_rotation_the_old_key_opens_and_the_new_one_seals() {
        let tenant = TenantId::generate();
        let before = Sealer::new((1, &bytes(1)), []).unwrap();
        let old = before.seal(tenant, b"secret").unwrap();
        let (new_key, old_key) = (bytes(2), bytes(1));
        let after = Sealer::new((2, &new_key), [(1, &old_key)]).unwrap();
        assert_eq!(after.open(tenant, &old).unwrap().expose_secret(), b"secret");
        assert!(after.is_outdated(&old));
        let new = after.seal(tenant, b"secret").unwrap();
        assert!(!after.is_outdated(&new));
        assert_eq!(
            before.open(tenant, &new).unwrap_err(),
            SealError::UnknownKey(2)
        );
    }
}
