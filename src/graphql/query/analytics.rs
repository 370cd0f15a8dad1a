//! The figures.

use std::collections::HashMap;

use async_graphql::{Context, Lookahead, Object};
use chrono::DateTime;

use crate::domain::calendar::{CalendarInterval, DayRange, MAX_DAYS_BY_HOUR, MAX_POINTS};
use crate::domain::ids::TenantId;
use crate::domain::ranking::RankedCustomer;
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::inputs::{Comparison, DateRangeInput, Interval, resolve_range};
use crate::graphql::numbers::to_graphql_int;
use crate::graphql::pagination::{page_cost, validate_page_size};
use crate::graphql::permissions::permit;
use crate::graphql::read_snapshot::ReadSnapshot;
use crate::graphql::types::{
    Customer, OrdersByDatePoint, Overview, TopCustomer, asks_for_customers,
};

/// Queries for a shop's figures.
#[derive(Default)]
pub(super) struct AnalyticsQueries;

#[Object]
impl AnalyticsQueries {
    /// The headline figures of a range of days, optionally with the figures of a comparison range.
    #[graphql(complexity = "50 + child_complexity")]
    async fn overview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The range of days. The last 30 days, including today, by default.")]
        range: Option<DateRangeInput>,
        #[graphql(desc = "Also return the figures of this comparison range, as `previous`.")]
        compare_to: Option<Comparison>,
    ) -> Result<Overview, ApiError> {
        permit(ctx)?;
        let mut reading = RequestContext::of(ctx)?.read().await?;
        let range = resolve_range(&mut reading, range).await?;
        let previous = compare_to.map(|comparison| range.compared(comparison.into()));
        Ok(Overview::new(range, previous))
    }

    /// A series with one point per interval of the range, in ascending order. Intervals without
    /// sales have zeros. Sums and order counts add up to those of `overview` over the same range. A
    /// customer with orders in several intervals counts in each of them. At most 1,000 points.
    #[graphql(complexity = "series_cost(compare_to) + child_complexity")]
    async fn orders_by_date(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The range of days. The last 30 days, including today, by default.")]
        range: Option<DateRangeInput>,
        #[graphql(
            desc = "The length of the intervals. In the first and last interval, only days inside the range count.",
            default_with = "Interval::Day"
        )]
        interval: Interval,
        #[graphql(desc = "Also return the points of this comparison range, as `previous`.")]
        compare_to: Option<Comparison>,
    ) -> Result<Vec<OrdersByDatePoint>, ApiError> {
        permit(ctx)?;
        let mut reading = RequestContext::of(ctx)?.read().await?;
        let range = resolve_range(&mut reading, range).await?;
        check_points(range, interval)?;
        let selection = ctx.look_ahead();
        let points = series(&mut reading, range, interval, &selection).await?;
        let selection = selection.field("previous");
        let Some(comparison) = compare_to.filter(|_| selection.exists()) else {
            return Ok(points);
        };
        let compared = range.compared(comparison.into());
        let mut previous = series(&mut reading, compared, interval, &selection)
            .await?
            .into_iter();
        let points = points.into_iter();
        Ok(points
            .map(|point| point.compared_with(previous.next()))
            .collect())
    }

    /// The customers with the highest total sales in a range or of all time. Guests are not
    /// included; deleted customers are.
    #[graphql(complexity = "50 + page_cost(Some(first), None, child_complexity)")]
    async fn top_customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of customers to return: 1 to 100.", default = 5)] first: i32,
        #[graphql(desc = "The range of days. All time by default.")] range: Option<DateRangeInput>,
    ) -> Result<Vec<TopCustomer>, ApiError> {
        let limit = validate_page_size("first", first)?;
        let request = RequestContext::of(ctx)?;
        let tenant = permit(ctx)?.tenant;
        let mut reading = request.read().await?;
        let ranking = if range.is_some() {
            let range = resolve_range(&mut reading, range).await?;
            let count = usize::try_from(limit).unwrap_or(0);
            reading.top_customers(range, count).await?
        } else {
            reading.transaction().top_customers(limit).await?
        };
        request.refund(ctx, limit, ranking.len());
        with_customers(&mut reading, tenant, ranking).await
    }
}

/// The cost of a series. The points of a compared range count like those of the range.
const fn series_cost(compare_to: Option<Comparison>) -> usize {
    if compare_to.is_some() { 200 } else { 100 }
}

async fn series(
    reading: &mut ReadSnapshot,
    range: DayRange,
    interval: Interval,
    selection: &Lookahead<'_>,
) -> Result<Vec<OrdersByDatePoint>, ApiError> {
    let Some(interval) = interval.calendar() else {
        let shop = reading.shop();
        let transaction = reading.transaction();
        let hours = transaction
            .hourly_series(&shop.currency, &shop.time_zone, range)
            .await?;
        let points = hours
            .into_iter()
            .map(|hour| OrdersByDatePoint::new(hour.date, hour.start, hour.figures));
        return points.collect();
    };
    let with_customers = asks_for_customers(&selection.field("metrics"));
    let points = reading
        .query_timeline(|timeline| timeline.series(range, interval, with_customers))
        .await?;
    let starts = if selection.field("start").exists() {
        let days: Vec<_> = points.iter().map(|(day, _)| *day).collect();
        reading.day_starts(&days).await?
    } else {
        // The field is not selected.
        vec![DateTime::UNIX_EPOCH; points.len()]
    };
    let points = points
        .into_iter()
        .zip(starts)
        .map(|((day, figures), start)| OrdersByDatePoint::new(day, start, figures));
    points.collect()
}

fn check_points(range: DayRange, interval: Interval) -> Result<(), ApiError> {
    match interval.calendar() {
        Some(interval) => check_length(range, interval),
        None => check_hours(range),
    }
}

fn check_length(range: DayRange, interval: CalendarInterval) -> Result<(), ApiError> {
    if range.cut(interval).nth(MAX_POINTS).is_none() {
        return Ok(());
    }
    let better = CalendarInterval::shortest_for(range).unit().to_uppercase();
    Err(ApiError::bad_input(
        "interval",
        format!(
            "A series holds at most {MAX_POINTS} points: ask for `interval: {better}`, or for a shorter range."
        ),
    ))
}

fn check_hours(range: DayRange) -> Result<(), ApiError> {
    if range.days() <= MAX_DAYS_BY_HOUR {
        return Ok(());
    }
    let better = CalendarInterval::shortest_for(range).unit().to_uppercase();
    Err(ApiError::bad_input(
        "interval",
        format!(
            "Hours are for ranges of at most {MAX_DAYS_BY_HOUR} days: ask for `interval: {better}`, or for a shorter range."
        ),
    ))
}

async fn with_customers(
    reading: &mut ReadSnapshot,
    tenant: TenantId,
    ranking: Vec<RankedCustomer>,
) -> Result<Vec<TopCustomer>, ApiError> {
    let shop = reading.shop();
    let ids: Vec<_> = ranking.iter().map(|ranked| ranked.customer).collect();
    let rows = reading.transaction().customers_by_id(&ids).await?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    (1..)
        .zip(ranking)
        .filter_map(|(rank, ranked)| Some((rank, rows.remove(&ranked.customer)?, ranked)))
        .map(|(rank, row, ranked)| {
            Ok(TopCustomer {
                rank,
                customer: Customer::new(tenant, row, &shop),
                total_spent: shop.money(ranked.total_spent).into(),
                orders: to_graphql_int(ranked.orders)?,
            })
        })
        .collect()
}
