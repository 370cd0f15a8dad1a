//! The check of a new password, shared by all mutations that set one.

use secrecy::SecretString;

use super::to_sentence;
use super::user_error::{UserError, UserErrorCode};
use crate::auth::password_rules::{self, WeakPassword};

/// The error of a weak password. `own_words` are known facts about the user.
pub(super) fn check(
    password: &SecretString,
    own_words: &[&str],
    field: &[&str],
) -> Option<UserError> {
    let weak = password_rules::check(password, own_words).err()?;
    let code = match weak {
        WeakPassword::TooShort => UserErrorCode::TooShort,
        WeakPassword::TooLong => UserErrorCode::Invalid,
        WeakPassword::TooCommon => UserErrorCode::TooCommon,
    };
    Some(UserError::new(field, code, to_sentence(&weak)))
}
