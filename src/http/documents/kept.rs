//! The documents that clients registered, within so many bytes. When they are full, one goes that was not
//! asked for lately (the clock algorithm): a flood of new ones costs its sender's documents first, and a
//! client whose document is gone sends it again by itself.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// What a document takes besides its text, about: its name twice, and its places in the two collections.
const OVERHEAD: usize = 300;

/// The documents and the order in which they are looked at when room is needed.
#[derive(Debug)]
pub(super) struct Kept {
    most_bytes: usize,
    bytes: usize,
    texts: HashMap<Arc<str>, Document>,
    queue: VecDeque<Arc<str>>,
}

#[derive(Debug)]
struct Document {
    text: Arc<str>,
    asked_for: bool,
}

impl Kept {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            bytes: 0,
            texts: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    pub(super) fn find(&mut self, name: &str) -> Option<Arc<str>> {
        let document = self.texts.get_mut(name)?;
        document.asked_for = true;
        Some(Arc::clone(&document.text))
    }

    pub(super) fn keep(&mut self, name: String, text: Arc<str>) {
        let size = text.len() + OVERHEAD;
        if size > self.most_bytes || self.texts.contains_key(name.as_str()) {
            return;
        }
        while self.bytes + size > self.most_bytes {
            self.drop_one();
        }
        let name: Arc<str> = name.into();
        self.bytes += size;
        self.queue.push_back(Arc::clone(&name));
        let asked_for = false;
        self.texts.insert(name, Document { text, asked_for });
    }

    /// Drops the first in the queue that was not asked for since it was last looked at.
    fn drop_one(&mut self) {
        while let Some(name) = self.queue.pop_front() {
            match self.texts.get_mut(&name) {
                Some(document) if document.asked_for => {
                    document.asked_for = false;
                    self.queue.push_back(name);
                }
                _ => {
                    if let Some(document) = self.texts.remove(&name) {
                        self.bytes -= document.text.len() + OVERHEAD;
                    }
                    return;
                }
            }
        }
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_that_no_one_asked_for() {
        let mut kept = Kept::new(3 * (OVERHEAD + 10));
        let text: Arc<str> = "0123456789".into();
        for name in ["a", "b", "c"] {
            kept.keep(name.to_owned(), Arc::clone(&text));
        }
        assert!(kept.find("a").is_some());
        kept.keep("d".to_owned(), Arc::clone(&text));
        let there = ["a", "b", "c", "d"].map(|name| kept.find(name).is_some());
        assert_eq!(there, [true, false, true, true]);
        for n in 0..1000 {
            kept.keep(n.to_string(), Arc::clone(&text));
            assert!(kept.bytes <= kept.most_bytes && kept.texts.len() == kept.queue.len());
        }
        kept.keep("large".to_owned(), "x".repeat(10_000).into());
        assert!(kept.find("large").is_none());
    }
}
