//! What orders add to the figures, on the way to the rollups of a whole store. Orders that a load puts together say
//! it while they are in memory; of all others it is read from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::whole::{Entered, Whole};
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::rows::Row as _;
use crate::db::{Result, TenantTx};
use crate::domain::amounts::{Amounts, SaleTerms};
use crate::domain::sale::SaleLineType;

/// They outlive the transactions of a load, and go when the rollups are built.
pub(super) const CREATE_TABLES: &str = "\
    set local client_min_messages = warning; \
    create temporary table if not exists loaded_spending (like public.loaded_spending); \
    create temporary table if not exists loaded_days (like public.loaded_days); \
    create temporary table if not exists loaded_product_figures (like public.loaded_product_figures)";
const DROP_TABLES: &str =
    "drop table pg_temp.loaded_spending, pg_temp.loaded_days, pg_temp.loaded_product_figures";

/// So many orders are read from the ledger at once, if it is not all of them.
const AT_ONCE: usize = 10_000;

/// Figures of orders as rows of the tables that they are copied into.
#[derive(Default)]
pub(super) struct FigureRows {
    spending: BinaryRows,
    /// By currency and day; the orders that count, and the amounts.
    days: BTreeMap<(String, Option<NaiveDate>), (i64, Amounts)>,
    by_product: BinaryRows,
}

#[derive(Default)]
struct DayFigures {
    placed_at: Option<DateTime<Utc>>,
    amounts: Amounts,
}

impl FigureRows {
    /// Adds an order. Each has a row, if only of zeros.
    pub(super) fn add(
        &mut self,
        whole: &Whole<'_>,
        ledger: &[Entered<'_>],
        day_of: impl Fn(DateTime<Utc>) -> Option<NaiveDate>,
    ) {
        let order = whole.order;
        let mut days: BTreeMap<_, DayFigures> = BTreeMap::new();
        let mut products: BTreeMap<_, (i64, Decimal)> = BTreeMap::new();
        let placed = days
            .entry((order.currency.code(), day_of(order.processed_at)))
            .or_default();
        placed.placed_at = whole.counts().then_some(order.processed_at);
        for entered in ledger.iter().filter(|_| !order.test) {
            let sale = entered.sale;
            let amounts = SaleTerms {
                reason: entered.agreement.reason,
                action: sale.action,
                line_type: sale.line_type,
                quantity: sale.quantity,
                total: sale.total,
                tax: sale.tax,
                discount: sale.discount,
            }
            .amounts();
            let key = (sale.currency.code(), day_of(entered.happened_at));
            days.entry(key).or_default().amounts += amounts;
            if let Some(product) = entered.line.and_then(|line| line.product)
                && sale.line_type == SaleLineType::Product
            {
                let sold = products.entry((sale.currency.code(), product)).or_default();
                sold.0 += amounts.units_sold;
                sold.1 += amounts.net_sales();
            }
        }
        for ((currency, day), figures) in days {
            let orders = i64::from(figures.placed_at.is_some());
            self.spending.add(|row| {
                row.value(order.id);
                row.value(whole.hash);
                row.optional(order.customer);
                row.text(currency);
                row.optional(day);
                row.optional_instant(figures.placed_at);
                row.value(orders);
                row.value(figures.amounts.total_sales());
            });
            let sums = self.days.entry((currency.to_owned(), day)).or_default();
            sums.0 += orders;
            sums.1 += figures.amounts;
        }
        for ((currency, product), (units_sold, net_sales)) in products {
            self.by_product.add(|row| {
                row.value(order.id);
                row.value(product);
                row.text(currency);
                row.value(units_sold);
                row.value(net_sales);
            });
        }
    }
}

fn day_rows(days: BTreeMap<(String, Option<NaiveDate>), (i64, Amounts)>) -> BinaryRows {
    let mut rows = BinaryRows::default();
    for ((currency, day), (orders, amounts)) in days {
        rows.add(|row| {
            row.text(&currency);
            row.optional(day);
            row.value(orders);
            row.value(amounts.units_sold);
            row.value(amounts.gross_sales);
            row.value(amounts.discounts);
            row.value(amounts.returns);
            row.value(amounts.shipping);
            row.value(amounts.taxes);
            row.value(amounts.duties);
            row.value(amounts.fees);
            row.value(amounts.placed_sales);
        });
    }
    rows
}

/// Reads from the ledger what orders add, all of them or those that a condition names; gives the days.
macro_rules! read_orders {
    ($condition:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_scalar!(
            "with by_product as ( \
                insert into loaded_product_figures (order_id, product_id, currency, units_sold, net_sales) \
                select order_id, product_id, currency, units_sold, net_sales from product_order_figures \
                where tenant_id = $1" + $condition + " \
             ), spending as ( \
                insert into loaded_spending (order_id, content_hash, customer_id, currency, day, placed_at, orders, total_sales) \
                select order_id, 0, customer_id, currency, day, min(happened_at) filter (where orders > 0), sum(orders), \
                   sum(gross_sales - discounts - returns + shipping + taxes + duties + fees) \
                from sale_figures where tenant_id = $1" + $condition + " group by order_id, customer_id, currency, day \
                returning day \
             ) \
             select distinct day as \"day!\" from spending",
            $($argument),+
        )
    };
}

/// The same of the sums of days.
macro_rules! read_days {
    ($condition:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            "insert into loaded_days (currency, day, orders, units_sold, gross_sales, discounts, returns, shipping, taxes, \
                duties, fees, placed_sales) \
             select currency, day, sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), \
                sum(shipping), sum(taxes), sum(duties), sum(fees), sum(placed_sales) \
             from sale_figures where tenant_id = $1" + $condition + " group by currency, day",
            $($argument),+
        )
    };
}

