//! The store and its credentials, as somebody typed them: read into domain values, or told what is wrong.

use async_graphql::{InputObject, OneofObject};
use secrecy::SecretString;

use super::sentence;
use super::user_error::{UserError, UserErrorCode};
use crate::domain::credentials::Credentials;
use crate::domain::shop::ShopDomain;

/// The longest credential that is taken: Shopify's own have some forty characters.
const LONGEST: usize = 512;

/// A store and what lets XBoard read it. Needed access scopes: `read_orders`, `read_customers`,
/// `read_products`; with `read_all_orders` also the orders older than 60 days.
#[derive(InputObject)]
pub(super) struct ShopCredentialsInput {
    /// The store's permanent domain: `my-store.myshopify.com`.
    pub(super) domain: String,
    /// What lets XBoard read the store. Kept encrypted.
    credentials: CredentialsInput,
}

/// One of the two ways in which Shopify lets an app read a store.
#[derive(OneofObject)]
pub(super) enum CredentialsInput {
    /// The Admin API access token of a custom app of the store.
    AccessToken(AccessTokenInput),
    /// An app's client id and secret, traded for short-lived tokens (client-credentials grant).
    ClientCredentials(ClientCredentialsInput),
}

/// A static Admin API access token.
#[derive(InputObject)]
pub(super) struct AccessTokenInput {
    /// The token: `shpat_…`.
    token: String,
    /// The app's secret, which signs its webhooks. Without it changes arrive by polling.
    api_secret: Option<String>,
}

/// An app's own name and secret.
#[derive(InputObject)]
pub(super) struct ClientCredentialsInput {
    /// The app's client id.
    client_id: String,
    /// The app's client secret; it signs the app's webhooks too.
    client_secret: String,
}

/// Reads a store and its credentials; `errors` gets all that is wrong with them.
pub(super) fn parse(
    input: ShopCredentialsInput,
    errors: &mut Vec<UserError>,
) -> Option<(ShopDomain, Credentials)> {
    let domain = ShopDomain::parse(&input.domain)
        .map_err(|error| {
            let field = ["input", "shop", "domain"];
            errors.push(UserError::new(
                &field,
                UserErrorCode::Invalid,
                sentence(&error),
            ));
        })
        .ok();
    let credentials = match input.credentials {
        CredentialsInput::AccessToken(input) => {
            let token = secret(&input.token, ["accessToken", "token"], errors);
            let api_secret = input
                .api_secret
                .map(|text| secret(&text, ["accessToken", "apiSecret"], errors));
            // An optional secret that is there must be good: `None` inside means that it is not.
            match (token, api_secret) {
                (Some(token), None) => Some(Credentials::AccessToken {
                    token,
                    api_secret: None,
                }),
                (Some(token), Some(Some(api_secret))) => Some(Credentials::AccessToken {
                    token,
                    api_secret: Some(api_secret),
                }),
                _ => None,
            }
        }
        CredentialsInput::ClientCredentials(input) => {
            let client_id = printable(&input.client_id, ["clientCredentials", "clientId"], errors);
            let client_secret = secret(
                &input.client_secret,
                ["clientCredentials", "clientSecret"],
                errors,
            );
            client_id
                .zip(client_secret)
                .map(
                    |(client_id, client_secret)| Credentials::ClientCredentials {
                        client_id,
                        client_secret,
                    },
                )
        }
    };
    domain.zip(credentials)
}

fn secret(text: &str, field: [&str; 2], errors: &mut Vec<UserError>) -> Option<SecretString> {
    printable(text, field, errors).map(SecretString::from)
}

/// Text that can stand in a header: a pasted line break or a letter that only looks like one is told at once.
fn printable(text: &str, field: [&str; 2], errors: &mut Vec<UserError>) -> Option<String> {
    let text = text.trim();
    if (1..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text.to_owned());
    }
    let [kind, name] = field;
    let field = ["input", "shop", "credentials", kind, name];
    let message = "This must be 1 to 512 letters, digits and signs, without spaces.";
    errors.push(UserError::new(&field, UserErrorCode::Invalid, message));
    None
}
