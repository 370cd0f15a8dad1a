//! Errors in the settings.

use std::path::PathBuf;

/// Why the settings are invalid. Contains no secrets.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// If the operator provides the database, the operator must provide the secrets too.
    #[error(
        "DATABASE_URL is set, so these must be set too: {}. Make each with: openssl rand -base64 32. \
         Keep them: without the same ENCRYPTION_KEY, the shops must be connected again",
        .0.join(", ")
    )]
    Missing(Vec<&'static str>),
    /// Not the address of a PostgreSQL database.
    #[error("DATABASE_URL must look like postgres://user:password@host:5432/database")]
    DatabaseUrl,
    /// The signing secret is too short.
    #[error(
        "JWT_SECRET has {0} bytes and needs at least 32. Make one with: openssl rand -base64 32"
    )]
    JwtSecretTooShort(usize),
    /// The settings of the operator's app are incomplete.
    #[error(
        "merchants can install an app only with SHOPIFY_API_KEY, SHOPIFY_API_SECRET and PUBLIC_URL: set all of them, or \
         neither of the first two"
    )]
    App,
    /// Not a list of keys.
    #[error("ENCRYPTION_KEY {0}. Make one with: openssl rand -base64 32")]
    EncryptionKey(&'static str),
    /// Any other invalid setting.
    #[error("{name} is {value:?}, but must be {expected}")]
    Invalid {
        /// The name of the setting.
        name: &'static str,
        /// The invalid value.
        value: String,
        /// A description of valid values.
        expected: &'static str,
    },
    /// There is no directory for the data.
    #[error("there is no home directory for the data: set XBOARD_DATA_DIR (or DATABASE_URL)")]
    NoDataDirectory,
    /// A generated secret could not be read or written.
    #[error("cannot store {name} in {path}")]
    GeneratedSecret {
        /// The name of the setting.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The `.env` file is invalid.
    #[error("cannot read .env: {0}")]
    DotEnv(String),
}
