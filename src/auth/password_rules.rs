//! Password rules: a minimum length, and no common passwords. There are no rules about kinds of
//! characters, because such rules make passwords worse (NIST SP 800-63B §3.1.1.2).

use std::collections::HashSet;
use std::sync::LazyLock;

use secrecy::{ExposeSecret as _, SecretString};

/// The minimum number of characters.
pub const MIN_CHARS: usize = 12;
/// The maximum number of bytes. Longer input would only cost computing time.
pub const MAX_BYTES: usize = 1024;
/// A password with fewer distinct characters is a pattern.
const MIN_DISTINCT_CHARS: usize = 5;
/// Shorter words are ignored when they occur in a password.
const MIN_WORD_LENGTH: usize = 4;

/// Common words in passwords, one per line. They are compared with [`core`] of the password, so
/// `password` also matches `P@ssw0rd2026!`.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common_passwords.txt")
        .lines()
        .filter(|line| !line.is_empty())
        .collect()
});

/// Why a password was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Fewer than [`MIN_CHARS`] characters.
    #[error("the password needs at least 12 characters")]
    TooShort,
    /// More than [`MAX_BYTES`] bytes.
    #[error("the password may have at most 1024 bytes")]
    TooLong,
    /// A common password.
    #[error(
        "the password is too easy to guess: choose something that is not a common word, a pattern or your address"
    )]
    TooCommon,
}

/// Checks a new password. `own_words` are known facts about the user: the email address, the shop's
/// name.
pub fn check(password: &SecretString, own_words: &[&str]) -> Result<(), WeakPassword> {
    let password = password.expose_secret();
    if password.len() > MAX_BYTES {
        return Err(WeakPassword::TooLong);
    }
    if password.chars().count() < MIN_CHARS {
        return Err(WeakPassword::TooShort);
    }
    let lower = password.to_lowercase();
    let unit = repeated_unit(&lower);
    if is_pattern(&lower) || is_common(unit) || is_own(unit, own_words) {
        return Err(WeakPassword::TooCommon);
    }
    Ok(())
}

/// A password with few distinct characters, or a sequence such as `abcdefghijkl` or `987654321098`.
fn is_pattern(lower: &str) -> bool {
    let different: HashSet<char> = lower.chars().collect();
    if different.len() < MIN_DISTINCT_CHARS {
        return true;
    }
    let codes: Vec<u32> = lower.chars().map(u32::from).collect();
    // Sequences continue from 9 to 0 and from 0 to 9.
    let follows = |first: u32, second: u32| second == first + 1 || (first, second) == (57, 48);
    let pairs = || codes.iter().zip(codes.iter().skip(1));
    pairs().all(|(a, b)| follows(*a, *b)) || pairs().all(|(a, b)| follows(*b, *a))
}

fn is_common(unit: &str) -> bool {
    let plain = unleet(unit);
    [unit, core(unit), core(&plain)]
        .iter()
        .any(|form| COMMON.contains(form))
}

fn is_own(unit: &str, own_words: &[&str]) -> bool {
    own_words.iter().any(|word| {
        let word = word.to_lowercase();
        let name = word.split(['@', '.']).next().unwrap_or_default();
        let forms = [word.as_str(), name];
        forms.iter().any(|form| {
            form.chars().count() >= MIN_WORD_LENGTH && (unit == *form || core(unit) == core(form))
        })
    })
}

/// Reduces `passwordpassword` to `password`.
fn repeated_unit(text: &str) -> &str {
    let unit_at = |end: usize| {
        let unit = text.get(..end)?;
        (text.len().is_multiple_of(end) && unit.repeat(text.len() / end) == text).then_some(unit)
    };
    (1..=text.len() / 2).find_map(unit_at).unwrap_or(text)
}

/// The letters in the middle, without digits and punctuation at both ends.
fn core(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// Turns `p@ssw0rd` into `password`.
fn unleet(text: &str) -> String {
    // Trailing digits are usually a number, so only digits and punctuation inside the word are
    // replaced.
    let end = text.trim_end_matches(|c: char| !c.is_alphabetic()).len();
    let letter = |c: char| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.get(..end)
        .unwrap_or(text)
        .chars()
        .map(letter)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(password: &str) -> Result<(), WeakPassword> {
        check(
            &SecretString::from(password),
            &["ada.lovelace@example.com", "difference-engine"],
        )
    }

    #[test]
    fn a_passphrase_passes() {
        for good in [
            "correct horse battery staple",
            "vK3#mQ9!pL2x",
            "Ada likes the engine",
            "пароль из многих слов",
            &"long ".repeat(40)[..199],
        ] {
            assert_eq!(verdict(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_bounded_in_bytes() {
        assert_eq!(verdict("vK3#mQ9!pL2"), Err(WeakPassword::TooShort));
        assert_eq!(verdict("äöüßéèçñåøæ"), Err(WeakPassword::TooShort));
        assert_eq!(verdict(&"aB3$x".repeat(205)), Err(WeakPassword::TooLong));
    }

    #[test]
    fn what_anyone_would_try_first_is_refused() {
        for weak in [
            "aaaaaaaaaaaa",
            "123456789012",
            "abcdefghijkl",
            "098765432109",
            "abcabcabcabc",
            "Password1234",
            "P@ssw0rd2026!",
            "passwordpassword",
            "qwertyuiop123",
            "1q2w3e4r5t6y",
            "iloveyou2026!",
            "Shopify123456",
            "letmein!!!!!!",
            "ada.lovelace@example.com",
            "AdaAdaAdaAda",
            "difference-engine",
            "Difference-Engine1",
        ] {
            assert_eq!(verdict(weak), Err(WeakPassword::TooCommon), "{weak}");
        }
    }
}
