//! Finds another store's bytes in an answer, however they are written: as text, inside base64, or as a figure
//! that only the other store can have.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::words::Words;

/// What gives a store away.
#[derive(Debug)]
pub(super) struct Detector {
    /// In lower case.
    marks: Vec<String>,
    /// Leaves that only this store's answers have.
    values: BTreeSet<String>,
}

impl Detector {
    /// Finds the store that these marks and words are of, told from the words of the one that asks.
    pub(super) fn new(marks: &[String], hidden: &[&[u8]], theirs: &Words, ours: &Words) -> Self {
        let mut marks: Vec<String> = marks.iter().map(|mark| mark.to_lowercase()).collect();
        for bytes in hidden {
            marks.extend(in_base64(bytes));
        }
        let values = theirs.leaves.difference(&ours.leaves);
        Self {
            marks,
            values: values.filter(|leaf| is_telling(leaf)).cloned().collect(),
        }
    }

    /// How many values it knows.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// What of the store is in an answer and was not in the request. What a caller sent is no secret to it.
    pub(super) fn find(&self, request: &str, answer: &str) -> Option<String> {
        let sent = request.to_lowercase();
        let (sent, answer_text) = (sent.as_str(), answer.to_lowercase());
        let marked = self
            .marks
            .iter()
            .flat_map(|mark| {
                answer_text
                    .match_indices(mark.as_str())
                    .map(|(at, _)| around(&answer_text, at, mark.len()))
            })
            .find(|word| !sent.contains(word));
        if let Some(word) = marked {
            return Some(word.to_owned());
        }
        let body: Value = serde_json::from_str(answer).ok()?;
        let mut found = Words::default();
        found.learn(&body["data"]);
        found
            .leaves
            .into_iter()
            .find(|leaf| self.values.contains(leaf) && !sent.contains(&leaf.to_lowercase()))
    }
}

/// Whether a leaf can be told from those that any store could have: an amount, a large number, or an instant
/// of the past that no interval begins with. Words are found by their marks.
fn is_telling(leaf: &str) -> bool {
    if let Ok(number) = leaf.parse::<i64>() {
        return number.abs() >= 1_000;
    }
    if leaf.len() == 20 && leaf.ends_with('Z') && leaf.as_bytes()[10] == b'T' {
        return leaf < "2026" && !leaf.ends_with(":00Z");
    }
    let is_amount = leaf.contains('.')
        && leaf
            .bytes()
            .all(|b| b.is_ascii_digit() || b"-.".contains(&b));
    is_amount && leaf.bytes().any(|b| (b'1'..=b'9').contains(&b)) && leaf.len() > 4
}

/// The word around a place.
fn around(text: &str, at: usize, length: usize) -> &str {
    let of_word = |c: char| c.is_alphanumeric() || "_@.#:/+=-".contains(c);
    let start = text[..at]
        .char_indices()
        .rev()
        .take_while(|(_, c)| of_word(*c))
        .last()
        .map_or(at, |(start, _)| start);
    let end = text[at + length..]
        .char_indices()
        .find(|(_, c)| !of_word(*c))
        .map_or(text.len(), |(end, _)| at + length + end);
    &text[start..end]
}

/// How bytes look inside of base64, wherever they stand: the part of it that their neighbours do not change.
fn in_base64(bytes: &[u8]) -> Vec<String> {
    (0..3)
        .map(|before| {
            let padded = [&vec![0; before][..], bytes].concat();
            let text = URL_SAFE_NO_PAD.encode(&padded);
            let whole = padded.len() / 3 * 4;
            let first = if before == 0 { 0 } else { 4 };
            text[first..whole].to_lowercase()
        })
        .collect()
}

#[test]
fn bytes_are_found_in_text_in_base64_and_as_values() {
    let words = |leaf: &str| {
        let mut words = Words::default();
        words.learn(&serde_json::json!({ "amount": leaf }));
        words
    };
    let secret = *b"0123456789abcdef";
    let detector = Detector::new(
        &["zqbert".to_owned()],
        &[&secret],
        &words("7013.131"),
        &words("7.00"),
    );
    let hidden = |before: &str| URL_SAFE_NO_PAD.encode([before.as_bytes(), &secret, b"z"].concat());
    for leak in [
        r#"{"data":{"name":"Zqbert 1"}}"#.to_owned(),
        r#"{"data":{"total":"7013.131"}}"#.to_owned(),
        format!(r#"{{"errors":"{}"}}"#, hidden("")),
        format!(r#"{{"errors":"{}"}}"#, hidden("a")),
        format!(r#"{{"errors":"{}"}}"#, hidden("ab")),
    ] {
        assert!(detector.find("", &leak).is_some(), "{leak}");
    }
    assert_eq!(detector.find("a zqbert-7", r#"{"data":"zqbert-7"}"#), None);
    assert_eq!(detector.find("", r#"{"data":"7.00"}"#), None);
    assert!(
        detector
            .find("zqbert-7", r#"{"data":"zqbert-8"}"#)
            .is_some()
    );
}
