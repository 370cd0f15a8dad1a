//! News between processes: said inside the transaction that causes it, heard after its commit by every
//! process that listens. Only ids and days travel.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

use super::accounts::ACCESS_CHANNEL;
use super::{Database, Result, TenantTx};
use crate::domain::ids::{OrderId, SyncRunId, TenantId};

/// Where the news goes.
const CHANNEL: &str = "xboard_live";
/// A change of more days than these is told without them: whoever listens asks for everything.
const MOST_DAYS: usize = 366;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum News {
    /// Objects of the store changed, and the figures of these days; none named: of any day.
    Store {
        /// The days, in order.
        days: Vec<NaiveDate>,
    },
    /// A run of a sync moved on.
    Sync {
        /// Which one.
        run: SyncRunId,
    },
}

#[derive(Serialize, Deserialize)]
struct Message {
    tenant: TenantId,
    #[serde(flatten)]
    news: News,
}

impl TenantTx {
    /// Says that the store changed. Heard after the commit.
    pub(super) async fn announce_change(&mut self) -> Result<()> {
        let mut days = self.take_changed_days();
        if days.len() > MOST_DAYS {
            days.clear();
        }
        self.announce(News::Store { days }).await
    }

    /// Says that a run of a sync moved on. Heard after the commit.
    pub(super) async fn announce_sync(&mut self, run: SyncRunId) -> Result<()> {
        self.announce(News::Sync { run }).await
    }

    async fn announce(&mut self, news: News) -> Result<()> {
        let tenant = self.tenant();
        let message = serde_json::to_string(&Message { tenant, news }).unwrap_or_default();
        sqlx::query!("select pg_notify($1, $2)::text as sent", CHANNEL, message)
            .fetch_one(self.connection())
            .await?;
        Ok(())
    }

    /// The newest order.
    pub async fn latest_order(&mut self) -> Result<Option<OrderId>> {
        let tenant = self.tenant().uuid();
        Ok(sqlx::query_scalar!(
            "select id as \"id: OrderId\" from orders where tenant_id = $1 and deleted_at is null \
             order by processed_at desc, id desc limit 1",
            tenant
        )
        .fetch_optional(self.connection())
        .await?)
    }
}

/// What the listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// News of a store.
    News(TenantId, News),
    /// What a user may do has changed, or (the id is a tenant's) what everybody of a store may do.
    Access(Uuid),
}

/// Hears the news of every store, and whose access changes.
#[derive(Debug)]
pub struct Listener {
    listener: PgListener,
}

impl Database {
    /// Begins to listen, on a connection of its own.
    pub async fn listen(&self) -> Result<Listener> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen_all([CHANNEL, ACCESS_CHANNEL]).await?;
        Ok(Listener { listener })
    }
}

impl Listener {
    /// The next news. `None`: the connection was lost and is there again; what was said meanwhile is not
    /// known.
    pub async fn next(&mut self) -> Result<Option<Told>> {
        loop {
            let Some(notification) = self.listener.try_recv().await? else {
                return Ok(None);
            };
            // What another version of the program says in another way is not for us.
            if notification.channel() == ACCESS_CHANNEL {
                if let Ok(whose) = notification.payload().parse() {
                    return Ok(Some(Told::Access(whose)));
                }
            } else if let Ok(Message { tenant, news }) =
                serde_json::from_str(notification.payload())
            {
                return Ok(Some(Told::News(tenant, news)));
            }
        }
    }
}
