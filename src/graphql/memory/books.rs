//! The day books of the stores that are asked about, each of the version it was last asked at. A book knows
//! which version it is of, so that it can be brought to a later one by what changed since; those not asked for
//! are dropped when there are too many.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex as ShortMutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use moka::sync::Cache;
use tokio::sync::Mutex;

use super::Edition;
use super::rows::Rows;
use crate::db::Result;
use crate::db::changes::StoreChange;
use crate::db::news::Remembered;
use crate::db::operation::OperationTx;
use crate::domain::calendar::DayRange;
use crate::domain::day_book::{DayBook, DayChange};
use crate::domain::ids::{CustomerId, TenantId};
use crate::domain::money::Currency;

/// How many ranges of a store are remembered to have been asked for, and how many customers; and for how many
/// questions, how many of the newest orders.
const MAX_RANGES: usize = 4;
const MAX_QUESTIONS: usize = 4;
const MAX_CUSTOMERS: usize = 20;
/// How many changes of a store wait until somebody asks; with one more it is read anew.
const MAX_TOLD: usize = 64;

#[derive(Debug)]
pub(super) struct Books {
    kept: Cache<TenantId, Arc<Shared>>,
}

/// A book that the operations of its store share. Locked while it is brought up to date: the others need what
/// is being read.
#[derive(Debug)]
struct Shared {
    book: Mutex<DayBook>,
    bytes: AtomicU32,
    lately: ShortMutex<Lately>,
}

/// What was asked for lately, the last first: as a rule the next operation asks for it too.
#[derive(Debug, Default)]
struct Lately {
    /// The version that the book was last brought to, and its currency.
    book: Option<(i64, Currency)>,
    ranges: Vec<DayRange>,
    customers: Vec<CustomerId>,
    /// How many of the newest orders, each time.
    newest_orders: Vec<i64>,
    /// Rows that were read, of one version, and what was told of each version since.
    rows: Option<Arc<Rows>>,
    told: Vec<Arc<StoreChange>>,
}

impl Lately {
    /// The version that rows and changes reach to.
    fn told_up_to(&self) -> Option<i64> {
        let told = i64::try_from(self.told.len()).ok()?;
        Some(self.rows.as_ref()?.version() + told)
    }

    fn remembered(&self) -> Option<Remembered> {
        let (version, currency) = self.book.clone()?;
        Some(Remembered {
            version,
            currency,
            ranges: self.ranges.clone(),
            customers: self.customers.clone(),
            newest_orders: self.most_newest_orders(),
        })
    }

    fn most_newest_orders(&self) -> i64 {
        self.newest_orders.iter().copied().max().unwrap_or(0)
    }

    /// The rows, if they and the book are of this version, and hold all that was asked for lately.
    fn rows_of(&self, version: i64) -> Option<Arc<Rows>> {
        let rows = self.rows.as_ref()?;
        let good = rows.version() == version
            && self.book.as_ref().is_some_and(|book| book.0 == version)
            && rows.hold(&self.customers, self.most_newest_orders());
        good.then(|| Arc::clone(rows))
    }
}

impl Shared {
    fn lately(&self) -> MutexGuard<'_, Lately> {
        self.lately.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows of an earlier version, and the changes that lead from it to the one that is asked for.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) remembered: Remembered,
    pub(super) rows: Arc<Rows>,
    pub(super) changes: Vec<Arc<StoreChange>>,
}

/// Puts something before all others, and those that are too many out.
fn put_first<T: PartialEq>(list: &mut Vec<T>, one: T, most: usize) {
    list.retain(|other| *other != one);
    list.insert(0, one);
    list.truncate(most);
}

