//! What this process remembers so that it need not ask the database each time.
//!
//! Which version a store's data has, and what the sessions that were seen may do, it is told after every commit
//! that changes it ([`hear`](Memory::hear)); nothing of that is used longer than it can be relied on: see
//! [`Trust`]. Figures (day books, rankings) are of a version that they know themselves: they are compared with the
//! version that a snapshot shows, and need no trust.

mod books;
mod present_days;
mod principals;
mod rankings;
mod stores;
mod trust;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

pub use principals::Session;
pub use stores::{Known, Lesson};
use trust::Trust;

use self::books::Books;
use self::present_days::PresentDays;
use self::principals::Principals;
use self::rankings::Rankings;
use self::stores::Stores;
use crate::db::live::{Heard, News};
use crate::db::shops::{PresentDay, Shop};
use crate::db::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::day_book::DayBook;
use crate::domain::ids::TenantId;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;

/// What the process remembers. Clones share it.
#[derive(Clone, Debug)]
pub struct Memory {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    trust: Trust,
    stores: Stores,
    principals: Principals,
    books: Books,
    rankings: Rankings,
    present_days: PresentDays,
}

/// The state of a store that an operation reads, as far as its figures go.
#[derive(Clone, Debug)]
pub(super) struct Edition {
    /// The version of its data.
    pub(super) version: i64,
    /// The version in which all figures were last worked out anew: what is remembered of earlier ones is of no
    /// use.
    pub(super) rebuilt: i64,
    /// What its figures are counted in.
    pub(super) currency: Currency,
}

impl Edition {
    /// Of a store as it was read.
    pub(super) fn of(shop: &Shop) -> Self {
        Self {
            version: shop.data_version,
            rebuilt: shop.rebuilt_version,
            currency: shop.currency.clone(),
        }
    }
}

impl Memory {
    /// Remembers nothing yet, and figures in at most so many bytes.
    #[must_use]
    pub fn new(bytes_of_figures: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                trust: Trust::default(),
                stores: Stores::default(),
                principals: Principals::default(),
                books: Books::new(bytes_of_figures),
                rankings: Rankings::new(bytes_of_figures / 4),
                present_days: PresentDays::default(),
            }),
        }
    }

    /// Asks the store's figures, as the operation reads them.
    pub(super) async fn ask_book<T>(
        &self,
        transaction: &mut TenantTx,
        edition: &Edition,
        question: impl FnOnce(&DayBook) -> T,
    ) -> Result<T> {
        self.inner.books.ask(transaction, edition, question).await
    }

    /// The instants at which days begin in the store's time zone, in the order of the days.
    pub(super) async fn day_starts(
        &self,
        transaction: &mut TenantTx,
        edition: &Edition,
        time_zone: &str,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>> {
        let books = &self.inner.books;
        books
            .day_starts(transaction, edition, time_zone, days)
            .await
    }

    /// The day of a time zone in which an instant lies, where it is known.
    pub(super) fn known_day(&self, time_zone: &str, now: DateTime<Utc>) -> Option<PresentDay> {
        self.inner.present_days.of(time_zone, now)
    }

    /// The same, read where it is not.
    pub(super) async fn present_day(
        &self,
        transaction: &mut TenantTx,
        time_zone: &str,
        now: DateTime<Utc>,
    ) -> Result<PresentDay> {
        if let Some(day) = self.known_day(time_zone, now) {
            return Ok(day);
        }
        let day = transaction.present_day(time_zone, now).await?;
        self.inner.present_days.note(time_zone, day);
        Ok(day)
    }

    /// The first of those who spent most in a range, as the operation reads them.
    pub(super) async fn top_customers(
        &self,
        transaction: &mut TenantTx,
        edition: &Edition,
        range: DayRange,
        count: usize,
    ) -> Result<Vec<RankedCustomer>> {
        let rankings = &self.inner.rankings;
        rankings.first(transaction, edition, range, count).await
    }

    /// Whether what is remembered may be relied on now.
    pub(super) fn trust(&self) -> &Trust {
        &self.inner.trust
    }

    /// Brings what is remembered in line with what was heard.
    pub(super) fn hear(&self, heard: &Heard) {
        match heard {
            Heard::News(tenant, News::Store { version, .. }) => {
                self.inner.stores.changed(*tenant, *version);
            }
            Heard::News(_, News::Sync { .. }) => {}
            Heard::Access(id) => {
                self.inner.principals.forget(*id);
                self.inner.stores.forget(TenantId::trusted(*id));
            }
            Heard::Echo(id) => self.inner.trust.echoed(*id),
            Heard::Gap => self.forget(),
        }
    }

    /// Forgets everything: news may have been missed.
    pub(super) fn forget(&self) {
        self.inner.trust.lose();
        self.inner.stores.clear();
        self.inner.principals.clear();
    }

    /// Begins to learn a store's version: to be called before the database is asked. `None`: what would be
    /// learnt could not be relied on.
    #[must_use]
    pub fn lesson(&self, tenant: TenantId) -> Option<Lesson> {
        let epoch = self.inner.trust.epoch_if_held()?;
        Some(self.inner.stores.lesson(tenant, epoch))
    }

    /// Remembers what the database said, unless news has come since that makes it old.
    pub fn learn(&self, lesson: Lesson, known: Known) {
        if lesson.epoch() == self.inner.trust.epoch() {
            self.inner.stores.learn(lesson, known);
        }
    }

    /// What is known of a store without asking the database.
    #[must_use]
    pub fn store(&self, tenant: TenantId) -> Option<Known> {
        self.inner.trust.epoch_if_held()?;
        self.inner.stores.known(tenant)
    }

    /// What is known of a session without asking the database.
    #[must_use]
    pub fn session(&self, id: Uuid) -> Option<Session> {
        self.inner.trust.epoch_if_held()?;
        self.inner.principals.known(id)
    }

    /// Begins to learn what a session may do: to be called before the database is asked.
    #[must_use]
    pub fn session_lesson(&self) -> Option<u64> {
        self.inner.trust.epoch_if_held()?;
        Some(self.inner.principals.generation())
    }

    /// Remembers what a session may do, unless anybody's access has changed since the lesson began.
    pub fn learn_session(&self, lesson: u64, id: Uuid, session: Session) {
        self.inner.principals.learn(lesson, id, session);
    }
}
