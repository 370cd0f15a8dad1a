//! What was wrong with an input, as Shopify's own API says it.

use async_graphql::{Enum, SimpleObject};

/// Something in the input that has to change before the mutation can do its work. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub(super) struct UserError {
    /// Where in the arguments, from the outside in: `["input", "shop", "domain"]`. Null when no one field is
    /// at fault.
    field: Option<Vec<String>>,
    /// What is wrong, in a sentence for the person who typed it.
    message: String,
    /// What is wrong, for a program.
    code: UserErrorCode,
}

impl UserError {
    /// An error of the argument or field with this path; of none in particular where the path is empty.
    pub(super) fn new(field: &[&str], code: UserErrorCode, message: impl Into<String>) -> Self {
        let names: Vec<_> = field.iter().map(|&name| name.to_owned()).collect();
        Self {
            field: Some(names).filter(|names| !names.is_empty()),
            message: message.into(),
            code,
        }
    }
}

/// What can be wrong with an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(super) enum UserErrorCode {
    /// The value has not the form that it needs.
    Invalid,
    /// Somebody else has it already.
    Taken,
    /// The password is shorter than 12 characters.
    TooShort,
    /// The password is among the first that anyone would try.
    TooCommon,
    /// The email address and the password do not belong together.
    InvalidCredentials,
    /// Shopify knows no store of this domain.
    ShopNotFound,
    /// The store did not answer, or is closed. Trying again later may help.
    ShopUnreachable,
    /// The store is connected already.
    ShopAlreadyConnected,
    /// The store refused the credentials.
    AccessTokenRejected,
    /// The app was not given all access scopes that are needed; the message names those that are missing.
    MissingScopes,
    /// Your role does not allow that.
    NotAllowed,
    /// Too many attempts; the message says how long to wait.
    RateLimited,
    /// It was good once, and is no longer.
    Expired,
    /// The store is disconnected: connect it again first.
    ShopDisconnected,
    /// The store would be left without an owner.
    LastOwner,
    /// There are as many as there may be.
    TooMany,
}
