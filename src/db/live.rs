//! News between processes: said inside the transaction that causes it, heard after its commit by every
//! process that listens. Ids, days and versions travel, no contents.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

use super::accounts::ACCESS_CHANNEL as ACCESS;
use super::{Database, DbError, Result, TenantTx};
use crate::domain::ids::{OrderId, SyncRunId, TenantId};

/// Where the news of the stores goes.
const CHANNEL: &str = "xboard_live";
/// Where a process says something to hear itself: see [`Database::call`].
const ECHO: &str = "xboard_echo";
/// A change of more days than these is told without them: whoever listens asks for everything.
const MAX_DAYS: usize = 366;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum News {
    /// Objects of the store changed, and the figures of these days; none named: of any day.
    Store {
        /// The days, in order.
        days: Vec<NaiveDate>,
        /// The store's data version from this change on; 0 from a process that does not say.
        #[serde(default)]
        version: i64,
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

/// Says something to all who listen there, once the transaction is committed.
pub(super) async fn notify(
    connection: &mut PgConnection,
    channel: &str,
    message: &str,
) -> Result<()> {
    sqlx::query!("select pg_notify($1, $2)::text as sent", channel, message)
        .fetch_one(connection)
        .await?;
    Ok(())
}

impl TenantTx {
    /// Says that the store changed, and which version it was given. Heard after the commit.
    pub(super) async fn notify_data_changed(&mut self, version: i64) -> Result<()> {
        let mut days = self.take_changed_days();
        if days.len() > MAX_DAYS {
            days.clear();
        }
        self.announce(News::Store { days, version }).await
    }

    /// Says that a run of a sync moved on. Heard after the commit.
    pub(super) async fn announce_sync(&mut self, run: SyncRunId) -> Result<()> {
        self.announce(News::Sync { run }).await
    }

    async fn announce(&mut self, news: News) -> Result<()> {
        let tenant = self.tenant();
        let message = serde_json::to_string(&Message { tenant, news })
            .map_err(|error| DbError::Corrupt(format!("an event cannot be written: {error}")))?;
        notify(self.connection(), CHANNEL, &message).await
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

/// What a listener hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// News of a store.
    News(TenantId, News),
    /// What a user, or anybody in a tenant, may do has changed: the id of the one or the other.
    Access(Uuid),
    /// A call of some process.
    Echo(Uuid),
    /// The connection was lost and is there again; what was said meanwhile is not known.
    Gap,
}

/// Hears the news of every store.
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
        listener.listen_all([CHANNEL, ACCESS, ECHO]).await?;
        Ok(Listener { listener })
    }

    /// Says something that every listener hears after all that was committed before: whoever hears it has
    /// heard the rest.
    pub async fn call(&self, id: Uuid) -> Result<()> {
        let mut connection = self.pool.acquire().await?;
        notify(&mut connection, ECHO, &id.to_string()).await
    }
}

impl Listener {
    /// The next thing that is heard.
    pub async fn next(&mut self) -> Result<Heard> {
        loop {
            let Some(notification) = self.listener.try_recv().await? else {
                return Ok(Heard::Gap);
            };
            // What another version of the program says in another way is not for us.
            let (channel, payload) = (notification.channel(), notification.payload());
            if let Some(heard) = read(channel, payload) {
                return Ok(heard);
            }
        }
    }
}

fn read(channel: &str, payload: &str) -> Option<Heard> {
    match channel {
        CHANNEL => {
            let message: Message = serde_json::from_str(payload).ok()?;
            Some(Heard::News(message.tenant, message.news))
        }
        ACCESS => payload.parse().ok().map(Heard::Access),
        ECHO => payload.parse().ok().map(Heard::Echo),
        _ => None,
    }
}
