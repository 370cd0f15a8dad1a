//! The caches of this process, which save queries to the database. All caches are bounded and evict their least used
//! entries.
//!
//! One rule of invalidation applies to all of them. The database sends an event after every commit that changes a
//! shop's data or a user's access ([`apply`](Caches::apply)). An event of a shop carries the new data version: cached
//! responses have the version in their key, and each timeline stores its own version. An event of access removes
//! sessions. When events may have been missed, all entries that depend on events are removed
//! ([`clear`](Caches::clear)). The caches are then used again after the next heartbeat ([`ListenerHealth`]).

pub mod invalidation;
mod listener_health;
mod local_days;
mod responses;
mod sales_timelines;
mod sessions;
mod shop_states;
mod top_customers;

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use self::listener_health::ListenerHealth;
use self::local_days::LocalDays;
use self::responses::Responses;
pub use self::responses::{CachedResponse, QueryKey};
use self::sales_timelines::SalesTimelines;
pub use self::sessions::Session;
use self::sessions::Sessions;
pub(crate) use self::shop_states::FillToken;
pub use self::shop_states::ShopState;
use self::shop_states::ShopStates;
use self::top_customers::TopCustomersCache;
use crate::db::events::{Event, ShopEvent};
use crate::db::shops::{LocalDay, Shop};
use crate::db::{Result, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::ids::TenantId;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;
use crate::domain::sales_timeline::SalesTimeline;

/// The caches of this process. Clones share them.
#[derive(Clone, Debug)]
pub struct Caches {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    health: ListenerHealth,
    shop_states: ShopStates,
    sessions: Sessions,
    sales_timelines: SalesTimelines,
    top_customers: TopCustomersCache,
    local_days: LocalDays,
    responses: Responses,
}

/// The version of a shop's figures in one snapshot, and their currency.
#[derive(Clone, Debug)]
pub(crate) struct DataVersion {
    /// The version of the shop's data.
    pub(crate) version: i64,
    /// The data version of the last full rebuild of the rollups. Figures that were cached before it are discarded.
    pub(crate) rollup_epoch: i64,
    /// The currency of the figures.
    pub(crate) currency: Currency,
}

impl DataVersion {
    /// The data version of a shop's row.
    pub(crate) fn of(shop: &Shop) -> Self {
        Self {
            version: shop.data_version,
            rollup_epoch: shop.rebuilt_version,
            currency: shop.currency.clone(),
        }
    }
}

impl Caches {
    /// Creates empty caches with this many bytes for figures and for responses.
    #[must_use]
    pub fn new(max_figure_bytes: u64, max_response_bytes: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                health: ListenerHealth::default(),
                shop_states: ShopStates::default(),
                sessions: Sessions::default(),
                sales_timelines: SalesTimelines::new(max_figure_bytes),
                top_customers: TopCustomersCache::new(max_figure_bytes / 4),
                local_days: LocalDays::default(),
                responses: Responses::new(max_response_bytes),
            }),
        }
    }

    /// Applies an event of the database.
    fn apply(&self, event: &Event) {
        match event {
            Event::Shop(tenant, ShopEvent::DataChanged { version, .. }) => {
                self.inner.shop_states.set_version(*tenant, *version);
            }
            Event::Shop(_, ShopEvent::SyncProgress { .. }) => {}
            Event::AccessChanged(id) => {
                self.inner.sessions.invalidate(*id);
                self.inner.shop_states.invalidate(TenantId::trusted(*id));
            }
            Event::Missed => self.clear(),
        }
    }

    /// Removes all entries that depend on events, because events may have been missed.
    fn clear(&self) {
        self.inner.health.mark_unhealthy();
        self.inner.shop_states.clear();
        self.inner.sessions.clear();
    }

    /// Records that the heartbeat that was sent at this time got its reply, and that every earlier event has been
    /// applied.
    fn confirm_health(&self, sent_at: Instant) {
        self.inner.health.mark_healthy(sent_at);
    }

    /// Suspends the use of cached state until the next heartbeat.
    fn suspend(&self) {
        self.inner.health.suspend();
    }

    /// The present data version and local day of a shop. `None`: they are not cached, or events are not being
    /// received.
    #[must_use]
    pub fn shop_state(&self, tenant: TenantId) -> Option<ShopState> {
        self.inner.health.generation_if_healthy()?;
        self.inner.shop_states.get(tenant)
    }

    /// Begins to fill a shop's state. Call it before reading the database. `None`: events are not being received.
    pub(crate) fn begin_fill(&self, tenant: TenantId) -> Option<FillToken> {
        let generation = self.inner.health.generation_if_healthy()?;
        Some(self.inner.shop_states.begin_fill(tenant, generation))
    }

    /// Stores a shop's state, unless an event has invalidated it since the fill began.
    pub(crate) fn populate(&self, token: FillToken, state: ShopState) {
        if token.generation == self.inner.health.generation() {
            self.inner.shop_states.populate(token, state);
        }
    }

    /// The response to a query at the present data version and local day, if it is cached.
    #[must_use]
    pub fn response(&self, query: &QueryKey, now: DateTime<Utc>) -> Option<Arc<CachedResponse>> {
        let state = self.shop_state(query.tenant())?;
        if !state.local_day.contains(now) {
            return None;
        }
        self.inner.responses.get(query, &state)
    }

    /// Stores the response to a query in this state of the shop.
    pub fn store_response(&self, query: &QueryKey, state: &ShopState, response: CachedResponse) {
        self.inner.responses.insert(query, state, response);
    }

    /// A cached session. `None`: it is not cached, or events are not being received.
    #[must_use]
    pub fn session(&self, id: Uuid) -> Option<Session> {
        self.inner.health.generation_if_healthy()?;
        self.inner.sessions.get(id)
    }

    /// Begins to fill a session. Call it before reading the database. `None`: events are not being received.
    #[must_use]
    pub fn begin_session_fill(&self) -> Option<u64> {
        self.inner.health.generation_if_healthy()?;
        Some(self.inner.sessions.generation())
    }

    /// Stores a session, unless any access has changed since the fill began.
    pub fn populate_session(&self, generation: u64, id: Uuid, session: Session) {
        self.inner.sessions.populate(generation, id, session);
    }

    /// Queries a shop's sales timeline at the version of this snapshot.
    pub(crate) async fn query_timeline<T>(
        &self,
        transaction: &mut TenantTx,
        at: &DataVersion,
        query: impl FnOnce(&SalesTimeline) -> T,
    ) -> Result<T> {
        self.inner
            .sales_timelines
            .query(transaction, at, query)
            .await
    }

    /// The instants at which days begin in the shop's time zone, in the order of the days.
    pub(crate) async fn day_starts(
        &self,
        transaction: &mut TenantTx,
        at: &DataVersion,
        time_zone: &str,
        days: &[NaiveDate],
    ) -> Result<Vec<DateTime<Utc>>> {
        let timelines = &self.inner.sales_timelines;
        timelines.day_starts(transaction, at, time_zone, days).await
    }

    /// The customers with the highest sales in a range, at the version of this snapshot.
    pub(crate) async fn top_customers(
        &self,
        transaction: &mut TenantTx,
        at: &DataVersion,
        range: DayRange,
        count: usize,
    ) -> Result<Vec<RankedCustomer>> {
        let top_customers = &self.inner.top_customers;
        top_customers.first(transaction, at, range, count).await
    }

    /// The day of a time zone in which an instant lies.
    pub(crate) async fn local_day(
        &self,
        transaction: &mut TenantTx,
        time_zone: &str,
        now: DateTime<Utc>,
    ) -> Result<LocalDay> {
        if let Some(day) = self.inner.local_days.get(time_zone, now) {
            return Ok(day);
        }
        let day = transaction.local_day(time_zone, now).await?;
        self.inner.local_days.populate(time_zone, day);
        Ok(day)
    }
}
