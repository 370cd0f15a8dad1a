//! The keys of `ENCRYPTION_KEY`: the first one encrypts, the others only decrypt.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretBox;

use super::SettingsError;

/// Accepts keys with and without padding, because some tools drop it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A 256-bit key with its id.
#[derive(Debug)]
pub struct EncryptionKey {
    /// The id, which is stored with each ciphertext so that keys can be rotated.
    pub id: u8,
    /// The key.
    pub bytes: SecretBox<[u8; 32]>,
}

/// At least one key, each with a different id.
#[derive(Debug)]
pub struct EncryptionKeys {
    current: EncryptionKey,
    older: Vec<EncryptionKey>,
}

impl EncryptionKeys {
    /// Parses `BASE64`, which gets id 1, or `ID:BASE64,ID:BASE64`, of which the first encrypts.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let mut keys = parts
            .map(parse_key)
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let current = keys
            .next()
            .ok_or(SettingsError::EncryptionKey("is empty"))?;
        let older: Vec<_> = keys.collect();
        let mut ids: Vec<u8> = older.iter().map(|key| key.id).chain([current.id]).collect();
        ids.sort_unstable();
        if ids
            .windows(2)
            .any(|pair| matches!(pair, [first, second] if first == second))
        {
            return Err(SettingsError::EncryptionKey(
                "has two keys with the same id: write ID:BASE64,ID:BASE64, the newest first",
            ));
        }
        Ok(Self { current, older })
    }

    /// The key to encrypt with.
    pub fn current(&self) -> &EncryptionKey {
        &self.current
    }

    /// The keys that only decrypt.
    pub fn older(&self) -> &[EncryptionKey] {
        &self.older
    }

    /// The key with this id.
    pub fn find(&self, id: u8) -> Option<&EncryptionKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

/// One key, with or without its id.
fn parse_key(text: &str) -> Result<EncryptionKey, SettingsError> {
    let (id, encoded) = text.split_once(':').unwrap_or(("1", text));
    let id = id
        .trim()
        .parse()
        .map_err(|_| SettingsError::EncryptionKey("has an id that is not 0 to 255"))?;
    let decoded = BASE64
        .decode(encoded.trim())
        .map_err(|_| SettingsError::EncryptionKey("is not base64"))?;
    let bytes = <[u8; 32]>::try_from(decoded)
        .map_err(|_| SettingsError::EncryptionKey("is not base64 of exactly 32 bytes"))?;
    Ok(EncryptionKey {
        id,
        bytes: SecretBox::new(Box::new(bytes)),
    })
}
