//! The shop and credentials of a mutation's input: parsing, and verification against the shop.

use std::time::Duration;

use async_graphql::{InputObject, OneofObject};

use super::to_sentence;
use super::user_error::{UserError, UserErrorCode};
use crate::domain::credentials::Credentials;
use crate::domain::shop::{ShopDomain, ShopRecord};
use crate::graphql::error::ApiError;
use crate::sync::{ConnectError, SyncService};

/// The maximum length of a credential. Shopify's have about forty characters.
const MAX_CREDENTIAL_LENGTH: usize = 512;

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

/// The paths of the shop and its credentials in a mutation's arguments.
#[derive(Clone, Copy)]
pub(super) struct InputPaths {
    pub(super) domain: &'static [&'static str],
    pub(super) credentials: &'static [&'static str],
}

/// The paths for mutations with a `shop` input.
pub(super) const SHOP_PATHS: InputPaths = InputPaths {
    domain: &["input", "shop", "domain"],
    credentials: &["input", "shop", "credentials"],
};

/// The time limit for verifying a shop, including retries. It is shorter than the time limit of an
/// operation, so that the user gets a specific error.
const VERIFICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// Parses a shop and its credentials. Adds all errors to `errors`.
pub(super) fn parse(
    input: ShopCredentialsInput,
    errors: &mut Vec<UserError>,
) -> Option<(ShopDomain, Credentials)> {
    let domain = ShopDomain::parse(&input.domain)
        .map_err(|error| {
            errors.push(UserError::new(
                SHOP_PATHS.domain,
                UserErrorCode::Invalid,
                to_sentence(&error),
            ));
        })
        .ok();
    let credentials = parse_credentials(input.credentials, SHOP_PATHS, errors);
    domain.zip(credentials)
}

/// Parses credentials. Adds all errors to `errors`.
pub(super) fn parse_credentials(
    input: CredentialsInput,
    fields: InputPaths,
    errors: &mut Vec<UserError>,
) -> Option<Credentials> {
    let mut text = |text: &str, field| parse_secret(text, fields, field, errors);
    match input {
        CredentialsInput::AccessToken(input) => {
            let token = text(&input.token, ["accessToken", "token"]);
            let api_secret = input
                .api_secret
                .map(|secret| text(&secret, ["accessToken", "apiSecret"]));
            // An optional secret must be valid if it is given: an inner `None` is an error.
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

/// A secret that is a valid header value. Rejects pasted line breaks and non-ASCII letters that
/// look like ASCII ones.
fn parse_secret(
    text: &str,
    fields: InputPaths,
    field: [&'static str; 2],
    errors: &mut Vec<UserError>,
) -> Option<String> {
    let text = text.trim();
    if (1..=MAX_CREDENTIAL_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Some(text.to_owned());
    }
    let field = [fields.credentials, &field].concat();
    let message = "Must be 1 to 512 letters, digits and symbols, without spaces.";
    errors.push(UserError::new(&field, UserErrorCode::Invalid, message));
    None
}

/// Verifies the credentials against the shop. The outer error is an internal one, the inner one is
/// for the user.
pub(super) async fn verify(
    sync: &SyncService,
    domain: &ShopDomain,
    credentials: &Credentials,
    fields: InputPaths,
) -> Result<Result<ShopRecord, UserError>, ApiError> {
    match tokio::time::timeout(VERIFICATION_TIMEOUT, sync.verify_shop(domain, credentials)).await {
        Ok(Ok(record)) => Ok(Ok(record)),
        Ok(Err(ConnectError::Db(error))) => Err(error.into()),
        Ok(Err(error)) => to_user_error(&error, fields).map(Err),
        Err(_) => Ok(Err(shop_unreachable(fields))),
    }
}

fn shop_unreachable(fields: InputPaths) -> UserError {
    let message = "The shop is not responding. Try again later.";
    UserError::new(fields.domain, UserErrorCode::ShopUnreachable, message)
}

/// The error for the user, or an internal error.
fn to_user_error(error: &ConnectError, fields: InputPaths) -> Result<UserError, ApiError> {
    let user_error = |field, code| Ok(UserError::new(field, code, to_sentence(error)));
    match error {
        ConnectError::NotFound => user_error(fields.domain, UserErrorCode::ShopNotFound),
        // The log has the details of the shop's response.
        ConnectError::Unreachable(cause) => {
            tracing::info!(error.cause = %cause, "a shop could not be reached");
            Ok(shop_unreachable(fields))
        }
        ConnectError::Suspended(_) => {
            let message =
                "The shop is closed, frozen or locked. Its owner can reopen it in Shopify.";
            Ok(UserError::new(
                fields.domain,
                UserErrorCode::ShopUnreachable,
                message,
            ))
        }
        ConnectError::Rejected => {
            user_error(fields.credentials, UserErrorCode::AccessTokenRejected)
        }
        ConnectError::MissingScopes(_) => {
            user_error(fields.credentials, UserErrorCode::MissingScopes)
        }
        ConnectError::UnknownTimeZone(_) => user_error(fields.domain, UserErrorCode::Invalid),
        ConnectError::Internal(_) | ConnectError::Db(_) => Err(ApiError::internal(error)),
    }
}
