//! The start and end of a page of an ordered list, as parameters of the statements that read pages.

/// A range of a list that is ordered by a key. Both ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyset<K> {
    /// Only rows with a greater key.
    pub above: Option<K>,
    /// Only rows with a smaller key.
    pub below: Option<K>,
    /// From the greatest key downwards. Otherwise from the smallest key upwards.
    pub descending: bool,
    /// The maximum number of rows.
    pub limit: i64,
}

/// Splits one end of a keyset into its value and its id.
pub(super) fn end<T: Clone, K: Copy>(key: Option<&(T, K)>) -> (Option<T>, Option<K>) {
    match key {
        Some((value, id)) => (Some(value.clone()), Some(*id)),
        None => (None, None),
    }
}

/// An `ilike` pattern that matches the text anywhere. `%`, `_` and `\` are escaped.
pub(super) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(contains(r"50%_\"), r"%50\%\_\\%");
    }
}
