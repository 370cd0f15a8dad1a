//! The two operations that the dashboard page sends, taken from the page's own source.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::subject::Subject;

const SOURCE: &str = include_str!("../../web/dashboard/src/api/dashboard.graphql");

/// An operation of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// The user, the shops, their health and the syncs: never cached.
    Account,
    /// All figures and lists: depends only on the shop's data and its local day, so it is cacheable.
    Figures,
}

impl Operation {
    /// The request body as the page sends it, for the last 90 days by day, compared with the 90 days before.
    pub(crate) fn body(self, subject: &Subject) -> String {
        let (name, variables) = match self {
            Self::Account => ("Account", json!({})),
            Self::Figures => ("Figures", range(subject)),
        };
        json!({ "query": document(SOURCE, name), "variables": variables }).to_string()
    }
}

fn range(subject: &Subject) -> Value {
    let to = subject.arguments.last_day;
    let from = to - TimeDelta::days(89);
    json!({
        "range": { "between": { "from": from, "to": to } },
        "compareTo": "PREVIOUS_PERIOD",
        "interval": "DAY",
    })
}

/// The query of this name with the fragments that it uses, directly or through other fragments.
fn document(source: &str, name: &str) -> String {
    let mut parts: Vec<&str> = definition(source, "query", name).into_iter().collect();
    let mut next = 0;
    while let Some(part) = parts.get(next).copied() {
        next += 1;
        for spread in part.split("...").skip(1) {
            let end = spread.find(|c: char| !c.is_alphanumeric() && c != '_');
            let fragment = spread.get(..end.unwrap_or(spread.len()));
            let found = fragment.and_then(|fragment| definition(source, "fragment", fragment));
            if let Some(found) = found.filter(|found| !parts.contains(found)) {
                parts.push(found);
            }
        }
    }
    parts.concat()
}

/// A definition at the start of a line, up to the brace that closes it at the start of a line.
fn definition<'a>(source: &'a str, kind: &str, name: &str) -> Option<&'a str> {
    let head = format!("\n{kind} {name}");
    let start = source
        .match_indices(&head)
        .map(|(start, _)| start)
        .find(|start| {
            let after = source.get(start + head.len()..).unwrap_or_default();
            after.starts_with([' ', '('])
        })?;
    let rest = source.get(start + 1..)?;
    rest.get(..rest.find("\n}\n")? + 3)
}

#[cfg(test)]
mod tests {
    use super::{SOURCE, document};

    #[test]
    fn a_document_has_its_fragments_once() {
        let source = "\nquery A($x: Int) {\n  ...One\n  ...Two\n}\n\nquery AB {\n  b\n}\n\
            \nfragment One on Query {\n  ...Two\n}\n\nfragment Two on Query {\n  two\n}\n\nfragment Not on Query {\n  no\n}\n";
        assert_eq!(
            document(source, "A"),
            "query A($x: Int) {\n  ...One\n  ...Two\n}\nfragment One on Query {\n  ...Two\n}\n\
             fragment Two on Query {\n  two\n}\n"
        );
    }

    #[test]
    fn the_page_has_both_operations() {
        assert!(document(SOURCE, "Account").contains("fragment Run on SyncRun"));
        assert!(document(SOURCE, "Figures").contains("fragment Metrics on SalesMetrics"));
    }
}
