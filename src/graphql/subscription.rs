//! Subscriptions. Events carry ids only: each response is read with the rights of the subscriber when the event arrives.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, SimpleObject, Subscription};
use async_stream::stream;
use chrono::NaiveDate;
use futures_util::{FutureExt as _, Stream, StreamExt as _};

use super::context::RequestContext;
use super::dataloaders::OrderById;
use super::error::ApiError;
use super::ids::NodeId;
use super::permissions::permit;
use super::scalars::{Day, Instant};
use super::types::{Order, SyncRun};
use crate::cache::invalidation::{Invalidation, Received, SubscribeError};
use crate::db::events::ShopEvent;
use crate::domain::ids::{SyncRunId, TenantId};
use crate::domain::sync::SyncStatus;

/// All subscriptions, over WebSocket (`graphql-transport-ws` at `/graphql/ws`) or server-sent
/// events (`/graphql` with `Accept: text/event-stream`). A subscription ends when the token that
/// started it expires.
#[derive(Clone, Copy, Debug, Default)]
pub struct SubscriptionRoot;

/// A change of the shop's data.
#[derive(Clone, Debug, SimpleObject)]
pub(super) struct StoreChange {
    /// The days of the changed orders, in the shop's time zone, in ascending order. The list is
    /// empty if there are too many days, or if the change is not about orders. It is also empty
    /// after the server's connection to the database was restored, or if the client was too slow to
    /// receive every change. If the list is empty, any day may have changed.
    days: Vec<Day>,
    /// The shop's newest order. Null if there are no orders.
    latest_order: Option<Order>,
    /// The time this event was sent.
    occurred_at: Instant,
}

/// The events of a tenant.
async fn events(
    ctx: &Context<'_>,
    tenant: TenantId,
) -> Result<impl Stream<Item = Received> + use<>, ApiError> {
    let invalidation: &Invalidation = ctx
        .data_opt()
        .ok_or_else(|| ApiError::internal(&"the schema was built without an event listener"))?;
    invalidation
        .subscribe(tenant)
        .await
        .map_err(|error| match error {
            SubscribeError::Database(error) => error.into(),
            SubscribeError::TooMany(maximum) => ApiError::LimitExceeded {
                limit: "subscriptions",
                maximum,
            },
        })
}

/// All subscriptions, over WebSocket (`graphql-transport-ws` at `/graphql/ws`) or server-sent
/// events (`/graphql` with `Accept: text/event-stream`). A subscription ends when the token that
/// started it expires.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// The progress of the shop's sync runs, starting with the one in progress. With an `id`, only
    /// the progress of that run, from its current state until it has ended.
    async fn sync_progress<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the sync run to follow.")] id: Option<ID>,
    ) -> Result<impl Stream<Item = Result<SyncRun, ApiError>> + use<'a>, ApiError> {
        let context = RequestContext::of(ctx)?;
        let tenant = permit(ctx)?.tenant;
        let only = match id {
            None => None,
            Some(id) => match NodeId::decode(&id, tenant) {
                Some(NodeId::SyncRun(run)) => Some(run),
                _ => return Err(ApiError::NotFound),
            },
        };
        let mut events = Box::pin(events(ctx, tenant).await?);
        Ok(stream! {
            let mut received = Received::ResyncRequired;
            loop {
                let changed = match received {
                    Received::Event(ShopEvent::SyncProgress { run }) => {
                        only.is_none_or(|only| only == run).then_some(run)
                    }
                    Received::Event(ShopEvent::DataChanged { .. }) => None,
                    Received::ResyncRequired => match only {
                        Some(run) => Some(run),
                        None => active_run(context).await.unwrap_or_default(),
                    },
                };
                if let Some(run) = changed {
                    match read_run(context, run).await {
                        Ok(Some((run, ended))) => {
                            yield Ok(run);
                            if ended && only.is_some() {
                                break;
                            }
                        }
                        Ok(None) if only.is_some() => {
                            yield Err(ApiError::NotFound);
                            break;
                        }
                        Ok(None) => {}
                        Err(error) => yield Err(error),
                    }
                }
                // A waiting subscription holds no connection.
                context.refresh().await;
                match events.next().await {
                    Some(next) => received = next,
                    None => break,
                }
            }
        })
    }

    /// The shop's data changed. Repeat your queries to get the new data. Several changes may be
    /// combined into one event.
    async fn store_changed<'a>(
        &self,
        ctx: &Context<'a>,
    ) -> Result<impl Stream<Item = Result<StoreChange, ApiError>> + use<'a>, ApiError> {
        let context = RequestContext::of(ctx)?;
        let tenant = permit(ctx)?.tenant;
        let mut events = Box::pin(events(ctx, tenant).await?);
        Ok(stream! {
            while let Some(first) = events.next().await {
                let mut changed = Changed::default();
                changed.add(first);
                while let Some(Some(more)) = events.next().now_or_never() {
                    changed.add(more);
                }
                if let Some(days) = changed.days() {
                    yield store_change(context, days).await;
                }
            }
        })
    }
}

/// The union of several changes.
#[derive(Default)]
struct Changed {
    any: bool,
    every_day: bool,
    days: BTreeSet<NaiveDate>,
}

impl Changed {
    fn add(&mut self, received: Received) {
        match received {
            Received::Event(ShopEvent::SyncProgress { .. }) => return,
            Received::Event(ShopEvent::DataChanged { days, .. }) if !days.is_empty() => {
                self.days.extend(days);
            }
            Received::Event(ShopEvent::DataChanged { .. }) | Received::ResyncRequired => {
                self.every_day = true;
            }
        }
        self.any = true;
    }

    fn days(self) -> Option<Vec<Day>> {
        let days = self.days.into_iter().map(Day);
        self.any.then(|| {
            if self.every_day {
                Vec::new()
            } else {
                days.collect()
            }
        })
    }
}

async fn store_change(context: &RequestContext, days: Vec<Day>) -> Result<StoreChange, ApiError> {
    context.refresh().await;
    let tenant = context.require_principal()?.tenant;
    let latest = context.read().await?.transaction().latest_order().await?;
    let latest_order = match latest {
        Some(order) => context.loaders.load(tenant, OrderById(order)).await?,
        None => None,
    };
    Ok(StoreChange {
        days,
        latest_order: latest_order.map(|order| Order::new(tenant, order)),
        occurred_at: Instant(context.clock.now()),
    })
}

async fn active_run(context: &RequestContext) -> Result<Option<SyncRunId>, ApiError> {
    context.refresh().await;
    let run = context
        .read()
        .await?
        .transaction()
        .active_sync_run()
        .await?;
    Ok(run.map(|run| run.id))
}

/// The present state of a run, and whether it has ended.
async fn read_run(
    context: &RequestContext,
    run: SyncRunId,
) -> Result<Option<(SyncRun, bool)>, ApiError> {
    context.refresh().await;
    let tenant = context.require_principal()?.tenant;
    let runs = context
        .read()
        .await?
        .transaction()
        .sync_runs_by_id(&[run])
        .await?;
    Ok(runs.into_iter().next().map(|run| {
        let ended = !matches!(run.status, SyncStatus::Queued | SyncStatus::Running);
        (SyncRun::new(tenant, run), ended)
    }))
}
