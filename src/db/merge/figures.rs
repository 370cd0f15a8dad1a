//! What an order adds to the figures, on its way to the rollups of a whole store. Orders that a load puts together say
//! it while they are in memory, and it is kept in pages until the load ends; of all others it is read from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::sums::Sums;
use super::whole::{Entered, Whole};
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::packed::{Packed, packed_fields};
use crate::db::staging::pages::{PAGES_AT_ONCE, Run, read_page};
use crate::db::{Result, TenantTx};
use crate::domain::amounts::{Amounts, SaleTerms};
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::money::Currency;
use crate::domain::sale::SaleLineType;

/// They outlive the transactions of a load, and go when the rollups are built.
const CREATE_TABLES: &str = "\
    set local client_min_messages = warning; \
    create temporary table if not exists figure_pages (like public.figure_pages including identity) \
       with (toast_tuple_target = 8160); \
    alter table pg_temp.figure_pages alter column figures set storage external; \
    create temporary table if not exists kept_figures (like public.kept_figures)";
const DROP_TABLES: &str = "drop table pg_temp.figure_pages, pg_temp.kept_figures";

/// So many orders are read from the ledger at once.
const AT_ONCE: usize = 10_000;
/// The key of orders of nobody among the pages, which comes before every customer.
const NOBODY: i64 = 0;

/// What one order adds to the figures.
#[derive(Debug, PartialEq)]
pub(super) struct OrderFigures {
    pub(super) order: OrderId,
    /// Whether it was read from the ledger. If not, the order may have changed since.
    pub(super) read: bool,
    pub(super) customer: Option<CustomerId>,
    pub(super) days: Vec<DayFigures>,
    pub(super) products: Vec<ProductFigures>,
}

/// What an order adds to a day.
#[derive(Debug, PartialEq)]
pub(super) struct DayFigures {
    pub(super) currency: Currency,
    pub(super) day: NaiveDate,
    /// When the order was placed, on the day on which it counts.
    pub(super) placed_at: Option<DateTime<Utc>>,
    /// 1 on that day, else 0.
    pub(super) orders: i64,
    pub(super) amounts: Amounts,
}

/// What an order adds to a product.
#[derive(Debug, PartialEq)]
pub(super) struct ProductFigures {
    pub(super) currency: Currency,
    pub(super) product: ProductId,
    pub(super) units_sold: i64,
    pub(super) net_sales: Decimal,
}

packed_fields! {
    OrderFigures { order, read, customer, days, products }
    DayFigures { currency, day, placed_at, orders, amounts }
    ProductFigures { currency, product, units_sold, net_sales }
}

impl OrderFigures {
    /// Of an order in memory. An instant without a day is none of the order's.
    pub(super) fn of(
        whole: &Whole<'_>,
        ledger: &[Entered<'_>],
        day_of: impl Fn(DateTime<Utc>) -> Option<NaiveDate>,
    ) -> Self {
        let order = whole.order;
        let mut days: BTreeMap<_, DayFigures> = BTreeMap::new();
        let mut products: BTreeMap<_, ProductFigures> = BTreeMap::new();
        let day_figures = |currency: &Currency, day| DayFigures {
            currency: currency.clone(),
            day,
            placed_at: None,
            orders: 0,
            amounts: Amounts::default(),
        };
        if let Some(day) = day_of(order.processed_at) {
            let mut placed = day_figures(&order.currency, day);
            placed.placed_at = whole.counts().then_some(order.processed_at);
            placed.orders = i64::from(whole.counts());
            days.insert((&order.currency, day), placed);
        }
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
            if let Some(day) = day_of(entered.happened_at) {
                days.entry((&sale.currency, day))
                    .or_insert_with(|| day_figures(&sale.currency, day))
                    .amounts += amounts;
            }
            if let Some(product) = entered.line.and_then(|line| line.product)
                && sale.line_type == SaleLineType::Product
            {
                let sold = products
                    .entry((&sale.currency, product))
                    .or_insert_with(|| ProductFigures {
                        currency: sale.currency.clone(),
                        product,
                        units_sold: 0,
                        net_sales: Decimal::ZERO,
                    });
                sold.units_sold += amounts.units_sold;
                sold.net_sales += amounts.net_sales();
            }
        }
        Self {
            order: order.id,
            read: false,
            customer: order.customer,
            days: days.into_values().collect(),
            products: products.into_values().collect(),
        }
    }

