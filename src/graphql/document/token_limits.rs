//! Counts the tokens, directives and open brackets of a text before it is parsed.

use crate::graphql::error::ApiError;
use crate::graphql::limits::{Limits, MAX_OPEN_BRACKETS};

/// Refuses a text that exceeds a limit. Scanning ends at the first limit that is exceeded.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), ApiError> {
    let exceeded = |limit, maximum| Err(ApiError::LimitExceeded { limit, maximum });
    if text.len() > limits.characters {
        return exceeded("characters", limits.characters);
    }
    let mut rest = text.as_bytes();
    let (mut tokens, mut directives, mut open) = (0_usize, 0_usize, 0_usize);
    while let Some((kind, tail)) = next_token(rest) {
        rest = tail;
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

/// The next token and the text after it. Text that is not GraphQL has tokens too; the parser refuses it.
fn next_token(mut rest: &[u8]) -> Option<(Token, &[u8])> {
    loop {
        match rest {
            [] => return None,
            [b' ' | b'\t' | b'\r' | b'\n' | b',', tail @ ..] | [0xEF, 0xBB, 0xBF, tail @ ..] => {
                rest = tail;
            }
            [b'#', tail @ ..] => rest = skip_while(tail, |byte| byte != b'\n' && byte != b'\r'),
            [b'"', b'"', b'"', tail @ ..] => return Some((Token::Other, skip_block_string(tail))),
            [b'"', tail @ ..] => return Some((Token::Other, skip_string(tail))),
            [b'.', b'.', b'.', tail @ ..] => return Some((Token::Other, tail)),
            [b'@', tail @ ..] => return Some((Token::Directive, tail)),
            [b'{' | b'(' | b'[', tail @ ..] => return Some((Token::Open, tail)),
            [b'}' | b')' | b']', tail @ ..] => return Some((Token::Close, tail)),
            [b'-' | b'0'..=b'9', tail @ ..] => {
                let number = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
                return Some((Token::Other, skip_while(tail, number)));
            }
            [first, tail @ ..] if is_name_byte(*first) => {
                return Some((Token::Other, skip_while(tail, is_name_byte)));
            }
            [_, tail @ ..] => return Some((Token::Other, tail)),
        }
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn skip_while(mut rest: &[u8], matches: impl Fn(u8) -> bool) -> &[u8] {
    while let [byte, tail @ ..] = rest
        && matches(*byte)
    {
        rest = tail;
    }
    rest
}

fn skip_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'"' | b'\n' | b'\r', tail @ ..] => return tail,
            [b'\\', _, tail @ ..] | [_, tail @ ..] => rest = tail,
            [] => return rest,
        }
    }
}

fn skip_block_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [b'"', b'"', b'"', tail @ ..] => return tail,
            [b'\\', b'"', b'"', b'"', tail @ ..] | [_, tail @ ..] => rest = tail,
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
    fn tokens_are_counted_like_the_specification_defines_them() {
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
    fn a_document_at_the_limit_is_accepted_and_one_above_is_not() {
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
