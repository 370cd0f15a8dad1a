//! Why the settings cannot be used.

use std::path::PathBuf;

/// Why the settings cannot be used. Never repeats a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// With a database of the operator's, the secrets must be the operator's too.
    #[error(
        "DATABASE_URL is set, so these must be set too: {}. Make each with: openssl rand -base64 32. \
         Keep them: without the same ENCRYPTION_KEY the stores must be connected again",
        .0.join(", ")
    )]
    Missing(Vec<&'static str>),
    /// Not a PostgreSQL address.
    #[error("DATABASE_URL must look like postgres://user:password@host:5432/database")]
    DatabaseUrl,
    /// Too short to sign with.
    #[error(
        "JWT_SECRET has {0} bytes and needs at least 32. Make one with: openssl rand -base64 32"
    )]
    JwtSecretTooShort(usize),
    /// Half an app.
    #[error(
        "merchants can install an app only with SHOPIFY_API_KEY, SHOPIFY_API_SECRET and PUBLIC_URL: set all of them, or \
         neither of the first two"
    )]
    App,
    /// Not a list of keys.
    #[error("ENCRYPTION_KEY {0}. Make one with: openssl rand -base64 32")]
    EncryptionKey(&'static str),
    /// Any other setting that is not what it should be.
    #[error("{name} is {value:?}, but must be {expected}")]
    Invalid {
        /// The setting.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should say.
        expected: &'static str,
    },
    /// No place to keep data.
    #[error("there is no home directory to keep data in: set XBOARD_DATA_DIR (or DATABASE_URL)")]
    NoDataDirectory,
    /// A kept secret could not be read or written.
    #[error("cannot keep {name} in {path}")]
    Kept {
        /// The setting.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The `.env` file is not one.
    #[error("cannot read .env: {0}")]
    DotEnv(String),
}