    fn add_to(&self, run: &mut Run) {
        run.add(self.customer.map_or(NOBODY, CustomerId::number), self);
    }
}

/// Figures of orders that are kept until the rollups are built.
#[derive(Debug, Default)]
pub(super) struct KeptFigures {
    run: Run,
    orders: BinaryRows,
}

impl KeptFigures {
    pub(super) fn add(&mut self, figures: &OrderFigures, content_hash: i64) {
        figures.add_to(&mut self.run);
        self.orders.add(|row| {
            row.write(figures.order);
            row.write(content_hash);
        });
    }
}

/// The pages that were kept, read one after the other.
#[derive(Debug, Default)]
pub(super) struct FigurePages {
    /// The first customer and the number of the last page that was read.
    last: Option<(i64, i64)>,
    ended: bool,
}

impl FigurePages {
    /// Reads some pages. None: all have been read.
    pub(super) async fn read(&mut self, transaction: &mut TenantTx) -> Result<Option<Pages>> {
        if self.ended {
            return Ok(None);
        }
        let (first, number) = self.last.unwrap_or((i64::MIN, 0));
        let pages = sqlx::query!(
            "select first_customer, number, figures from figure_pages where (first_customer, number) > ($1, $2) \
             order by first_customer, number limit $3",
            first,
            number,
            PAGES_AT_ONCE
        )
        .fetch_all(transaction.connection())
        .await?;
        self.ended = i64::try_from(pages.len()).is_ok_and(|read| read < PAGES_AT_ONCE);
        if let Some(last) = pages.last() {
            self.last = Some((last.first_customer, last.number));
        }
        let pages = pages.into_iter().map(|page| page.figures).collect();
        Ok(Some(Pages(pages)))
    }

    /// The customers before this one are in no page to come; None: nor are any others.
    pub(super) fn unread(&self) -> Option<CustomerId> {
        let (first, _) = self.last.filter(|_| !self.ended)?;
        Some(CustomerId::new(first))
    }
}

/// Some pages.
#[derive(Debug)]
pub(super) struct Pages(Vec<Vec<u8>>);

impl Pages {
    /// Adds what is in them, but for what was kept of outdated orders.
    pub(super) fn add_to(&self, sums: &mut Sums, outdated: &BTreeSet<OrderId>) -> Result<()> {
        for page in &self.0 {
            read_page(page, |_, figures: OrderFigures, _| {
                if figures.read || !outdated.contains(&figures.order) {
                    sums.add(figures);
                }
            })?;
        }
        Ok(())
    }
}

