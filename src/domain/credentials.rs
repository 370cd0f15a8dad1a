//! Credentials for a shop. `Debug` and logs do not show them.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// The kinds of credentials.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A static Admin API access token of a custom app.
    AccessToken {
        /// The token: `shpat_…`.
        token: SecretString,
        /// The app's API secret key, which signs webhooks. Without it, webhooks cannot be verified.
        api_secret: Option<SecretString>,
    },
    /// An app's client id and secret, exchanged for a token that expires after 24 hours
    /// (client-credentials grant).
    ClientCredentials {
        /// The client id.
        client_id: String,
        /// The client secret. Shopify also signs the app's webhooks with it.
        client_secret: SecretString,
    },
    /// Tokens for the operator's own app, after the merchant's consent (authorization-code grant).
    Installed(TokenPair),
}

/// An access token and its refresh token.
#[derive(Clone, Debug)]
pub struct TokenPair {
    /// The access token. It expires after an hour.
    pub access_token: SecretString,
    /// The expiry (UTC), calculated from the time before the request.
    pub access_expires_at: DateTime<Utc>,
    /// The refresh token. It expires after 90 days.
    pub refresh_token: SecretString,
}

impl Credentials {
    /// The code of the kind in the database.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccessToken { .. } => "ACCESS_TOKEN",
            Self::ClientCredentials { .. } => "CLIENT_CREDENTIALS",
            Self::Installed(_) => "OAUTH",
        }
    }
}
