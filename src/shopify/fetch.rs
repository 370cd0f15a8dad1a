//! Objects by their numbers: many at once, in batches that the store's prices allow, each object whole.

use std::collections::HashSet;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};

use super::answer::Denied;
use super::error::{ErrorKind, ShopifyError};
use super::sizes::PageSizes;
use super::store::Store;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// What was fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The objects: each before its children.
    pub records: Vec<Record>,
    /// The numbers that the store does not have (any more).
    pub missing: Vec<i64>,
    /// The numbers of objects that are there, or may be, but which the app may not read. They are neither
    /// changed nor gone.
    pub denied: Vec<i64>,
    /// The numbers of objects at which Shopify fails while it gives others, or which cannot be understood: they stay as
    /// they are.
    pub left_out: Vec<i64>,
    /// When the first question was put: what changed later may not be in here.
    pub asked_at: DateTime<Utc>,
}

/// What one batch gave.
#[derive(Debug, Default)]
pub(super) struct Part {
    records: Vec<Record>,
    missing: Vec<i64>,
    denied: Vec<i64>,
}

/// What the store has under a number.
#[derive(Debug)]
pub(super) enum Entry<T> {
    /// This.
    Found(T),
    /// Nothing.
    Missing,
    /// Something that the app may not read.
    Denied,
}

/// How often an object is read from the start when it changes between its pages.
pub(super) const READINGS: usize = 4;

impl<T> Entry<T> {
    /// What a place of `nodes` holds. Null means gone, unless it was denied: what merely cannot be read must
    /// not be taken for deleted.
    pub(super) fn new(found: Option<T>, index: usize, denied: &Denied) -> Self {
        match found {
            Some(found) => Self::Found(found),
            None if denied.covers_node(index) => Self::Denied,
            None => Self::Missing,
        }
    }
}

impl Part {
    /// Adds what the store has under a number.
    pub(super) fn add(&mut self, id: i64, entry: Entry<Vec<Record>>) {
        match entry {
            Entry::Found(records) => self.records.extend(records),
            Entry::Missing => self.missing.push(id),
            Entry::Denied => self.denied.push(id),
        }
    }
}

impl Store {
    /// The objects with these numbers, with all their children. One that cannot be understood is left out, and one that
    /// Shopify fails at while it gives others: it stays as it is, and is found again by the daily comparison.
    pub async fn fetch(&self, kind: ObjectKind, ids: &[i64]) -> Result<Fetched, ShopifyError> {
        let mut fetched = Fetched {
            records: Vec::new(),
            missing: Vec::new(),
            denied: Vec::new(),
            left_out: Vec::new(),
            asked_at: self.shopify.clock().now(),
        };
        let mut seen = HashSet::new();
        let ids: Vec<i64> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
        let mut sizes = *self.sizes();
        let mut spared = false;
        // Of those that come next, so many are asked for one by one; whether any were given; and which are left out, and why.
        let (mut singly, mut given, mut left_out) = (0_usize, false, Vec::new());
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let most = if singly > 0 { 1 } else { sizes.batch(kind) };
            let (batch, later) = rest.split_at_checked(most).unwrap_or((rest, &[]));
            match Box::pin(self.fetch_batch(kind, batch, sizes)).await {
                Ok(part) => {
                    fetched.records.extend(part.records);
                    fetched.missing.extend(part.missing);
                    fetched.denied.extend(part.denied);
                    given = true;
                    singly = singly.saturating_sub(1);
                    rest = later;
                }
                Err(error) if error.kind() == ErrorKind::TooCostly => {
                    sizes = sizes.halved(kind).ok_or(error)?;
                    *self.sizes() = sizes;
                    tracing::info!(
                        shop.domain = %self.domain(), object.kind = kind.code(),
                        batch = sizes.batch(kind), "asking the store for less at a time"
                    );
                }
                // What makes Shopify fail may be the size of the question: once, less is asked for.
                Err(error @ (ShopifyError::ServerFailed { .. } | ShopifyError::TimedOut))
                    if !spared =>
                {
                    spared = true;
                    sizes = sizes.halved(kind).ok_or(error)?;
                }
                // Or it may be one of the objects.
                Err(ShopifyError::ServerFailed { .. } | ShopifyError::Unconvertible(_))
                    if batch.len() > 1 =>
                {
                    singly = batch.len();
                }
                Err(
                    error @ (ShopifyError::ServerFailed { .. } | ShopifyError::Unconvertible(_)),
                ) => {
                    let fails =
                        |error: &ShopifyError| matches!(error, ShopifyError::ServerFailed { .. });
                    let failed_before = left_out.iter().any(|(_, error)| fails(error));
                    // Who gives nothing else either fails altogether.
                    if fails(&error) && !given && (later.is_empty() || failed_before) {
                        return Err(error);
                    }
                    left_out.extend(batch.iter().map(|id| (*id, error.clone())));
                    singly = singly.saturating_sub(1);
                    rest = later;
                }
                Err(error) => return Err(error),
            }
        }
        for (id, error) in left_out {
            tracing::error!(
                shop.domain = %self.domain(), object.kind = kind.code(), object.id = id,
                error = %error, "an object is left out: it stays as it is"
            );
            fetched.left_out.push(id);
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
    ) -> Result<Part, ShopifyError> {
        match kind {
            ObjectKind::Customers => self.fetch_customers(ids).await,
            ObjectKind::Products => self.fetch_products(ids, sizes).await,
            ObjectKind::Orders => self.fetch_orders(ids, sizes).await,
        }
    }

    fn sizes(&self) -> std::sync::MutexGuard<'_, PageSizes> {
        self.state
            .sizes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The places of `nodes` with the numbers they were asked for.
pub(super) fn aligned<T>(
    ids: &[i64],
    nodes: Vec<T>,
) -> Result<impl Iterator<Item = (i64, usize, T)>, ShopifyError> {
    if ids.len() != nodes.len() {
        return Err(ShopifyError::Unreadable(
            "another number of objects than was asked for".to_owned(),
        ));
    }
    let places = ids.iter().copied().enumerate().zip(nodes);
    Ok(places.map(|((index, id), node)| (id, index, node)))
}
