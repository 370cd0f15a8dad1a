//! Fetches objects by id in batches, each object with all of its children.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::error::{ErrorKind, ShopifyError};
use super::page_sizes::PageSizes;
use super::response::DeniedPaths;
use super::shop_client::ShopClient;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// The result of fetching some ids.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The objects, each before its children.
    pub records: Vec<Record>,
    /// Ids that do not exist in the shop (any more).
    pub missing: Vec<i64>,
    /// Ids that the app may not read. The objects may exist, so they must not count as deleted.
    pub denied: Vec<i64>,
    /// Ids of objects that Shopify failed to return, or that cannot be parsed. Their stored
    /// versions stay unchanged.
    pub skipped: Vec<i64>,
    /// The time before the first query. Later changes may not be included.
    pub fetched_at: DateTime<Utc>,
}

/// The result of one batch.
#[derive(Debug, Default)]
pub(super) struct Batch {
    records: Vec<Record>,
    missing: Vec<i64>,
    denied: Vec<i64>,
}

/// The result of looking up one id.
#[derive(Debug)]
pub(super) enum Lookup<T> {
    /// The object.
    Found(T),
    /// The id does not exist.
    Missing,
    /// The app may not read the object.
    Denied,
}

/// How often an object is read from the start if it changes between its pages.
pub(super) const MAX_READ_ATTEMPTS: usize = 4;

impl<T> Lookup<T> {
    /// Interprets one entry of `nodes`. Null means deleted only if access was not denied: an object
    /// that cannot be read must not be taken for deleted.
    pub(super) fn new(found: Option<T>, index: usize, denied: &DeniedPaths) -> Self {
        match found {
            Some(found) => Self::Found(found),
            None if denied.covers_node(index) => Self::Denied,
            None => Self::Missing,
        }
    }
}

impl Batch {
    /// Adds the result for one id.
    pub(super) fn add(&mut self, id: i64, lookup: Lookup<Vec<Record>>) {
        match lookup {
            Lookup::Found(records) => self.records.extend(records),
            Lookup::Missing => self.missing.push(id),
            Lookup::Denied => self.denied.push(id),
        }
    }
}

/// The state of one fetch over several batches.
#[derive(Default)]
struct Progress {
    /// Request half the current sizes, because Shopify failed at a larger query.
    retry_smaller: bool,
    /// The number of next ids to request one by one, to isolate the failing one.
    isolate: usize,
    /// Whether any batch succeeded.
    any_succeeded: bool,
    /// The skipped ids with their errors.
    skipped: Vec<(i64, ShopifyError)>,
}

impl ShopClient {
    /// Fetches objects by id, with all their children. An object is skipped if it cannot be parsed,
    /// or if Shopify fails to return it while it returns others. Its stored version stays unchanged,
    /// and the daily reconciliation finds it again.
    pub async fn fetch(&self, kind: ObjectKind, ids: &[i64]) -> Result<Fetched, ShopifyError> {
        let mut fetched = Fetched {
            records: Vec::new(),
            missing: Vec::new(),
            denied: Vec::new(),
            skipped: Vec::new(),
            fetched_at: self.shopify.clock().now(),
        };
        let mut seen = HashSet::new();
        let ids: Vec<i64> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
        let mut progress = Progress::default();
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let sizes = self.sizes_for(kind, progress.retry_smaller);
            let max = match progress.isolate {
                0 => sizes.batch(kind),
                _ => 1,
            };
            let (batch, later) = rest.split_at_checked(max).unwrap_or((rest, &[]));
            match Box::pin(self.fetch_batch(kind, batch, sizes)).await {
                Ok(found) => {
                    fetched.records.extend(found.records);
                    fetched.missing.extend(found.missing);
                    fetched.denied.extend(found.denied);
                    self.state.page_sizes.record_success(kind);
                    progress.any_succeeded = true;
                    progress.isolate = progress.isolate.saturating_sub(1);
                    rest = later;
                }
                Err(error) if error.kind() == ErrorKind::TooCostly => {
                    let smaller = self.state.page_sizes.back_off(kind, sizes).ok_or(error)?;
                    tracing::info!(
                        shop.domain = %self.domain(), object.kind = kind.code(),
                        batch = smaller.batch(kind), "reducing the page sizes of a shop's queries"
                    );
                }
                Err(error) => {
                    if progress.handle_failure(error, batch, later, sizes.halved(kind))? {
                        rest = later;
                    }
                }
            }
        }
        for (id, error) in progress.skipped {
            tracing::error!(
                shop.domain = %self.domain(), object.kind = kind.code(), object.id = id,
                error = %error, "an object was skipped; its stored version stays unchanged"
            );
            fetched.skipped.push(id);
        }
        if !ids.is_empty() && fetched.denied.len() == ids.len() {
            let field = kind.code().to_lowercase();
            return Err(ShopifyError::AccessDenied { field });
        }
        Ok(fetched)
    }

    async fn fetch_batch(
        &self,
        kind: ObjectKind,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Batch, ShopifyError> {
        match kind {
            ObjectKind::Customers => self.fetch_customers(ids).await,
            ObjectKind::Products => self.fetch_products(ids, sizes).await,
            ObjectKind::Orders => self.fetch_orders(ids, sizes).await,
        }
    }

    fn sizes_for(&self, kind: ObjectKind, smaller: bool) -> PageSizes {
        let current = self.state.page_sizes.current(kind);
        let halved = smaller.then(|| current.halved(kind)).flatten();
        halved.unwrap_or(current)
    }
}

impl Progress {
    /// Decides how to continue after a failed batch. `true` skips the batch; `false` retries it, in
    /// another size or one by one.
    fn handle_failure(
        &mut self,
        error: ShopifyError,
        batch: &[i64],
        later: &[i64],
        smaller: Option<PageSizes>,
    ) -> Result<bool, ShopifyError> {
        let is_server_failure =
            |error: &ShopifyError| matches!(error, ShopifyError::ServerFailed { .. });
        match error {
            // The size of the query may cause the failure, so it is reduced once.
            ShopifyError::ServerFailed { .. } | ShopifyError::TimedOut
                if !self.retry_smaller && smaller.is_some() =>
            {
                self.retry_smaller = true;
                Ok(false)
            }
            // One of the objects may cause it.
            ShopifyError::ServerFailed { .. } | ShopifyError::Unconvertible(_)
                if batch.len() > 1 =>
            {
                self.isolate = batch.len();
                Ok(false)
            }
            ShopifyError::ServerFailed { .. } | ShopifyError::Unconvertible(_) => {
                let failed_before = self
                    .skipped
                    .iter()
                    .any(|(_, error)| is_server_failure(error));
                // If no other object could be fetched either, Shopify is failing altogether.
                if is_server_failure(&error)
                    && !self.any_succeeded
                    && (later.is_empty() || failed_before)
                {
                    return Err(error);
                }
                self.skipped
                    .extend(batch.iter().map(|id| (*id, error.clone())));
                self.isolate = self.isolate.saturating_sub(1);
                Ok(true)
            }
            error => Err(error),
        }
    }
}

/// Pairs the requested ids with the entries of `nodes`, which has the same order.
pub(super) fn zip_ids<T>(
    ids: &[i64],
    nodes: Vec<T>,
) -> Result<impl Iterator<Item = (i64, usize, T)>, ShopifyError> {
    if ids.len() != nodes.len() {
        return Err(ShopifyError::Unreadable(
            "it has another number of objects than requested".to_owned(),
        ));
    }
    let pairs = ids.iter().copied().enumerate().zip(nodes);
    Ok(pairs.map(|((index, id), node)| (id, index, node)))
}
