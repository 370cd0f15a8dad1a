//! What proves who is asking: passwords, tokens, and the limits on guessing them; and the sealing of what
//! must not be read from a stolen database. Pure computation: it knows neither the database nor Shopify.

pub mod limits;
pub mod one_time;
pub mod password_rules;
pub mod passwords;
pub mod sealer;
pub mod tokens;
