//! What a store's owner gives so that its data can be read. Never shown: not by Debug, not in a log.

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
}

impl Credentials {
    /// The kind, as the database keeps it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccessToken { .. } => "ACCESS_TOKEN",
            Self::ClientCredentials { .. } => "CLIENT_CREDENTIALS",
        }
    }
}
