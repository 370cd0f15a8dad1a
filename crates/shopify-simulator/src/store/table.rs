//! Rows of one kind with the orders they can be read in.
//!
//! Two views of `updated_at` are kept: the database's, always right, and the search index's, which
//! learns of a change only after a settable lag.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::clock::Moment;

/// What every row can say of itself.
pub(crate) trait Record {
    fn id(&self) -> u64;
    fn created_at(&self) -> Moment;
    fn updated_at(&self) -> Moment;
    fn processed_at(&self) -> Moment {
        self.created_at()
    }
    fn is_deleted(&self) -> bool;
}

/// A value and the id of its row, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(Vec<(i64, u64)>);

impl Index {
    fn insert(&mut self, key: (i64, u64)) {
        if self.0.last().is_none_or(|last| *last < key) {
            self.0.push(key);
        } else if let Err(place) = self.0.binary_search(&key) {
            self.0.insert(place, key);
        }
    }

    fn remove(&mut self, key: (i64, u64)) {
        if let Ok(place) = self.0.binary_search(&key) {
            self.0.remove(place);
        }
    }

    fn fill(&mut self, keys: impl Iterator<Item = (i64, u64)>) {
        self.0.extend(keys);
        self.0.sort_unstable();
    }

    /// The keys above `after` and below `before`, both left out.
    pub(crate) fn between(
        &self,
        after: Option<(i64, u64)>,
        before: Option<(i64, u64)>,
    ) -> &[(i64, u64)] {
        let from = after.map_or(0, |bound| self.0.partition_point(|key| *key <= bound));
        let to = before.map_or(self.0.len(), |bound| {
            self.0.partition_point(|key| *key < bound)
        });
        self.0.get(from..to).unwrap_or_default()
    }
}

/// A change of `updated_at` that the search index has not seen yet.
#[derive(Clone, Debug)]
struct Unseen {
    due: Moment,
    id: u64,
    old: Option<i64>,
    new: Option<i64>,
}

/// Rows of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: Vec<Arc<T>>,
    places: HashMap<u64, usize>,
    pub(crate) by_id: Index,
    pub(crate) by_created: Index,
    pub(crate) by_processed: Index,
    pub(crate) by_updated: Index,
    pub(crate) by_searched: Index,
    unseen: VecDeque<Unseen>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            places: HashMap::new(),
            by_id: Index::default(),
            by_created: Index::default(),
            by_processed: Index::default(),
            by_updated: Index::default(),
            by_searched: Index::default(),
            unseen: VecDeque::new(),
        }
    }
}

/// An id as an index holds it.
fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl<T: Record> Table<T> {
    /// The row of an id, deleted or not.
    pub(crate) fn any(&self, id: u64) -> Option<&Arc<T>> {
        self.places.get(&id).and_then(|place| self.rows.get(*place))
    }

    /// The row of an id, unless it was deleted.
    pub(crate) fn get(&self, id: u64) -> Option<&Arc<T>> {
        self.any(id).filter(|row| !row.is_deleted())
    }

    /// All rows, deleted ones among them, in the order they came.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Arc<T>> {
        self.rows.iter()
    }

    /// The row at a place of that order.
    pub(crate) fn at(&self, place: usize) -> Option<&Arc<T>> {
        self.rows.get(place)
    }

    /// How many rows there are, deleted ones among them.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Adds many rows at once, known to the search index from the start.
    pub(crate) fn load(&mut self, rows: Vec<T>) {
        self.by_id
            .fill(rows.iter().map(|row| (signed(row.id()), row.id())));
        self.by_created
            .fill(rows.iter().map(|row| (row.created_at().millis(), row.id())));
        self.by_processed.fill(
            rows.iter()
                .map(|row| (row.processed_at().millis(), row.id())),
        );
        self.by_updated
            .fill(rows.iter().map(|row| (row.updated_at().millis(), row.id())));
        self.by_searched
            .fill(rows.iter().map(|row| (row.updated_at().millis(), row.id())));
        self.places.reserve(rows.len());
        self.rows.reserve(rows.len());
        for row in rows {
            self.places.insert(row.id(), self.rows.len());
            self.rows.push(Arc::new(row));
        }
    }

    /// Writes a row in place of the one with its id; the search index learns of it at `due`.
    pub(crate) fn put(&mut self, row: T, now: Moment, due: Moment) {
        let id = row.id();
        let old = self.any(id).cloned();
        if let Some(old) = &old {
            self.by_created.remove((old.created_at().millis(), id));
            self.by_processed.remove((old.processed_at().millis(), id));
            self.by_updated.remove((old.updated_at().millis(), id));
        }
        self.by_id.insert((signed(id), id));
        self.by_created.insert((row.created_at().millis(), id));
        self.by_processed.insert((row.processed_at().millis(), id));
        self.by_updated.insert((row.updated_at().millis(), id));
        self.unseen.push_back(Unseen {
            due,
            id,
            old: old.map(|old| old.updated_at().millis()),
            new: Some(row.updated_at().millis()),
        });
        if let Some(place) = self.places.get(&id) {
            if let Some(slot) = self.rows.get_mut(*place) {
                *slot = Arc::new(row);
            }
        } else {
            self.places.insert(id, self.rows.len());
            self.rows.push(Arc::new(row));
        }
        self.settle(now);
    }

    /// The row's `updated_at` as the search index knows it; none for a row it does not know yet.
    pub(crate) fn searched_at(&self, row: &T) -> Option<Moment> {
        match self.unseen.iter().find(|change| change.id == row.id()) {
            Some(change) => change.old.map(Moment::from_millis),
            None => Some(row.updated_at()),
        }
    }

    /// Whether the search index has changes to take in by now.
    pub(crate) fn must_settle(&self, now: Moment) -> bool {
        self.unseen.front().is_some_and(|change| change.due <= now)
    }

    /// Takes the changes into the search index that are due by now.
    pub(crate) fn settle(&mut self, now: Moment) {
        while self.must_settle(now) {
            let Some(change) = self.unseen.pop_front() else {
                return;
            };
            if let Some(old) = change.old {
                self.by_searched.remove((old, change.id));
            }
            if let Some(new) = change.new {
                self.by_searched.insert((new, change.id));
            }
        }
    }
}
