//! One page of rows by keyset: the cursor holds the last id and the value it was sorted by.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Record, Table};

/// What rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortKey {
    CreatedAt,
    Id,
    ProcessedAt,
    Title,
    UpdatedAt,
}

impl SortKey {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "CREATED_AT" => Self::CreatedAt,
            "ID" => Self::Id,
            "PROCESSED_AT" => Self::ProcessedAt,
            "TITLE" => Self::Title,
            "UPDATED_AT" => Self::UpdatedAt,
            _ => return None,
        })
    }
}

/// What a row was sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortValue {
    Number(i64),
    Text(String),
}

/// A place in a sorted list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) value: SortValue,
    pub(crate) id: u64,
}

impl Cursor {
    /// The opaque text that clients see.
    pub(crate) fn encode(&self) -> String {
        let value = match &self.value {
            SortValue::Number(number) => json!(number),
            SortValue::Text(text) => json!(text),
        };
        let id = self.id;
        STANDARD.encode(format!(r#"{{"last_id":{id},"last_value":{value}}}"#))
    }

    /// Reads what [`Cursor::encode`] wrote.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let last = json.get("last_value")?;
        let value = match last.as_str() {
            Some(text) => SortValue::Text(text.to_owned()),
            None => SortValue::Number(last.as_i64()?),
        };
        Some(Self {
            value,
            id: json.get("last_id")?.as_u64()?,
        })
    }
}

/// Which page is wanted.
#[derive(Clone, Debug)]
pub(crate) struct PageRequest {
    pub(crate) size: usize,
    /// Whether the size counts from the end.
    pub(crate) from_end: bool,
    pub(crate) after: Option<Cursor>,
    pub(crate) before: Option<Cursor>,
    pub(crate) reverse: bool,
    pub(crate) sort: SortKey,
    /// Whether the sorted order is the search index's.
    pub(crate) searched: bool,
    /// What the filter says of the sorted value: the smallest and the largest that can match.
    pub(crate) bounds: (Option<i64>, Option<i64>),
}

/// The rows of a page, each with the value it was sorted by.
#[derive(Debug)]
pub(crate) struct Page<'a, T> {
    pub(crate) rows: Vec<(&'a Arc<T>, SortValue)>,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
}

/// The cursor belongs to another order of the list.
#[derive(Debug)]
pub(crate) struct ForeignCursor;

impl PageRequest {
    /// The bounds in ascending order of the sorted value.
    fn limits(&self) -> (Option<&Cursor>, Option<&Cursor>) {
        if self.reverse {
            (self.before.as_ref(), self.after.as_ref())
        } else {
            (self.after.as_ref(), self.before.as_ref())
        }
    }

    /// Takes the page out of rows given in the direction they are read.
    fn collect<'a, T>(&self, rows: impl Iterator<Item = (&'a Arc<T>, SortValue)>) -> Page<'a, T> {
        let mut rows: Vec<_> = rows.take(self.size.saturating_add(1)).collect();
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        if self.from_end {
            rows.reverse();
            Page {
                rows,
                has_next: self.before.is_some(),
                has_previous: more,
            }
        } else {
            Page {
                rows,
                has_next: more,
                has_previous: self.after.is_some(),
            }
        }
    }

    /// The page of a table, of the rows that `wanted` lets through.
    pub(crate) fn page<'a, T: Record>(
        &self,
        table: &'a Table<T>,
        title: impl Fn(&T) -> String,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Page<'a, T>, ForeignCursor> {
        let descending = self.reverse != self.from_end;
        if self.sort == SortKey::Title {
            return Ok(self.page_by_title(table, title, wanted, descending));
        }
        let index = match self.sort {
            SortKey::CreatedAt => &table.by_created,
            SortKey::ProcessedAt => &table.by_processed,
            SortKey::UpdatedAt if self.searched => &table.by_searched,
            SortKey::UpdatedAt => &table.by_updated,
            SortKey::Id | SortKey::Title => &table.by_id,
        };
        let (lower, upper) = self.limits();
        let key = |cursor: &Cursor| match cursor.value {
            SortValue::Number(value) => Ok((value, cursor.id)),
            SortValue::Text(_) => Err(ForeignCursor),
        };
        let mut after = lower.map(key).transpose()?;
        let mut before = upper.map(key).transpose()?;
        if let Some(smallest) = self.bounds.0 {
            after = after.max(Some((smallest.saturating_sub(1), u64::MAX)));
        }
        if let Some(largest) = self.bounds.1 {
            let bound = (largest.saturating_add(1), 0);
            before = Some(before.map_or(bound, |before| before.min(bound)));
        }
        let keys = index.between(after, before).iter();
        let row = |key: &(i64, u64)| {
            let row = table.get(key.1)?;
            wanted(row).then_some((row, SortValue::Number(key.0)))
        };
        Ok(if descending {
            self.collect(keys.rev().filter_map(row))
        } else {
            self.collect(keys.filter_map(row))
        })
    }

    fn page_by_title<'a, T: Record>(
        &self,
        table: &'a Table<T>,
        title: impl Fn(&T) -> String,
        wanted: impl Fn(&T) -> bool,
        descending: bool,
    ) -> Page<'a, T> {
        let mut rows: Vec<_> = table
            .rows()
            .filter(|row| !row.is_deleted() && wanted(row))
            .map(|row| (row, SortValue::Text(title(row))))
            .collect();
        rows.sort_by(|one, other| (&one.1, one.0.id()).cmp(&(&other.1, other.0.id())));
        if descending {
            rows.reverse();
        }
        let (lower, upper) = self.limits();
        let inside = |row: &(&'a Arc<T>, SortValue)| {
            let key = (&row.1, row.0.id());
            lower.is_none_or(|cursor| key > (&cursor.value, cursor.id))
                && upper.is_none_or(|cursor| key < (&cursor.value, cursor.id))
        };
        self.collect(rows.into_iter().filter(inside))
    }
}
