//! A password that somebody chooses, wherever they do.

use secrecy::SecretString;

use super::sentence;
use super::user_error::{UserError, UserErrorCode};
use crate::auth::password_rules::{self, WeakPassword};

/// What is wrong with a new password; `own_words` are what others know of its owner.
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
    Some(UserError::new(field, code, sentence(&weak)))
}
