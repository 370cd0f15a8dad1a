//! Authentication: passwords, tokens and the rate limits on guessing them; and the encryption of
//! stored credentials. Pure computation, independent of the database and of Shopify.

pub mod encryption;
pub mod password_rules;
pub mod passwords;
pub mod rate_limit;
pub mod single_use_token;
pub mod tokens;
