//! The keys of `ENCRYPTION_KEY`: one that encrypts, and older ones that can still decrypt.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretBox;

use super::SettingsError;

/// Takes a key with its padding or without: some tools drop it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A 256-bit key and the number it is known by in the database.
#[derive(Debug)]
pub struct EncryptionKey {
    /// Stands in front of what the key encrypted, so that keys can change.
    pub id: u8,
    /// The key.
    pub bytes: SecretBox<[u8; 32]>,
}

/// At least one key, each with an id of its own.
#[derive(Debug)]
pub struct EncryptionKeys {
    current: EncryptionKey,
    older: Vec<EncryptionKey>,
}

impl EncryptionKeys {
    /// Reads `BASE64`, which gets the id 1, or `ID:BASE64,ID:BASE64`, of which the first encrypts.
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

    /// The key that encrypted what stands behind this id.
    pub fn find(&self, id: u8) -> Option<&EncryptionKey> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .find(|key| key.id == id)
    }
}

/// One key, with its id or without.
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
