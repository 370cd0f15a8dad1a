//! Parts of something larger on their way through the database, more of them than memory holds: what has gathered is
//! sorted by a key and cut into pages, and the pages of all such runs, read in the order of the first key in each, yield
//! what belongs together, one key after the other. So much of each run is in memory as a page.

use super::packed::Packed;
use crate::db::{DbError, Result};

/// A page and its row's header fit into a block of PostgreSQL, which then stores it as it is.
const PAGE_BYTES: usize = 8_000;
/// So many pages are read at once, half a megabyte.
pub(in crate::db) const PAGES_AT_ONCE: i64 = 64;

/// Parts that have gathered.
#[derive(Debug, Default)]
pub(in crate::db) struct Run {
    bytes: Vec<u8>,
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    key: i64,
    start: usize,
    end: usize,
}

impl Run {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(in crate::db) fn add(&mut self, key: i64, part: &impl Packed) {
        let start = self.bytes.len();
        part.pack(&mut self.bytes);
        self.note(key, start);
    }

    /// Adds a part that is packed already.
    pub(super) fn add_packed(&mut self, key: i64, part: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(part);
        self.note(key, start);
    }

    fn note(&mut self, key: i64, start: usize) {
        let end = self.bytes.len();
        self.parts.push(Part { key, start, end });
    }

    /// Adds what another has.
    pub(in crate::db) fn append(&mut self, other: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.parts.extend(other.parts.iter().map(|part| Part {
            key: part.key,
            start: before + part.start,
            end: before + part.end,
        }));
    }

    /// Gives its pages, each with the first key in it.
    pub(in crate::db) fn cut(mut self, mut each: impl FnMut(i64, &[u8])) {
        self.parts.sort_by_key(|part| part.key);
        let mut page = Page::default();
        for part in &self.parts {
            let bytes = self.bytes.get(part.start..part.end).unwrap_or_default();
            if page.is_full_for(bytes) {
                page.finish(&mut each);
            }
            page.add(part.key, bytes);
        }
        page.finish(&mut each);
    }
}

/// Parts with their keys before them.
#[derive(Debug, Default)]
struct Page {
    first: Option<i64>,
    bytes: Vec<u8>,
}

impl Page {
    const fn is_full_for(&self, part: &[u8]) -> bool {
        self.first.is_some() && self.bytes.len() + size_of::<i64>() + part.len() > PAGE_BYTES
    }

    fn add(&mut self, key: i64, part: &[u8]) {
        self.first.get_or_insert(key);
        self.bytes.extend_from_slice(&key.to_le_bytes());
        self.bytes.extend_from_slice(part);
    }

    fn finish(&mut self, each: &mut impl FnMut(i64, &[u8])) {
        if let Some(first) = self.first.take() {
            each(first, &self.bytes);
            self.bytes.clear();
        }
    }
}

/// How far the pages of a table have been read.
#[derive(Debug, Default)]
pub(in crate::db) struct Reading {
    /// The first key in the last page that was read, and its number.
    last: Option<(i64, i64)>,
    ended: bool,
}

impl Reading {
    /// What the next pages come after.
    pub(in crate::db) fn last(&self) -> (i64, i64) {
        self.last.unwrap_or((i64::MIN, 0))
    }

    /// Notes how many pages were read of [`PAGES_AT_ONCE`], and the last of them.
    pub(in crate::db) fn go_on(&mut self, pages: usize, last: Option<(i64, i64)>) {
        self.ended = i64::try_from(pages).is_ok_and(|read| read < PAGES_AT_ONCE);
        self.last = last.or(self.last);
    }

    pub(in crate::db) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// The keys before this one are in no page to come; None: nor are any others, or nothing has been read.
    pub(in crate::db) fn unread(&self) -> Option<i64> {
        self.last.filter(|_| !self.ended).map(|(first, _)| first)
    }
}

/// Takes a page apart: each part is given with its key and its bytes.
pub(in crate::db) fn read_page<T: Packed>(
    mut bytes: &[u8],
    mut each: impl FnMut(i64, T, &[u8]),
) -> Result<()> {
    let unreadable = || DbError::Corrupt("a staged page".to_owned());
    while let Some((key, rest)) = bytes.split_first_chunk() {
        let mut after = rest;
        let part = T::unpack(&mut after).ok_or_else(unreadable)?;
        let packed = rest.get(..rest.len() - after.len()).unwrap_or_default();
        each(i64::from_le_bytes(*key), part, packed);
        bytes = after;
    }
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(unreadable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages_of(run: Run) -> Vec<(i64, Vec<u8>)> {
        let mut pages = Vec::new();
        run.cut(|first, page| pages.push((first, page.to_owned())));
        pages
    }

    #[test]
    fn a_page_reads_back_by_key() {
        let mut run = Run::default();
        for (key, text) in [(9, "b"), (-7, "a")] {
            run.add(key, &text.to_owned());
        }
        let mut other = Run::default();
        other.add(-7, &"c".to_owned());
        run.append(&other);
        let pages = pages_of(run);
        let [(-7, page)] = pages.as_slice() else {
            panic!("{pages:?}")
        };
        let mut parts = Vec::new();
        read_page(page, |key, text: String, bytes| {
            assert_eq!(bytes.len(), 2);
            parts.push((key, text));
        })
        .unwrap();
        let expected = [(-7, "a"), (-7, "c"), (9, "b")].map(|(key, text)| (key, text.to_owned()));
        assert_eq!(parts, expected);
        let cut = page.get(..page.len() - 1).unwrap();
        assert!(read_page(cut, |_, _: String, _| {}).is_err());
    }

    #[test]
    fn what_is_longer_than_a_page_has_one_of_its_own() {
        let mut run = Run::default();
        for (key, length) in [(3, 10), (1, 20_000), (2, 10), (1, 10)] {
            run.add(key, &"x".repeat(length));
        }
        let firsts: Vec<_> = pages_of(run).into_iter().map(|(first, _)| first).collect();
        assert_eq!(firsts, [1, 1]);
    }
}
