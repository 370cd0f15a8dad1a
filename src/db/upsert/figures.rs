//! What an order adds to the figures, on its way to the rollups of a whole store. Orders that a load puts together say
//! it while they are in memory, and it is kept in pages until the load ends; of all others it is read from the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::sums::Sums;
use super::whole::{Entered, Whole};
use crate::db::staging::binary::BinaryRows;
use crate::db::staging::packed::{Packed, packed_fields};
use crate::db::staging::pages::{PAGES_AT_ONCE, Reading, Run, read_page};
use crate::db::{Result, TenantTx};
use crate::domain::amounts::Amounts;
use crate::domain::ids::{CustomerId, OrderId, ProductId};
use crate::domain::money::Currency;

/// They outlive the transactions of a load, and go when the rollups are built.
const CREATE_TABLES: &str = "\
    set local client_min_messages = warning; \
    create temporary table if not exists figure_pages (like public.figure_pages including identity including storage) \
       with (toast_tuple_target = 8160); \
    create temporary table if not exists kept_figures (like public.kept_figures); \
    create temporary table if not exists unread_figures (like public.unread_figures); \
    create temporary table if not exists read_figures (like public.read_figures including identity)";
const DROP_TABLES: &str = "drop table pg_temp.figure_pages, pg_temp.kept_figures, pg_temp.unread_figures, pg_temp.read_figures";

/// So many orders are named where they are read from the ledger; of more, all of it is read.
const FEW: i64 = 500;
/// So many rows of the ledger are packed at once.
const AT_ONCE: i64 = 4_000;
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
    DayFigures { currency, day, placed_at, amounts }
    ProductFigures { currency, product, units_sold, net_sales }
}

impl OrderFigures {
    const fn new(order: OrderId, customer: Option<CustomerId>, read: bool) -> Self {
        Self {
            order,
            read,
            customer,
            days: Vec::new(),
            products: Vec::new(),
        }
    }

