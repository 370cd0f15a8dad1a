//! Reads a page of any list.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::page::{Page, PageRequest};
use crate::db::keyset::Keyset;
use crate::db::{Result as DbResult, TenantTx};
use crate::graphql::error::ApiError;
use crate::graphql::read_snapshot::ReadSnapshot;

/// A list that is sorted by a key.
pub(in crate::graphql) trait Listing: Send + Sync {
    /// The sort key. It ends in something unique.
    type Key: Clone + Serialize + DeserializeOwned + Send + Sync;
    /// A row.
    type Row: Send;

    /// The name of the list and its sort order, as part of cursors.
    fn name(&self) -> String;
    /// Whether the greatest key comes first.
    fn descending(&self) -> bool {
        true
    }
    /// The key of a row.
    fn key(row: &Self::Row) -> Self::Key;
    /// The rows between two keys.
    fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> impl Future<Output = DbResult<Vec<Self::Row>>> + Send;
    /// The number of all rows.
    fn count(&self, transaction: &mut TenantTx) -> impl Future<Output = DbResult<i64>> + Send;
}

/// The rows of a page, and whether there are more.
pub(in crate::graphql) struct PageRows<R> {
    pub(in crate::graphql) rows: Vec<R>,
    pub(in crate::graphql) has_next: bool,
    pub(in crate::graphql) has_previous: bool,
    pub(in crate::graphql) total: i64,
}

impl<R> PageRows<R> {
    /// The first page, from the first rows of the list. `rows` has one more than the page if there
    /// is a next page.
    pub(in crate::graphql) fn first(mut rows: Vec<R>, total: i64, count: i64) -> Self {
        let has_next = i64::try_from(rows.len()).is_ok_and(|read| read > count);
        if has_next {
            rows.pop();
        }
        Self {
            rows,
            has_next,
            has_previous: false,
            total,
        }
    }
}

/// Reads a page of a list.
pub(in crate::graphql) async fn read_page<L: Listing>(
    list: &L,
    reading: &mut ReadSnapshot,
    page: &Page<L::Key>,
    wanted: PageRequest,
) -> Result<PageRows<L::Row>, ApiError> {
    let total = if wanted.total_count {
        list.count(reading.transaction()).await?
    } else {
        0
    };
    if !wanted.rows {
        return Ok(PageRows {
            rows: Vec::new(),
            has_next: false,
            has_previous: false,
            total,
        });
    }
    let (after, before) = (page.after.clone(), page.before.clone());
    let keys = keyset(list, after, before, page.backward, page.count + 1);
    let mut rows = list.rows(reading.transaction(), &keys).await?;
    let more = i64::try_from(rows.len()).is_ok_and(|read| read > page.count);
    if more {
        rows.pop();
    }
    if page.backward {
        rows.reverse();
    }
    let has_next = has_next(list, reading, page, wanted, more, &rows).await?;
    let has_previous = has_previous(list, reading, page, wanted, more, &rows).await?;
    Ok(PageRows {
        rows,
        has_next,
        has_previous,
        total,
    })
}

/// Whether there are rows after the page. In the reading direction, the extra row answers that. On
/// the other side, the list must be queried, because the row of a cursor may have been deleted.
async fn has_next<L: Listing>(
    list: &L,
    reading: &mut ReadSnapshot,
    page: &Page<L::Key>,
    wanted: PageRequest,
    more: bool,
    rows: &[L::Row],
) -> Result<bool, ApiError> {
    if more && !page.backward {
        return Ok(true);
    }
    if page.before.is_none() || !wanted.next {
        return Ok(false);
    }
    let end = rows.last().map(L::key).or_else(|| page.after.clone());
    exists(list, reading, keyset(list, end, None, false, 1)).await
}

/// Whether there are rows before the page.
async fn has_previous<L: Listing>(
    list: &L,
    reading: &mut ReadSnapshot,
    page: &Page<L::Key>,
    wanted: PageRequest,
    more: bool,
    rows: &[L::Row],
) -> Result<bool, ApiError> {
    if more && page.backward {
        return Ok(true);
    }
    if page.after.is_none() || !wanted.previous {
        return Ok(false);
    }
    let start = rows.first().map(L::key).or_else(|| page.before.clone());
    exists(list, reading, keyset(list, None, start, true, 1)).await
}

async fn exists<L: Listing>(
    list: &L,
    reading: &mut ReadSnapshot,
    keys: Keyset<L::Key>,
) -> Result<bool, ApiError> {
    let transaction = reading.transaction();
    Ok(!list.rows(transaction, &keys).await?.is_empty())
}

/// The rows after one key and before another, in the list's order or in reverse.
fn keyset<L: Listing>(
    list: &L,
    after: Option<L::Key>,
    before: Option<L::Key>,
    backward: bool,
    limit: i64,
) -> Keyset<L::Key> {
    let (above, below) = if list.descending() {
        (before, after)
    } else {
        (after, before)
    };
    Keyset {
        above,
        below,
        descending: list.descending() != backward,
        limit,
    }
}