impl TenantTx {
    /// Keeps figures of orders that are written by this transaction, or have just been written by another, until the
    /// rollups are built.
    pub(super) async fn keep_figures(
        &mut self,
        kept: impl IntoIterator<Item = KeptFigures>,
    ) -> Result<()> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        let mut run = Run::default();
        for one in kept {
            run.append(&one.run);
            self.copy("copy kept_figures from stdin (format binary)", one.orders)
                .await?;
        }
        let mut pages = BinaryRows::default();
        run.cut(|first, page| {
            pages.add(|row| {
                row.write(first);
                row.write(page);
            });
        });
        self.copy(
            "copy figure_pages (first_customer, figures) from stdin (format binary)",
            pages,
        )
        .await
    }

    /// Makes ready the figures of every order of the store: those that were kept, and those of all others, which are
    /// read from the ledger. Gives the orders of which nothing counts that was kept, because somebody wrote them since.
    pub(super) async fn gather_figures(&mut self) -> Result<BTreeSet<OrderId>> {
        sqlx::raw_sql(CREATE_TABLES)
            .execute(self.connection())
            .await?;
        let tenant = self.tenant().uuid();
        let others = sqlx::query!(
            "select k.order_id as \"outdated: OrderId\", o.id as missing \
             from (select id, content_hash from orders where tenant_id = $1 and deleted_at is null) o \
             full join kept_figures k on k.order_id = o.id and k.content_hash = o.content_hash \
             where k.order_id is null or o.id is null",
            tenant
        )
        .fetch_all(self.connection())
        .await?;
        let missing: Vec<_> = others.iter().filter_map(|other| other.missing).collect();
        for ids in missing.chunks(AT_ONCE) {
            let mut read = KeptFigures::default();
            for figures in self.read_figures(ids).await? {
                figures.add_to(&mut read.run);
            }
            self.keep_figures([read]).await?;
        }
        sqlx::raw_sql(
            "create index if not exists figure_pages_customer on figure_pages (first_customer, number)",
        )
        .execute(self.connection())
        .await?;
        Ok(others.iter().filter_map(|other| other.outdated).collect())
    }

    /// Of these orders, from the ledger.
    async fn read_figures(&mut self, ids: &[i64]) -> Result<Vec<OrderFigures>> {
        let tenant = self.tenant().uuid();
        let by_day = sqlx::query!(
            "select order_id as \"order!: OrderId\", customer_id as \"customer: CustomerId\", currency as \"currency!: Currency\", \
                day as \"day!\", min(happened_at) filter (where orders > 0) as placed_at, \
                sum(orders)::bigint as \"orders!\", sum(units_sold)::bigint as \"units_sold!\", \
                sum(gross_sales) as \"gross_sales!\", sum(discounts) as \"discounts!\", sum(returns) as \"returns!\", \
                sum(shipping) as \"shipping!\", sum(taxes) as \"taxes!\", sum(duties) as \"duties!\", sum(fees) as \"fees!\", \
                sum(placed_sales) as \"placed_sales!\" \
             from sale_figures where tenant_id = $1 and order_id = any($2) group by order_id, customer_id, currency, day",
            tenant,
            ids
        )
        .fetch_all(self.connection())
        .await?;
        let by_product = sqlx::query!(
            "select order_id as \"order!: OrderId\", product_id as \"product!: ProductId\", currency as \"currency!: Currency\", \
                units_sold::bigint as \"units_sold!\", net_sales as \"net_sales!\" \
             from product_order_figures where tenant_id = $1 and order_id = any($2)",
            tenant,
            ids
        )
        .fetch_all(self.connection())
        .await?;
        let mut orders: BTreeMap<_, OrderFigures> = BTreeMap::new();
        for row in by_day {
            let figures = orders.entry(row.order).or_insert_with(|| OrderFigures {
                order: row.order,
                read: true,
                customer: row.customer,
                days: Vec::new(),
                products: Vec::new(),
            });
            figures.days.push(DayFigures {
                currency: row.currency,
                day: row.day,
                placed_at: row.placed_at,
                orders: row.orders,
                amounts: Amounts {
                    units_sold: row.units_sold,
                    gross_sales: row.gross_sales,
                    discounts: row.discounts,
                    returns: row.returns,
                    shipping: row.shipping,
                    taxes: row.taxes,
                    duties: row.duties,
                    fees: row.fees,
                    placed_sales: row.placed_sales,
                },
            });
        }
        for row in by_product {
            if let Some(figures) = orders.get_mut(&row.order) {
                figures.products.push(ProductFigures {
                    currency: row.currency,
                    product: row.product,
                    units_sold: row.units_sold,
                    net_sales: row.net_sales,
                });
            }
        }
        Ok(orders.into_values().collect())
    }

    /// The rollups are built.
    pub(super) async fn forget_figures(&mut self) -> Result<()> {
        sqlx::raw_sql(DROP_TABLES)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
