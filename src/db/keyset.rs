//! Where a page of an ordered list begins and ends, as the statements that read pages take it.

/// A stretch of a list that is ordered by a key. Both ends are left out themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyset<K> {
    /// Only rows with a greater key.
    pub above: Option<K>,
    /// Only rows with a smaller key.
    pub below: Option<K>,
    /// From the greatest key downwards; else from the smallest upwards.
    pub descending: bool,
    /// At most so many.
    pub limit: i64,
}

/// One end of a keyset whose key is a value and an id, apart.
pub(super) fn end<T: Clone, K: Copy>(key: Option<&(T, K)>) -> (Option<T>, Option<K>) {
    match key {
        Some((value, id)) => (Some(value.clone()), Some(*id)),
        None => (None, None),
    }
}

/// Text as a pattern of `ilike` that finds it anywhere; `%`, `_` and `\` stand for themselves.
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

/// How many rows there are.
pub(super) struct Count {
    pub(super) count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(contains(r"50%_\"), r"%50\%\_\\%");
    }
}
