//! Search text to expression: terms, quotes, comparators, AND, OR, NOT and brackets.

use serde_json::{Value, json};

/// How a term compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Is,
    More,
    MoreOrEqual,
    Less,
    LessOrEqual,
}

/// One term: `field:>='value'`, or a bare word without a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) field: Option<String>,
    pub(crate) comparison: Comparison,
    pub(crate) value: String,
    pub(crate) quoted: bool,
}

/// A parsed search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    All,
    Term(Term),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

impl Term {
    /// The term as `extensions.search[].parsed` shows it.
    fn shown(&self) -> Value {
        let field = self.field.as_deref().unwrap_or("default");
        let range = match self.comparison {
            Comparison::Is if self.quoted => {
                return json!({ "field": field, "match_phrase": self.value });
            }
            Comparison::Is => return json!({ "field": field, "match_all": self.value }),
            Comparison::More => "gt",
            Comparison::MoreOrEqual => "gte",
            Comparison::Less => "lt",
            Comparison::LessOrEqual => "lte",
        };
        json!({ "field": field, "range": { range: self.value } })
    }
}

impl Expression {
    /// The expression as `extensions.search[].parsed` shows it.
    pub(crate) fn shown(&self) -> Value {
        match self {
            Self::All => Value::Null,
            Self::Term(term) => term.shown(),
            Self::Not(inner) => json!({ "not": inner.shown() }),
            Self::And(parts) => json!({ "and": parts.iter().map(Self::shown).collect::<Vec<_>>() }),
            Self::Or(parts) => json!({ "or": parts.iter().map(Self::shown).collect::<Vec<_>>() }),
        }
    }

    /// Every term in it.
    pub(crate) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::All => Vec::new(),
            Self::Term(term) => vec![term],
            Self::Not(inner) => inner.terms(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::terms).collect(),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(Term),
}

/// Reads a search text. Nothing is an error in Shopify's search: what cannot be understood is a word.
pub(crate) fn parse(text: &str) -> Expression {
    let mut tokens = tokens(text).into_iter().peekable();
    let mut parts = Vec::new();
    while tokens.peek().is_some() {
        parts.push(either(&mut tokens));
        // A closing bracket that nothing opened.
        tokens.next_if_eq(&Token::Close);
    }
    joined(parts, Expression::And)
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        0 => Expression::All,
        1 => parts.pop().unwrap_or(Expression::All),
        _ => join(parts),
    }
}

fn either(tokens: &mut Tokens) -> Expression {
    let mut parts = vec![both(tokens)];
    while tokens.next_if_eq(&Token::Or).is_some() {
        parts.push(both(tokens));
    }
    joined(parts, Expression::Or)
}

fn both(tokens: &mut Tokens) -> Expression {
    let mut parts = Vec::new();
    loop {
        match tokens.peek() {
            None | Some(Token::Or | Token::Close) => return joined(parts, Expression::And),
            Some(Token::And) => {
                tokens.next();
            }
            Some(Token::Open | Token::Not | Token::Term(_)) => parts.push(one(tokens)),
        }
    }
}

fn one(tokens: &mut Tokens) -> Expression {
    match tokens.next() {
        Some(Token::Not) => Expression::Not(Box::new(one(tokens))),
        Some(Token::Open) => {
            let inner = either(tokens);
            tokens.next_if_eq(&Token::Close);
            inner
        }
        Some(Token::Term(term)) => Expression::Term(term),
        _ => Expression::All,
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' => {
                tokens.push(Token::Open);
                rest = rest.get(1..).unwrap_or_default();
            }
            ')' => {
                tokens.push(Token::Close);
                rest = rest.get(1..).unwrap_or_default();
            }
            '-' if rest.len() > 1 => {
                tokens.push(Token::Not);
                rest = rest.get(1..).unwrap_or_default();
            }
            _ => {
                let (token, left) = term(rest);
                tokens.push(token);
                rest = left;
            }
        }
        rest = rest.trim_start();
    }
    tokens
}

/// Reads one term and gives what is left.
fn term(text: &str) -> (Token, &str) {
    let ends = |character: char| character.is_whitespace() || matches!(character, '(' | ')');
    let name_ends = text
        .find(|character: char| !(character.is_ascii_alphanumeric() || "_.".contains(character)))
        .unwrap_or(text.len());
    let (name, after_name) = text.split_at(name_ends);
    if name_ends > 0
        && let Some(after_colon) = after_name.strip_prefix(':')
    {
        let (comparison, operand) = comparison(after_colon.trim_start_matches(' '));
        let (value, quoted, left) = value(operand, ends);
        let field = Some(name.to_owned());
        return (
            Token::Term(Term {
                field,
                comparison,
                value,
                quoted,
            }),
            left,
        );
    }
    let (value, quoted, left) = value(text, ends);
    let token = match (quoted, value.as_str()) {
        (false, "AND") => Token::And,
        (false, "OR") => Token::Or,
        (false, "NOT") => Token::Not,
        _ => Token::Term(Term {
            field: None,
            comparison: Comparison::Is,
            value,
            quoted,
        }),
    };
    (token, left)
}

fn comparison(text: &str) -> (Comparison, &str) {
    for (sign, comparison) in [
        (">=", Comparison::MoreOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::More),
        ("<", Comparison::Less),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (comparison, rest.trim_start_matches(' '));
        }
    }
    (Comparison::Is, text)
}

fn value(text: &str, ends: impl Fn(char) -> bool) -> (String, bool, &str) {
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote) {
            let end = inner.find(quote).unwrap_or(inner.len());
            let (value, left) = inner.split_at(end);
            return (
                value.to_owned(),
                true,
                left.strip_prefix(quote).unwrap_or(left),
            );
        }
    }
    let end = text.find(ends).filter(|end| *end > 0).unwrap_or(text.len());
    let (value, left) = text.split_at(end);
    (value.to_owned(), false, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_two_ranges_joined() {
        let text = "updated_at:>='2026-01-01T00:00:00Z' AND updated_at:<'2026-01-02T00:00:00Z'";
        assert_eq!(
            parse(text).shown(),
            json!({ "and": [
                { "field": "updated_at", "range": { "gte": "2026-01-01T00:00:00Z" } },
                { "field": "updated_at", "range": { "lt": "2026-01-02T00:00:00Z" } },
            ] })
        );
    }

    #[test]
    fn unquoted_times_quotes_negations_and_brackets_are_read() {
        let parsed = parse("created_at:>2026-01-01T05:00:00Z -test:true (a OR b");
        assert_eq!(
            parsed.shown(),
            json!({ "and": [
                { "field": "created_at", "range": { "gt": "2026-01-01T05:00:00Z" } },
                { "not": { "field": "test", "match_all": "true" } },
                { "or": [
                    { "field": "default", "match_all": "a" },
                    { "field": "default", "match_all": "b" },
                ] },
            ] })
        );
        assert_eq!(parse(""), Expression::All);
        assert_eq!(parse(") x").terms().len(), 1);
    }
}
