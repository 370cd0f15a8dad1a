//! The store and its credentials, as somebody typed them: read into domain values and proven by asking the
//! store, or told what is wrong.

use std::time::Duration;

use async_graphql::{InputObject, OneofObject};

use super::sentence;
use super::user_error::{UserError, UserErrorCode};
use crate::domain::credentials::Credentials;
use crate::domain::shop::{ShopDomain, ShopRecord};
use crate::graphql::error::ApiError;
use crate::sync::{ConnectError, SyncService};

/// The longest credential that is taken: Shopify's own have some forty characters.
const LONGEST: usize = 512;

/// A shop and the credentials to read it with. Required access scopes: `read_orders`,
/// `read_customers`, `read_products`. Orders older than 60 days also need `read_all_orders`.
#[derive(InputObject)]
pub(super) struct ShopCredentialsInput {
    /// The shop's permanent domain: `my-store.myshopify.com`.
    pub(super) domain: String,
    /// The credentials of an app with access to the shop. Stored encrypted.
    credentials: CredentialsInput,
}

/// The credentials of a Shopify app. Give exactly one of the two kinds.
#[derive(OneofObject)]
pub(super) enum CredentialsInput {
    /// The Admin API access token of a custom app of the shop.
    AccessToken(AccessTokenInput),
    /// An app's client id and client secret. XBoard exchanges them for short-lived tokens
    /// (client-credentials grant).
    ClientCredentials(ClientCredentialsInput),
}

/// A static Admin API access token.
#[derive(InputObject)]
pub(super) struct AccessTokenInput {
    /// The token: `shpat_…`.
    token: String,
    /// The app's API secret key. Shopify signs the app's webhooks with it. Without it, changes
    /// arrive by polling only.
    api_secret: Option<String>,
}

/// The client id and client secret of a Shopify app.
#[derive(InputObject)]
pub(super) struct ClientCredentialsInput {
    /// The app's client id.
    client_id: String,
    /// The app's client secret. Shopify also signs the app's webhooks with it.
    client_secret: String,
}

/// Where in a mutation's arguments the store and its credentials are.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) domain: &'static [&'static str],
    pub(super) credentials: &'static [&'static str],
}

/// A store as part of the input.
pub(super) const OF_SHOP: Fields = Fields {
    domain: &["input", "shop", "domain"],
    credentials: &["input", "shop", "credentials"],
};

/// How long a store may take to prove itself, retries included: less than an operation may take, so that
/// the user is told what is the matter.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// Reads a store and its credentials; `errors` gets all that is wrong with them.
pub(super) fn parse(
    input: ShopCredentialsInput,
    errors: &mut Vec<UserError>,
) -> Option<(ShopDomain, Credentials)> {
    let domain = ShopDomain::parse(&input.domain)
        .map_err(|error| {
            errors.push(UserError::new(
                OF_SHOP.domain,
                UserErrorCode::Invalid,
                sentence(&error),
            ));
        })
        .ok();
    let credentials = parse_credentials(input.credentials, OF_SHOP, errors);
    domain.zip(credentials)
}

/// Reads credentials; `errors` gets all that is wrong with them.
pub(super) fn parse_credentials(
    input: CredentialsInput,
    fields: Fields,
    errors: &mut Vec<UserError>,
) -> Option<Credentials> {
    let mut text = |text: &str, field| printable(text, fields, field, errors);
    match input {
        CredentialsInput::AccessToken(input) => {
            let token = text(&input.token, ["accessToken", "token"]);
            let api_secret = input
                .api_secret
                .map(|secret| text(&secret, ["accessToken", "apiSecret"]));
            // An optional secret that is there must be good: `None` inside means that it is not.
            let api_secret = match api_secret {
                None => None,
                Some(secret) => Some(secret?.into()),
            };
            Some(Credentials::AccessToken {
                token: token?.into(),
                api_secret,
            })
        }
        CredentialsInput::ClientCredentials(input) => {
            let client_id = text(&input.client_id, ["clientCredentials", "clientId"]);
            let client_secret = text(&input.client_secret, ["clientCredentials", "clientSecret"]);
            Some(Credentials::ClientCredentials {
                client_id: client_id?,
                client_secret: client_secret?.into(),
            })
        }
    }
}

/// Text that can stand in a header: a pasted line break or a letter that only looks like one is told at once.
fn printable(
    text: &str,
    fields: Fields,
    field: [&'static str; 2],
    errors: &mut Vec<UserError>,
) -> Option<String> {
    let text = text.trim();
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    let field = [fields.credentials, &field].concat();
    let message = "This must be 1 to 512 letters, digits and signs, without spaces.";
    errors.push(UserError::new(&field, UserErrorCode::Invalid, message));
    None
}

/// Asks the store who it is. The outer error is ours to repair, the inner one the user's.
pub(super) async fn prove(
    sync: &SyncService,
    domain: &ShopDomain,
    credentials: &Credentials,
    fields: Fields,
) -> Result<Result<ShopRecord, UserError>, ApiError> {
    match tokio::time::timeout(STORE_PATIENCE, sync.verify_shop(domain, credentials)).await {
        Ok(Ok(record)) => Ok(Ok(record)),
        Ok(Err(ConnectError::Db(error))) => Err(error.into()),
        Ok(Err(error)) => connect_error(&error, fields).map(Err),
        Err(_) => Ok(Err(unreachable_shop(fields))),
    }
}

fn unreachable_shop(fields: Fields) -> UserError {
    let message = "The store does not answer at present. Try again later.";
    UserError::new(fields.domain, UserErrorCode::ShopUnreachable, message)
}

/// Why the store could not be connected: told to the user, or ours to repair.
fn connect_error(error: &ConnectError, fields: Fields) -> Result<UserError, ApiError> {
    let told = |field, code| Ok(UserError::new(field, code, sentence(error)));
    match error {
        ConnectError::NotFound => told(fields.domain, UserErrorCode::ShopNotFound),
        // What exactly the store answered is for the log.
        ConnectError::Unreachable(cause) => {
            tracing::info!(error.cause = %cause, "a store could not be reached");
            Ok(unreachable_shop(fields))
        }
        ConnectError::Suspended(_) => {
            let message =
                "The store is closed, frozen or locked. Its owner can reopen it at Shopify.";
            Ok(UserError::new(
                fields.domain,
                UserErrorCode::ShopUnreachable,
                message,
            ))
        }
        ConnectError::Rejected => told(fields.credentials, UserErrorCode::AccessTokenRejected),
        ConnectError::MissingScopes(_) => told(fields.credentials, UserErrorCode::MissingScopes),
        ConnectError::UnknownTimeZone(_) => told(fields.domain, UserErrorCode::Invalid),
        ConnectError::Internal(_) | ConnectError::Db(_) => Err(ApiError::internal(error)),
    }
}
