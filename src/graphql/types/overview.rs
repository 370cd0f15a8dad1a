//! The headline figures.

use async_graphql::{Context, Object};

use super::metrics::{DateRange, SalesMetrics, asks_for_customers};
use crate::domain::calendar::DayRange;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::numbers::to_graphql_int;

/// The headline figures of a range of days.
#[derive(Clone, Copy, Debug)]
pub struct Overview {
    range: DayRange,
    previous: Option<DayRange>,
}

impl Overview {
    pub(in crate::graphql) const fn new(range: DayRange, previous: Option<DayRange>) -> Self {
        Self { range, previous }
    }
}

/// The headline figures of a range of days. They equal the sums of `ordersByDate` over the same
/// range.
#[Object]
impl Overview {
    /// The resolved date range, in the shop's time zone.
    async fn range(&self) -> DateRange {
        self.range.into()
    }

    /// The sales figures of the range.
    async fn metrics(&self, ctx: &Context<'_>) -> Result<SalesMetrics, ApiError> {
        metrics_of(ctx, self.range).await
    }

    /// The comparison range and its figures. Null unless `compareTo` is given.
    async fn previous(&self) -> Option<OverviewPrevious> {
        self.previous.map(|range| OverviewPrevious { range })
    }

    /// The number of all customers of the shop, with or without orders, whatever the range. Deleted
    /// customers do not count.
    async fn total_customers(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        let reading = RequestContext::of(ctx)?.read().await?;
        to_graphql_int(reading.shop().row.customers)
    }

    /// The number of orders placed in the range in a currency other than the shop's current one. No
    /// figure includes them. Greater than zero only if the shop has changed its currency.
    async fn orders_in_other_currencies(&self, ctx: &Context<'_>) -> Result<i32, ApiError> {
        let mut reading = RequestContext::of(ctx)?.read().await?;
        let orders = reading
            .query_timeline(|timeline| timeline.orders_in_other_currencies(self.range))
            .await?;
        to_graphql_int(orders)
    }
}

/// The comparison range of an overview.
#[derive(Clone, Copy, Debug)]
pub struct OverviewPrevious {
    range: DayRange,
}

/// The comparison range of an overview.
#[Object]
impl OverviewPrevious {
    /// The resolved comparison range, in the shop's time zone.
    async fn range(&self) -> DateRange {
        self.range.into()
    }

    /// The sales figures of the range.
    async fn metrics(&self, ctx: &Context<'_>) -> Result<SalesMetrics, ApiError> {
        metrics_of(ctx, self.range).await
    }
}

async fn metrics_of(ctx: &Context<'_>, range: DayRange) -> Result<SalesMetrics, ApiError> {
    let mut reading = RequestContext::of(ctx)?.read().await?;
    let with_customers = asks_for_customers(&ctx.look_ahead());
    let figures = reading
        .query_timeline(|timeline| timeline.figures_with(range, with_customers))
        .await?;
    figures.try_into()
}
