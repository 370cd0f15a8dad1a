//! Reading a page of any list: which rows it holds, and what lies around them.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::page::{Page, Wanted};
use crate::db::keyset::Keyset;
use crate::db::{Result as DbResult, TenantTx};
use crate::graphql::error::ApiError;
use crate::graphql::snapshot::Reading;

/// A list that is ordered by a key.
pub(in crate::graphql) trait Listing: Send + Sync {
    /// What the list is ordered by; ends in something unique.
    type Key: Clone + Serialize + DeserializeOwned + Send + Sync;
    /// What it holds.
    type Row: Send;

    /// The list and its order, as cursors name it.
    fn name(&self) -> String;
    /// Whether the greatest key comes first.
    fn descending(&self) -> bool {
        true
    }
    /// The key of a row.
    fn key(row: &Self::Row) -> Self::Key;
    /// The rows of a stretch of the list.
    fn rows(
        &self,
        transaction: &mut TenantTx,
        keys: &Keyset<Self::Key>,
    ) -> impl Future<Output = DbResult<Vec<Self::Row>>> + Send;
    /// How many rows there are.
    fn count(&self, transaction: &mut TenantTx) -> impl Future<Output = DbResult<i64>> + Send;
}

/// A page with what lies around it, before its rows become nodes.
pub(in crate::graphql) struct Slice<R> {
    pub(in crate::graphql) rows: Vec<R>,
    pub(in crate::graphql) has_next: bool,
    pub(in crate::graphql) has_previous: bool,
    pub(in crate::graphql) total: i64,
}

impl<R> Slice<R> {
    /// The first page of a list, from its first rows: one more of them than the page holds, if there are.
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
    reading: &mut Reading,
    page: &Page<L::Key>,
    wanted: Wanted,
) -> Result<Slice<L::Row>, ApiError> {
    let total = if wanted.total_count {
        list.count(reading.transaction()).await?
    } else {
        0
    };
    if !wanted.rows {
        return Ok(Slice {
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
    Ok(Slice {
        rows,
        has_next,
        has_previous,
        total,
    })
}

/// Ahead of the reading direction the row that was read too many tells. A bound on that side, or the side that
/// the page was reached from, has to be looked behind: the cursor may be of a row that is gone.
async fn has_next<L: Listing>(
    list: &L,
    reading: &mut Reading,
    page: &Page<L::Key>,
    wanted: Wanted,
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

/// The same on the other side.
async fn has_previous<L: Listing>(
    list: &L,
    reading: &mut Reading,
    page: &Page<L::Key>,
    wanted: Wanted,
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
    reading: &mut Reading,
    keys: Keyset<L::Key>,
) -> Result<bool, ApiError> {
    let transaction = reading.transaction();
    Ok(!list.rows(transaction, &keys).await?.is_empty())
}

/// The rows after one key and before another, in the list's order or against it.
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
