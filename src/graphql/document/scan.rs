//! Counts what a text holds before anything is built from it: tokens, directives, open brackets.

use crate::graphql::error::ApiError;
use crate::graphql::limits::{Limits, MAX_OPEN_BRACKETS};

/// Refuses a text that holds too much. Ends at the first limit it meets.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), ApiError> {
    let exceeded = |limit, maximum| Err(ApiError::LimitExceeded { limit, maximum });
    if text.len() > limits.characters {
        return exceeded("characters", limits.characters);
    }
    let mut rest = text.as_bytes();
    let (mut tokens, mut directives, mut open) = (0_usize, 0_usize, 0_usize);
    while let Some((kind, behind)) = next_token(rest) {
        rest = behind;
        tokens += 1;
        if tokens > limits.tokens {
            return exceeded("tokens", limits.tokens);
        }
        match kind {
            Token::Directive => directives += 1,
            Token::Open => open += 1,
            Token::Close => open = open.saturating_sub(1),
            Token::Other => {}
        }
        if directives > limits.directives {
            return exceeded("directives", limits.directives);
        }
        if open > MAX_OPEN_BRACKETS {
            return exceeded("nesting", MAX_OPEN_BRACKETS);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Directive,
    Open,
    Close,
    Other,
}

/// The next token and what follows it. A text that is not GraphQL has tokens too: the parser will refuse it.
fn next_token(mut rest: &[u8]) -> Option<(Token, &[u8])> {
    loop {
        match rest {
            [] => return None,
            [b' ' | b'\t' | b'\r' | b'\n' | b',', behind @ ..]
            | [0xEF, 0xBB, 0xBF, behind @ ..] => rest = behind,
            [b'#', behind @ ..] => rest = after(behind, |byte| byte != b'\n' && byte != b'\r'),
            [b'"', b'"', b'"', behind @ ..] => return Some((Token::Other, after_block(behind))),
            [b'"', behind @ ..] => return Some((Token::Other, after_string(behind))),
            [b'.', b'.', b'.', behind @ ..] => return Some((Token::Other, behind)),
            [b'@', behind @ ..] => return Some((Token::Directive, behind)),
            [b'{' | b'(' | b'[', behind @ ..] => return Some((Token::Open, behind)),
            [b'}' | b')' | b']', behind @ ..] => return Some((Token::Close, behind)),
            [b'-' | b'0'..=b'9', behind @ ..] => {
                let number = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
                return Some((Token::Other, after(behind, number)));
            }
            [first, behind @ ..] if is_of_name(*first) => {
                return Some((Token::Other, after(behind, is_of_name)));
            }
            [_, behind @ ..] => return Some((Token::Other, behind)),
        }
    }
}

fn is_of_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn after(mut rest: &[u8], belongs: impl Fn(u8) -> bool) -> &[u8] {
    while let [byte, behind @ ..] = rest
        && belongs(*byte)
    {
        rest = behind;
    }
    rest
}

fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'"' | b'\n' | b'\r', behind @ ..] => return behind,
            [b'\\', _, behind @ ..] | [_, behind @ ..] => rest = behind,
            [] => return rest,
        }
    }
}

fn after_block(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'"', b'"', b'"', behind @ ..] => return behind,
            [b'\\', b'"', b'"', b'"', behind @ ..] | [_, behind @ ..] => rest = behind,
            [] => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        let (mut tokens, mut text) = (Vec::new(), text.as_bytes());
        while let Some((token, rest)) = next_token(text) {
            tokens.push(token);
            text = rest;
        }
        tokens
    }

    #[test]
    fn tokens_are_counted_as_the_language_has_them() {
        for (text, count) in [
            ("", 0),
            (" ,\u{feff}\n# { all of this } is a comment", 0),
            ("{ a }", 3),
            (
                "{a(b:-1.5e+3,c:\"x { \\\" @\" d:\"\"\"y \" \\\"\"\" @{\"\"\"){...f@skip(if:$no)}}",
                26,
            ),
            ("\"not closed { @ \n{", 2),
            ("\"\"\"not closed { @ ", 1),
            ("é", 2),
        ] {
            assert_eq!(tokens(text).len(), count, "{text}");
        }
    }

    #[test]
    fn each_limit_is_met_exactly() {
        let limits = Limits {
            characters: 100,
            tokens: 10,
            directives: 2,
            ..Limits::default()
        };
        let verdict = |text: &str| check(text, &limits).err();
        let exceeded = |limit, maximum| Some(ApiError::LimitExceeded { limit, maximum });
        assert_eq!(verdict(&" ".repeat(100)), None);
        assert_eq!(verdict(&" ".repeat(101)), exceeded("characters", 100));
        assert_eq!(verdict(&"a ".repeat(10)), None);
        assert_eq!(verdict(&"a ".repeat(11)), exceeded("tokens", 10));
        assert_eq!(verdict("@a @b"), None);
        assert_eq!(verdict("@a @b @c"), exceeded("directives", 2));
        let limits = Limits::default();
        assert_eq!(check(&"[".repeat(64), &limits), Ok(()));
        assert_eq!(check(&"[]".repeat(65), &limits), Ok(()));
        assert_eq!(
            check(&"[".repeat(65), &limits).err(),
            exceeded("nesting", 64)
        );
    }
}
