//! Reading a store's day book: in one piece, where one is kept, or from the rollups that it is made of.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::news::Remembered;
use super::transaction::Planning;
use super::{Result, TenantTx};
use crate::domain::day_book::{DayBook, DayChange, FORM};
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;

/// A book that is kept is made anew when the store's data is so many versions ahead of it, and one more for so many of
/// its bytes: what that costs is spread over changes in proportion to it, and reading what changed since costs less
/// than reading everything.
const TOO_OLD: i64 = 50;
const BYTES_OF_A_CHANGE: i64 = 64;

/// Of the book that is kept of a store, and of the store.
struct Kept {
    currency: Currency,
    version: i64,
    rebuilt: i64,
    pending: bool,
    of_version: Option<i64>,
    bytes: Option<i32>,
}

impl Kept {
    fn is_good(&self) -> bool {
        let too_old = TOO_OLD + self.bytes.map_or(0, i64::from) / BYTES_OF_A_CHANGE;
        let fresh = |kept| kept >= self.rebuilt && self.version - kept < too_old;
        self.pending || self.of_version.is_some_and(fresh)
    }
}

impl TenantTx {
    /// The book that is kept of the store, if it is in this currency.
    pub async fn kept_day_book(&mut self, currency: &Currency) -> Result<Option<DayBook>> {
        let tenant = self.tenant();
        let kept = sqlx::query!(
            "select version, book from day_books where tenant_id = $1 and currency = $2 and form = $3",
            tenant.uuid(),
            currency.code(),
            FORM
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(kept.and_then(|kept| DayBook::from_bytes(currency.clone(), kept.version, &kept.book)))
    }

    /// Keeps the store's book in one piece, if there is none yet or it has become old. Writes nothing otherwise.
    pub async fn keep_day_book(&mut self) -> Result<()> {
        if self.kept().await?.is_none_or(|kept| kept.is_good()) {
            return Ok(());
        }
        // Nobody changes what is being read.
        self.lock_store().await?;
        let Some(kept) = self.kept().await? else {
            return Ok(());
        };
        let mut book = DayBook::new(kept.currency);
        self.read_day_book(&mut book, kept.version).await?;
        let tenant = self.tenant();
        sqlx::query!(
            "insert into day_books (tenant_id, currency, version, form, book) values ($1, $2, $3, $4, $5) \
             on conflict (tenant_id) do update set currency = excluded.currency, version = excluded.version, \
                form = excluded.form, book = excluded.book",
            tenant.uuid(),
            book.currency().code(),
            kept.version,
            FORM,
            book.to_bytes()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    async fn kept(&mut self) -> Result<Option<Kept>> {
        let tenant = self.tenant();
        Ok(sqlx::query_as!(
            Kept,
            "select s.currency as \"currency: Currency\", s.data_version as version, s.rebuilt_version as rebuilt, \
                    s.figures_pending as pending, b.version as \"of_version?\", octet_length(b.book) as bytes \
             from shops s left join day_books b \
                on b.tenant_id = s.tenant_id and b.currency = s.currency and b.form = $2 \
             where s.tenant_id = $1",
            tenant.uuid(),
            FORM
        )
        .fetch_optional(self.connection())
        .await?)
    }

    /// Brings a book to the version of this snapshot. Costs what changed since the one that it is of; for a book of
    /// none, what the store holds.
    pub async fn read_day_book(&mut self, book: &mut DayBook, version: i64) -> Result<()> {
        if book.version() < 0 {
            return self.read_all_days(book, version).await;
        }
        let remembered = Remembered::days(book.version(), book.currency().clone());
        let news = self.store_news(&remembered).await?;
        let days = news.map(|(_, news)| news.days).unwrap_or_default();
        book.change(version, days);
        Ok(())
    }

    async fn read_all_days(&mut self, book: &mut DayBook, version: i64) -> Result<()> {
        self.plan(Planning::Once).await?;
        let tenant = self.tenant().uuid();
        let currency = book.currency().clone();
        let mut changes = Vec::new();
        let mut others: BTreeMap<NaiveDate, i64> = BTreeMap::new();
        let sales = sqlx::query!(
            "select day, currency = $2 as \"own!\", orders, units_sold, gross_sales, discounts, returns, shipping, taxes, \
                    duties, fees, placed_sales \
             from daily_sales where tenant_id = $1",
            tenant,
            currency.code()
        )
        .fetch_all(self.connection())
        .await?;
        for row in sales {
            if !row.own {
                *others.entry(row.day).or_default() += row.orders;
                continue;
            }
            let figures = SalesFigures {
                currency: currency.clone(),
                orders: row.orders,
                units_sold: row.units_sold,
                gross_sales: row.gross_sales,
                discounts: row.discounts,
                returns: row.returns,
                shipping: row.shipping,
                taxes: row.taxes,
                duties: row.duties,
                fees: row.fees,
                placed_sales: row.placed_sales,
                customers: 0,
                new_customers: 0,
            };
            changes.push(DayChange::Sales(row.day, Box::new(figures)));
        }
        let others = others.into_iter();
        changes.extend(others.map(|(day, orders)| DayChange::OtherCurrencies(day, orders)));
        let firsts = sqlx::query!(
            "select day, first_order_day, customers from first_customers where tenant_id = $1 and currency = $2",
            tenant,
            currency.code()
        )
        .map(|row| DayChange::FirstCustomers {
            day: row.day,
            first_order_day: row.first_order_day,
            customers: row.customers,
        });
        changes.extend(firsts.fetch_all(self.connection()).await?);
        let returns = sqlx::query!(
            "select day, previous_day, customers from returning_customers where tenant_id = $1 and currency = $2",
            tenant,
            currency.code()
        )
        .map(|row| DayChange::ReturningCustomers {
            day: row.day,
            previous_day: row.previous_day,
            customers: row.customers,
        });
        changes.extend(returns.fetch_all(self.connection()).await?);
        book.change(version, changes);
        Ok(())
    }
}