    /// Of an order in memory. An instant without a day is none of the order's.
    pub(super) fn of(
        whole: &Whole<'_>,
        ledger: &[Entered<'_>],
        day_of: impl Fn(DateTime<Utc>) -> Option<NaiveDate>,
    ) -> Self {
        let order = whole.order;
        let mut figures = Self::new(order.id, order.customer, false);
        if let Some(day) = day_of(order.processed_at) {
            let placed_at = whole.counts().then_some(order.processed_at);
            figures.add_to_day(&order.currency, day, placed_at, Amounts::default());
        }
        for entered in ledger.iter().filter(|_| !order.test) {
            let sale = entered.sale;
            let amounts = entered.amounts();
            if let Some(day) = day_of(entered.happened_at) {
                figures.add_to_day(&sale.currency, day, None, amounts);
            }
            figures.add_sold(&sale.currency, entered.product(), amounts);
        }
        figures
    }

    /// Adds to a day, of which an order has few: that it was placed then, where it counts, or what a sale adds.
    fn add_to_day(
        &mut self,
        currency: &Currency,
        day: NaiveDate,
        placed_at: Option<DateTime<Utc>>,
        amounts: Amounts,
    ) {
        let known = self
            .days
            .iter_mut()
            .find(|known| known.day == day && known.currency == *currency);
        if let Some(known) = known {
            known.placed_at = known.placed_at.or(placed_at);
            known.amounts += amounts;
        } else {
            self.days.push(DayFigures {
                currency: currency.clone(),
                day,
                placed_at,
                amounts,
            });
        }
    }

    fn add_sold(&mut self, currency: &Currency, product: Option<ProductId>, amounts: Amounts) {
        let Some(product) = product else {
            return;
        };
        let known = self
            .products
            .iter_mut()
            .find(|known| known.product == product && known.currency == *currency);
        if let Some(known) = known {
            known.units_sold += amounts.units_sold;
            known.net_sales += amounts.net_sales();
        } else {
            self.products.push(ProductFigures {
                currency: currency.clone(),
                product,
                units_sold: amounts.units_sold,
                net_sales: amounts.net_sales(),
            });
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
    reading: Reading,
}

impl FigurePages {
    /// Reads some pages. None: all have been read.
    pub(super) async fn read(&mut self, transaction: &mut TenantTx) -> Result<Option<Pages>> {
        if self.reading.has_ended() {
            return Ok(None);
        }
        let (first, number) = self.reading.last();
        let pages = sqlx::query!(
            "select first_customer, number, figures from figure_pages where (first_customer, number) > ($1, $2) \
             order by first_customer, number limit $3",
            first,
            number,
            PAGES_AT_ONCE
        )
        .fetch_all(transaction.connection())
        .await?;
        let last = pages.last().map(|page| (page.first_customer, page.number));
        self.reading.go_on(pages.len(), last);
        let pages = pages.into_iter().map(|page| page.figures).collect();
        Ok(Some(Pages(pages)))
    }

    /// The customers before this one are in no page to come; None: nor are any others.
    pub(super) fn unread(&self) -> Option<CustomerId> {
        self.reading.unread().map(CustomerId::new)
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

/// Reads from the ledger what some orders add. Right after a load PostgreSQL knows nothing of the rows; one after the
/// other it might look each order up among all of them, so it joins all at once.
macro_rules! read_ledger {
    ($orders:literal, $($argument:expr),+) => {
        sqlx::query!(
            "insert into read_figures (order_id, customer_id, currency, day, happened_at, orders, units_sold, gross_sales, \
                discounts, returns, shipping, taxes, duties, fees, placed_sales, product_id) \
             select order_id, customer_id, currency, day, happened_at, orders, units_sold, gross_sales, discounts, returns, \
                shipping, taxes, duties, fees, placed_sales, product_id \
             from sale_figures where tenant_id = $1 and order_id = " + $orders,
            $($argument),+
        )
    };
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
        let outdated = sqlx::query_scalar!(
            "with others as ( \
                select k.order_id as outdated, o.id as missing \
                from (select id, content_hash from orders where tenant_id = $1 and deleted_at is null) o \
                full join kept_figures k on k.order_id = o.id and k.content_hash = o.content_hash \
                where k.order_id is null or o.id is null \
             ), missing as ( \
                insert into unread_figures (order_id) select missing from others where missing is not null \
             ) \
             select outdated as \"outdated!: OrderId\" from others where outdated is not null",
            tenant
        )
        .fetch_all(self.connection())
        .await?;
        self.read_unread_figures().await?;
        sqlx::raw_sql(
            "create index if not exists figure_pages_customer on figure_pages (first_customer, number)",
        )
        .execute(self.connection())
        .await?;
        Ok(outdated.into_iter().collect())
    }

    /// Those of the ledger. They wait in a table too, so that memory does not grow with their number: an order may be in
    /// several of the parts that are taken from there, because what it adds is a sum.
    async fn read_unread_figures(&mut self) -> Result<()> {
        let tenant = self.tenant().uuid();
        let ids = sqlx::query_scalar!("select order_id from unread_figures limit $1", FEW + 1)
            .fetch_all(self.connection())
            .await?;
        if ids.is_empty() {
            return Ok(());
        }
        let few = i64::try_from(ids.len()).is_ok_and(|number| number <= FEW);
        if few {
            read_ledger!("any($2)", tenant, &ids)
                .execute(self.connection())
                .await?;
        } else {
            read_ledger!("any(select order_id from unread_figures)", tenant)
                .execute(self.connection())
                .await?;
        }
        sqlx::raw_sql("create index on read_figures (number)")
            .execute(self.connection())
            .await?;
        let mut after = 0;
        while let Some(last) = self.keep_read_figures(after).await? {
            after = last;
        }
        Ok(())
    }

    /// Packs some of the rows that were read, and gives the last one's number.
    async fn keep_read_figures(&mut self, after: i64) -> Result<Option<i64>> {
        let rows = sqlx::query!(
            "select number, order_id as \"order: OrderId\", customer_id as \"customer: CustomerId\", \
                currency as \"currency: Currency\", day, happened_at, orders, units_sold, gross_sales, discounts, returns, \
                shipping, taxes, duties, fees, placed_sales, product_id as \"product: ProductId\" \
             from read_figures where number > $1 order by number limit $2",
            after,
            AT_ONCE
        )
        .fetch_all(self.connection())
        .await?;
        let last = rows.last().map(|row| row.number);
        let mut orders: BTreeMap<_, OrderFigures> = BTreeMap::new();
        for row in rows {
            let amounts = Amounts {
                units_sold: row.units_sold.into(),
                gross_sales: row.gross_sales,
                discounts: row.discounts,
                returns: row.returns,
                shipping: row.shipping,
                taxes: row.taxes,
                duties: row.duties,
                fees: row.fees,
                placed_sales: row.placed_sales,
            };
            let figures = orders
                .entry(row.order)
                .or_insert_with(|| OrderFigures::new(row.order, row.customer, true));
            let placed_at = (row.orders > 0).then_some(row.happened_at);
            figures.add_to_day(&row.currency, row.day, placed_at, amounts);
            figures.add_sold(&row.currency, row.product, amounts);
        }
        let mut kept = KeptFigures::default();
        for figures in orders.values() {
            figures.add_to(&mut kept.run);
        }
        self.keep_figures([kept]).await?;
        Ok(last)
    }

    /// The rollups are built.
    pub(super) async fn forget_figures(&mut self) -> Result<()> {
        sqlx::raw_sql(DROP_TABLES)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}
