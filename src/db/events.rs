//! Events: NOTIFY messages that a transaction sends with its commit. Every listening process receives them. An event
//! carries ids, days and versions, never contents, because any user of the database can listen.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgListener, PgNotification, PgPoolOptions};
use sqlx::{ConnectOptions as _, PgConnection};
use uuid::Uuid;

use super::accounts::ACCESS_CHANNEL;
use super::{Database, DbError, Result, TenantTx};
use crate::domain::ids::{OrderId, SyncRunId, TenantId};

/// The name of a listener's connection in `pg_stat_activity`.
const LISTENER: &str = "xboard listener";
/// The channel of the events of shops.
const SHOP_CHANNEL: &str = "xboard_shop";
/// An event with more changed days lists none, because a message must stay below 8,000 bytes.
const MAX_DAYS: usize = 366;

/// An event of a shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ShopEvent {
    /// Objects of the shop changed.
    DataChanged {
        /// The days of the changed orders, in order. Also the days of orders of which only the row changed. Empty:
        /// there are too many days, or the change does not concern orders.
        days: Vec<NaiveDate>,
        /// The data version after this change.
        version: i64,
    },
    /// A sync run made progress.
    SyncProgress {
        /// The run.
        run: SyncRunId,
    },
}

#[derive(Serialize, Deserialize)]
struct Message {
    tenant: TenantId,
    #[serde(flatten)]
    event: ShopEvent,
}

/// Sends a message to every listener of a channel once the transaction is committed. The notification is a statement
/// of its own, because it must not share a statement with a distributed table.
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
    /// Reports, after the commit, that the shop's data changed and has this version.
    pub(super) async fn notify_data_changed(&mut self, version: i64) -> Result<()> {
        let mut days = self.take_changed_days();
        if days.len() > MAX_DAYS {
            days.clear();
        }
        self.notify_shop(ShopEvent::DataChanged { days, version })
            .await
    }

    /// Reports, after the commit, that a sync run made progress.
    pub(super) async fn notify_sync_progress(&mut self, run: SyncRunId) -> Result<()> {
        self.notify_shop(ShopEvent::SyncProgress { run }).await
    }

    async fn notify_shop(&mut self, event: ShopEvent) -> Result<()> {
        let tenant = self.tenant();
        // If the event cannot be sent, the transaction fails: without the event, other processes would show stale
        // figures.
        let message = serde_json::to_string(&Message { tenant, event })
            .map_err(|error| DbError::Corrupt(format!("an event cannot be serialized: {error}")))?;
        notify(self.connection(), SHOP_CHANNEL, &message).await
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

/// A received event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An event of a shop.
    Shop(TenantId, ShopEvent),
    /// The access of a user, or of every member of a tenant, changed: the id of the user or the tenant.
    AccessChanged(Uuid),
    /// Events may have been missed, or one cannot be read.
    Missed,
}

/// Receives the events of all shops on a connection of its own.
#[derive(Debug)]
pub struct Listener {
    listener: PgListener,
}

impl Database {
    /// Starts to listen.
    pub async fn listen(&self) -> Result<Listener> {
        // A heartbeat runs twice a second, so its statements are not logged.
        let options = self
            .options
            .clone()
            .application_name(LISTENER)
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // A reconnect would hide missed events. The owner of the listener opens a new one instead.
        listener.eager_reconnect(false);
        listener.listen_all([SHOP_CHANNEL, ACCESS_CHANNEL]).await?;
        Ok(Listener { listener })
    }
}

impl Listener {
    /// Waits for the next event. Safe to cancel.
    pub async fn next(&mut self) -> Result<Event> {
        let notification = self.listener.try_recv().await?;
        notification
            .as_ref()
            .map(parse)
            .ok_or(DbError::ListenerLost)
    }

    /// Proves that the connection is alive, and returns the events that arrived meanwhile. PostgreSQL delivers every
    /// notification that was committed before a statement no later than the end of that statement. No earlier event
    /// is pending after the reply.
    pub async fn heartbeat(&mut self) -> Result<Vec<Event>> {
        // `execute` reads to the end of the statement. Fetching a row would stop at the row.
        sqlx::raw_sql("select 1")
            .execute(&mut self.listener)
            .await?;
        let buffered = std::iter::from_fn(|| self.listener.next_buffered());
        Ok(buffered.map(|notification| parse(&notification)).collect())
    }
}

/// An event of another version of the program may be unreadable. Any data may have changed then.
fn parse(notification: &PgNotification) -> Event {
    let payload = notification.payload();
    let event = if notification.channel() == ACCESS_CHANNEL {
        payload.parse().ok().map(Event::AccessChanged)
    } else {
        serde_json::from_str(payload)
            .ok()
            .map(|message: Message| Event::Shop(message.tenant, message.event))
    };
    event.unwrap_or(Event::Missed)
}
