//! A search made ready for one list: which rows it lets through, and what it warns of.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::times::{Span, span};
use super::{Comparison, Expression, FieldKind, List, Term, parse};
use crate::clock::Moment;

/// What a row shows to the search.
pub(crate) enum Shown<'a> {
    Moment(Moment),
    Number(u64),
    Truth(bool),
    Text(&'a str),
    Texts(Vec<&'a str>),
    Owned(String),
    Nothing,
}

/// A row that can be searched.
pub(crate) trait Searchable {
    /// What the row shows under a field's name; `None` is the bare search.
    fn shown(&self, field: Option<&str>) -> Shown<'_>;
}

/// A row as the search index knows it.
struct Indexed<'a, T> {
    row: &'a T,
    updated_at: Moment,
}

impl<T: Searchable> Searchable for Indexed<'_, T> {
    fn shown(&self, field: Option<&str>) -> Shown<'_> {
        match field {
            Some("updated_at") => Shown::Moment(self.updated_at),
            _ => self.row.shown(field),
        }
    }
}

/// A search of one list.
#[derive(Debug)]
pub(crate) struct Filter {
    expression: Expression,
    list: List,
    zone: Tz,
    warnings: Vec<Value>,
    unsupported: Option<String>,
}

impl Filter {
    /// Reads a search of a list in a shop's zone.
    pub(crate) fn new(text: &str, list: List, zone: Tz) -> Self {
        let expression = parse(text);
        let mut warnings = Vec::new();
        let mut unsupported = None;
        for term in expression.terms() {
            let Some(field) = &term.field else { continue };
            match list.field(field) {
                None => warnings.push(warning(
                    field,
                    "Invalid search field for this query.",
                    "invalid_field",
                )),
                Some(FieldKind::Unsupported) => unsupported = Some(field.clone()),
                Some(kind @ (FieldKind::Time | FieldKind::Day)) => {
                    let found = span(&term.value, term.quoted, term.comparison, kind, zone);
                    if found == Span::NotATime {
                        let message = format!("Input `{}` is not an accepted value.", term.value);
                        warnings.push(warning(field, &message, "invalid_value"));
                    }
                }
                Some(FieldKind::Id | FieldKind::Text) => {}
            }
        }
        Self {
            expression,
            list,
            zone,
            warnings,
            unsupported,
        }
    }

    /// A field of Shopify's that the simulator cannot answer.
    pub(crate) fn unsupported(&self) -> Option<&str> {
        self.unsupported.as_deref()
    }

    /// The entry of `extensions.search`, when there is something to warn of or `asked` for.
    pub(crate) fn report(&self, text: &str, path: &[Value], asked: bool) -> Option<Value> {
        if self.warnings.is_empty() && !asked {
            return None;
        }
        let mut report = json!({ "path": path, "query": text, "parsed": self.expression.shown() });
        if let Some(report) = report.as_object_mut().filter(|_| !self.warnings.is_empty()) {
            report.insert("warnings".to_owned(), json!(self.warnings));
        }
        Some(report)
    }

    /// The smallest and the largest instant of a field that rows passing the search can have.
    pub(crate) fn bounds(&self, field: &str) -> (Option<i64>, Option<i64>) {
        let parts = match &self.expression {
            Expression::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut bounds = (None, None);
        for part in parts {
            let Expression::Term(term) = part else {
                continue;
            };
            if term.field.as_deref() != Some(field) {
                continue;
            }
            if let Some(Span::Between(from, to)) = self.span_of(term) {
                bounds.0 = bounds.0.max(from.map(Moment::millis));
                bounds.1 = match (bounds.1, to.map(Moment::millis)) {
                    (Some(one), Some(other)) => Some(i64::min(one, other)),
                    (one, other) => one.or(other),
                };
            }
        }
        bounds
    }

    fn span_of(&self, term: &Term) -> Option<Span> {
        let kind = self.list.field(term.field.as_deref()?)?;
        matches!(kind, FieldKind::Time | FieldKind::Day)
            .then(|| span(&term.value, term.quoted, term.comparison, kind, self.zone))
    }

    /// Whether the search lets a row through whose last change, as far as the index knows, was then.
    pub(crate) fn lets_through(&self, row: &impl Searchable, updated_at: Moment) -> bool {
        self.passes(&self.expression, &Indexed { row, updated_at })
    }

    fn passes(&self, expression: &Expression, row: &impl Searchable) -> bool {
        match expression {
            Expression::All => true,
            Expression::Term(term) => self.term_passes(term, row),
            Expression::Not(inner) => !self.passes(inner, row),
            Expression::And(parts) => parts.iter().all(|part| self.passes(part, row)),
            Expression::Or(parts) => parts.iter().any(|part| self.passes(part, row)),
        }
    }

    fn term_passes(&self, term: &Term, row: &impl Searchable) -> bool {
        if let Some(field) = &term.field
            && self.list.field(field).is_none()
        {
            return true;
        }
        if let Some(span) = self.span_of(term) {
            let Shown::Moment(moment) = row.shown(term.field.as_deref()) else {
                return false;
            };
            return match span {
                Span::Between(from, to) => {
                    from.is_none_or(|from| moment >= from) && to.is_none_or(|to| moment <= to)
                }
                Span::Nothing => false,
                Span::NotATime => true,
            };
        }
        match row.shown(term.field.as_deref()) {
            Shown::Number(number) => compare_number(number, term),
            Shown::Truth(truth) => {
                term.value
                    .eq_ignore_ascii_case(if truth { "true" } else { "false" })
            }
            Shown::Text(text) => text_matches(text, term),
            Shown::Owned(text) => text_matches(&text, term),
            Shown::Texts(texts) => texts.iter().any(|text| text_matches(text, term)),
            Shown::Moment(_) | Shown::Nothing => false,
        }
    }
}

fn warning(field: &str, message: &str, code: &str) -> Value {
    json!({ "field": field, "message": message, "code": code })
}

fn compare_number(number: u64, term: &Term) -> bool {
    let digits = term.value.rsplit('/').next().unwrap_or_default();
    let Ok(value) = digits.parse::<u64>() else {
        return false;
    };
    match term.comparison {
        Comparison::Is => number == value,
        Comparison::More | Comparison::MoreOrEqual => number >= value,
        Comparison::Less | Comparison::LessOrEqual => number <= value,
    }
}

fn text_matches(text: &str, term: &Term) -> bool {
    let text = text.to_lowercase();
    let value = term.value.to_lowercase();
    if term.field.is_none() {
        return text.contains(&value);
    }
    value
        .strip_suffix('*')
        .map_or(text == value, |start| text.starts_with(start))
}
