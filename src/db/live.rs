//! News between processes: said inside the transaction that causes it, heard after its commit by every
//! process that listens. Ids, days and versions travel, and what changed where that is little.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::postgres::{PgListener, PgPoolOptions};
use uuid::Uuid;

use super::accounts::ACCESS_CHANNEL as ACCESS;
use super::changes::{ChangeKey, StoreChange};
use super::{Database, Result, TenantTx};
use crate::domain::ids::{OrderId, SyncRunId, TenantId};

/// Where the news of the stores goes.
pub(super) const CHANNEL: &str = "xboard_live";
/// Where a process says something to hear itself: see [`Database::call`].
const ECHO: &str = "xboard_echo";
/// A change of more days than these is told without them: whoever listens asks for everything.
const MAX_DAYS: usize = 366;
/// PostgreSQL carries messages that are shorter than eight thousand bytes.
const MAX_BYTES: usize = 7_999;

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
    /// What changed of the store, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change: Option<String>,
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
    /// How to say that the store changed, and which version it has now: the channel and the message.
    pub(super) fn change_to_announce(&mut self, version: i64) -> (&'static str, String) {
        let news = self.store_moved(version);
        (CHANNEL, self.message(news, None))
    }

    fn store_moved(&mut self, version: i64) -> News {
        let mut days = self.take_changed_days();
        if days.len() > MAX_DAYS {
            days.clear();
        }
        News::Store { days, version }
    }

    /// Says that the store changed, which version it was given, and what changed, if that is little. Heard after the
    /// commit.
    pub(super) async fn announce_change(
        &mut self,
        version: i64,
        change: Option<&StoreChange>,
        key: &ChangeKey,
    ) -> Result<()> {
        let tenant = self.tenant();
        let news = self.store_moved(version);
        let sealed = change.and_then(|change| key.seal(tenant, version, change));
        let mut message = self.message(news.clone(), sealed);
        if message.len() > MAX_BYTES {
            message = self.message(news, None);
        }
        self.tell(message).await
    }

    /// Says that a run of a sync moved on. Heard after the commit.
    pub(super) async fn announce_sync(&mut self, run: SyncRunId) -> Result<()> {
        self.announce(News::Sync { run }).await
    }

    async fn announce(&mut self, news: News) -> Result<()> {
        let message = self.message(news, None);
        notify(self.connection(), CHANNEL, &message).await
    }

    fn message(&self, news: News, change: Option<String>) -> String {
        let tenant = self.tenant();
        let message = Message {
            tenant,
            news,
            change,
        };
        serde_json::to_string(&message).unwrap_or_default()
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
    /// News of a store, and what changed of it, where that was told.
    News(TenantId, News, Option<Arc<StoreChange>>),
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
    key: ChangeKey,
}

impl Database {
    /// Begins to listen, on a connection of its own.
    pub async fn listen(&self) -> Result<Listener> {
        let key = self.change_key().await?;
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen_all([CHANNEL, ACCESS, ECHO]).await?;
        Ok(Listener { listener, key })
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
            if let Some(heard) = read(channel, payload, &self.key) {
                return Ok(heard);
            }
        }
    }
}

fn read(channel: &str, payload: &str, key: &ChangeKey) -> Option<Heard> {
    match channel {
        CHANNEL => {
            let message: Message = serde_json::from_str(payload).ok()?;
            let Message {
                tenant,
                news,
                change,
            } = message;
            let change = match (&news, change) {
                (News::Store { version, .. }, Some(change)) => key.open(tenant, *version, &change),
                _ => None,
            };
            Some(Heard::News(tenant, news, change.map(Arc::new)))
        }
        ACCESS => payload.parse().ok().map(Heard::Access),
        ECHO => payload.parse().ok().map(Heard::Echo),
        _ => None,
    }
}