impl TenantTx {
    /// Keeps the figures of orders that are written by this transaction until the rollups are built.
    pub(super) async fn keep_figures(&mut self, rows: FigureRows) -> Result<()> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        self.copy(
            "copy loaded_spending from stdin (format binary)",
            rows.spending,
        )
        .await?;
        self.copy(
            "copy loaded_days from stdin (format binary)",
            day_rows(rows.days),
        )
        .await?;
        self.copy(
            "copy loaded_product_figures from stdin (format binary)",
            rows.by_product,
        )
        .await
    }

    /// Brings the figures of every order of the store together: those that were kept, unless somebody wrote the
    /// order since, and those of all others. Days that these have a part in are read from the ledger as a whole.
    pub(super) async fn gather_figures(&mut self) -> Result<()> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        let mut touched = self.drop_outdated_figures().await?;
        let tenant = self.tenant().uuid();
        let kept = sqlx::query_scalar!("select exists (select from loaded_spending) as \"kept!\"")
            .fetch_one(self.connection())
            .await?;
        if kept {
            touched.extend(self.read_missing_figures().await?);
            self.read_days_again(touched).await?;
        } else {
            read_orders!("", tenant)
                .fetch_all(self.connection())
                .await?;
            sqlx::query!("delete from loaded_days")
                .execute(self.connection())
                .await?;
            read_days!("", tenant).execute(self.connection()).await?;
        }
        sqlx::raw_sql("analyze loaded_spending; analyze loaded_product_figures")
            .execute(self.connection())
            .await?;
        Ok(())
    }

    async fn read_days_again(&mut self, days: BTreeSet<NaiveDate>) -> Result<()> {
        if days.is_empty() {
            return Ok(());
        }
        let tenant = self.tenant().uuid();
        let days: Vec<_> = days.into_iter().collect();
        sqlx::query!("delete from loaded_days where day = any($1)", &days)
            .execute(self.connection())
            .await?;
        read_days!(" and day = any($2)", tenant, &days)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Gives the days of what was missing.
    async fn read_missing_figures(&mut self) -> Result<BTreeSet<NaiveDate>> {
        let tenant = self.tenant().uuid();
        let missing = sqlx::query_scalar!(
            "select id from orders o where tenant_id = $1 and deleted_at is null \
               and not exists (select from loaded_spending f where f.order_id = o.id)",
            tenant
        )
        .fetch_all(self.connection())
        .await?;
        let mut touched = BTreeSet::new();
        for ids in missing.chunks(AT_ONCE) {
            let days = read_orders!(" and order_id = any($2)", tenant, ids)
                .fetch_all(self.connection())
                .await?;
            touched.extend(days);
        }
        Ok(touched)
    }

    /// Gives the days of what was outdated.
    async fn drop_outdated_figures(&mut self) -> Result<BTreeSet<NaiveDate>> {
        let tenant = self.tenant().uuid();
        let outdated = sqlx::query!(
            "delete from loaded_spending f where not exists ( \
                select from orders o where o.tenant_id = $1 and o.id = f.order_id and o.content_hash = f.content_hash \
                  and o.deleted_at is null) \
             returning order_id, day",
            tenant
        )
        .fetch_all(self.connection())
        .await?;
        let orders: Vec<_> = outdated.iter().map(|row| row.order_id).collect();
        if !orders.is_empty() {
            sqlx::query!(
                "delete from loaded_product_figures where order_id = any($1)",
                &orders
            )
            .execute(self.connection())
            .await?;
        }
        Ok(outdated.into_iter().map(|row| row.day).collect())
    }

    /// The rollups are built.
    pub(super) async fn forget_figures(&mut self) -> Result<()> {
        sqlx::raw_sql(DROP_TABLES)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
