//! What a store's owner gives so that its data can be read. Never shown: not by Debug, not in a log.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// How the store lets the app in.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A static Admin API access token of a custom app.
    AccessToken {
        /// `shpat_…`
        token: SecretString,
        /// The app's secret, which signs its webhooks; without it webhooks cannot be verified.
        api_secret: Option<SecretString>,
    },
    /// An app's client id and secret, traded for a token of 24 hours (client-credentials grant).
    ClientCredentials {
        /// The public part.
        client_id: String,
        /// The secret part; it signs the app's webhooks too.
        client_secret: SecretString,
    },
    /// What a merchant's consent gave the operator's own app (authorization-code grant).
    Installed(TokenPair),
}

/// What a merchant's consent, or the refresh token of the pair before, was traded for.
#[derive(Clone, Debug)]
pub struct TokenPair {
    /// What requests are sent with; lives for an hour.
    pub access_token: SecretString,
    /// When it ends (UTC), counted from before it was asked for.
    pub access_expires_at: DateTime<Utc>,
    /// What the next pair is got with; lives for 90 days.
    pub refresh_token: SecretString,
}

impl Credentials {
    /// The kind, as the database keeps it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccessToken { .. } => "ACCESS_TOKEN",
            Self::ClientCredentials { .. } => "CLIENT_CREDENTIALS",
            Self::Installed(_) => "OAUTH",
        }
    }
}
