//! User errors, in the form that Shopify's own API uses.

use async_graphql::{Enum, SimpleObject};

/// An error in the input of a mutation. The mutation changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub(super) struct UserError {
    /// The path of the invalid argument or field: `["input", "shop", "domain"]`. Null if the error
    /// belongs to no single field.
    field: Option<Vec<String>>,
    /// The error in a sentence, to show to the user.
    message: String,
    /// The error code, for programs.
    code: UserErrorCode,
}

impl UserError {
    /// An error at this path of the arguments. An empty path belongs to no single field.
    pub(super) fn new(field: &[&str], code: UserErrorCode, message: impl Into<String>) -> Self {
        let names: Vec<_> = field.iter().map(|&name| name.to_owned()).collect();
        Self {
            field: Some(names).filter(|names| !names.is_empty()),
            message: message.into(),
            code,
        }
    }
}

/// The codes of errors in the input of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(super) enum UserErrorCode {
    /// The value is invalid or has the wrong format.
    Invalid,
    /// The value is already in use.
    Taken,
    /// The password is shorter than 12 characters.
    TooShort,
    /// The password is too common.
    TooCommon,
    /// The email address or the password is wrong.
    InvalidCredentials,
    /// Shopify has no shop with this domain.
    ShopNotFound,
    /// The shop did not respond, or is closed. Try again later.
    ShopUnreachable,
    /// The shop is already connected.
    ShopAlreadyConnected,
    /// Shopify rejected the credentials.
    AccessTokenRejected,
    /// The app was not granted all required access scopes. The message lists the missing ones.
    MissingScopes,
    /// The user's role does not allow the change.
    NotAllowed,
    /// Too many attempts. The message says how long to wait.
    RateLimited,
    /// The token or session has expired.
    Expired,
    /// The shop is disconnected. Connect it again first.
    ShopDisconnected,
    /// The change would leave the shop without an owner.
    LastOwner,
    /// The maximum number has been reached.
    TooMany,
}