impl Books {
    /// Keeps at most so many bytes.
    pub(super) fn new(bytes: u64) -> Self {
        let kept = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, shared: &Arc<Shared>| shared.bytes.load(Ordering::Relaxed))
            .build();
        Self { kept }
    }

    /// What is remembered of a store, and what is likely to be asked for. `None`: nothing yet.
    pub(super) fn remembered(&self, tenant: TenantId) -> Option<Remembered> {
        self.kept.get(&tenant)?.lately().remembered()
    }

    /// Hears what changed of a store to this version; none: that it did.
    pub(super) fn tell(&self, tenant: TenantId, version: i64, change: Option<Arc<StoreChange>>) {
        let Some(shared) = self.kept.get(&tenant) else {
            return;
        };
        let mut lately = shared.lately();
        let Some(known) = lately.told_up_to() else {
            return;
        };
        match change {
            // Read already.
            _ if version <= known => {}
            Some(change) if version == known + 1 && lately.told.len() < MAX_TOLD => {
                lately.told.push(change);
            }
            _ => {
                lately.rows = None;
                lately.told.clear();
            }
        }
    }

    /// The rows that are remembered of a store, if they are of this version and hold all that was asked for lately.
    pub(super) fn rows(&self, tenant: TenantId, version: i64) -> Option<Arc<Rows>> {
        self.kept.get(&tenant)?.lately().rows_of(version)
    }

    /// What leads from the rows that are remembered of a store to this version.
    pub(super) fn told(&self, tenant: TenantId, version: i64) -> Option<Told> {
        let shared = self.kept.get(&tenant)?;
        let lately = shared.lately();
        let rows = Arc::clone(lately.rows.as_ref()?);
        let remembered = lately.remembered()?;
        let count = usize::try_from(version - rows.version()).ok()?;
        let changes = lately.told.get(..count)?.to_vec();
        let leads_on = remembered.version == rows.version() && !changes.is_empty();
        leads_on.then_some(Told {
            remembered,
            rows,
            changes,
        })
    }

    /// Remembers rows, unless later ones are remembered.
    pub(super) fn keep_rows(&self, tenant: TenantId, rows: Arc<Rows>) {
        let Some(shared) = self.kept.get(&tenant) else {
            return;
        };
        let mut lately = shared.lately();
        let before = lately.rows.as_ref().map(|rows| rows.version());
        let passed = rows.version() - before.unwrap_or_else(|| rows.version());
        if let Ok(passed) = usize::try_from(passed) {
            let passed = passed.min(lately.told.len());
            lately.told.drain(..passed);
            lately.rows = Some(rows);
        }
    }

    /// Forgets the rows of a store: what was told does not lead on from them.
    pub(super) fn drop_rows(&self, tenant: TenantId) {
        if let Some(shared) = self.kept.get(&tenant) {
            let mut lately = shared.lately();
            lately.rows = None;
            lately.told.clear();
        }
    }

    /// Brings the book from the version that was remembered of it to the one that the operation reads, unless
    /// somebody else did, or it is of no use any more.
    pub(super) async fn learn(
        &self,
        tenant: TenantId,
        edition: &Edition,
        remembered: &Remembered,
        days: Vec<DayChange>,
    ) {
        let Some(shared) = self.kept.get(&tenant) else {
            return;
        };
        let mut book = shared.book.lock().await;
        if book.version() == remembered.version
            && edition.continues(remembered)
            && book.currency() == &edition.currency
        {
            book.change(edition.version, days);
            self.weigh(tenant, &shared, &book);
        }
    }

    /// Notes that the customers were asked for who spent most in a range.
    pub(super) fn note_range(&self, tenant: TenantId, edition: &Edition, range: DayRange) {
        let shared = self.of(tenant, edition);
        let mut lately = shared.lately();
        put_first(&mut lately.ranges, range, MAX_RANGES);
    }

    /// Notes that these customers were asked for.
    pub(super) fn note_customers(
        &self,
        tenant: TenantId,
        edition: &Edition,
        customers: &[CustomerId],
    ) {
        let shared = self.of(tenant, edition);
        let mut lately = shared.lately();
        for customer in customers.iter().take(MAX_CUSTOMERS) {
            put_first(&mut lately.customers, *customer, MAX_CUSTOMERS);
        }
    }

    /// Notes that so many of the newest orders were asked for.
    pub(super) fn note_newest_orders(&self, tenant: TenantId, edition: &Edition, count: i64) {
        let shared = self.of(tenant, edition);
        let mut lately = shared.lately();
        lately.newest_orders.insert(0, count);
        lately.newest_orders.truncate(MAX_QUESTIONS);
    }

    fn weigh(&self, tenant: TenantId, shared: &Arc<Shared>, book: &DayBook) {
        let mut lately = shared.lately();
        let rows = lately.rows.as_ref().map_or(0, |rows| rows.size());
        let bytes = u32::try_from(book.size() + rows).unwrap_or(u32::MAX);
        shared.bytes.store(bytes, Ordering::Relaxed);
        lately.book = Some((book.version(), book.currency().clone()));
        drop(lately);
        // Weighed anew.
        self.kept.insert(tenant, Arc::clone(shared));
    }

    /// Asks the store's book, after bringing it to the version that the operation reads.
    pub(super) async fn ask<T>(
        &self,
        operation: &mut OperationTx,
        edition: &Edition,
        question: impl FnOnce(&DayBook) -> T,
    ) -> Result<T> {
        let tenant = operation.tenant();
        let shared = self.of(tenant, edition);
        let mut book = shared.book.lock().await;
        if book.version() > edition.version {
            drop(book);
            // Another operation has read a later snapshot already; this one's is read apart.
            let mut own = DayBook::new(edition.currency.clone());
            bring_up_to(&mut own, operation, edition).await?;
            return Ok(question(&own));
        }
        if book.version() < edition.rebuilt || book.currency() != &edition.currency {
            *book = DayBook::new(edition.currency.clone());
        }
        if book.version() < edition.version {
            bring_up_to(&mut book, operation, edition).await?;
            self.weigh(tenant, &shared, &book);
        }
        Ok(question(&book))
    }

    /// The instants at which days begin in the store's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &self,
        operation: &mut OperationTx,
        edition: &Edition,
        time_zone: &str,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>> {
        let shared = self.of(operation.tenant(), edition);
        let mut book = shared.book.lock().await;
        if book.version() != edition.version {
            // Of another snapshot, in which the store may have been in another zone.
            drop(book);
            return operation
                .transaction()
                .await?
                .day_starts(days, time_zone)
                .await;
        }
        let missing = book.without_start(days);
        if !missing.is_empty() {
            let transaction = operation.transaction().await?;
            let starts = transaction.day_starts(&missing, time_zone).await?;
            book.note_starts(missing.into_iter().zip(starts));
        }
        Ok(days.iter().filter_map(|day| book.start(*day)).collect())
    }

    fn of(&self, tenant: TenantId, edition: &Edition) -> Arc<Shared> {
        self.kept.get_with(tenant, || {
            Arc::new(Shared {
                book: Mutex::new(DayBook::new(edition.currency.clone())),
                bytes: AtomicU32::new(0),
                lately: ShortMutex::default(),
            })
        })
    }
}

async fn bring_up_to(
    book: &mut DayBook,
    operation: &mut OperationTx,
    edition: &Edition,
) -> Result<()> {
    let transaction = operation.transaction().await?;
    if book.version() < 0
        && let Some(kept) = transaction.kept_day_book(book.currency()).await?
        && kept.version() >= edition.rebuilt
    {
        *book = kept;
    }
    if book.version() < edition.version {
        transaction.read_day_book(book, edition.version).await?;
    }
    Ok(())
}
