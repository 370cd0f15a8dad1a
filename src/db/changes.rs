//! What a transaction changed of a store, told with the news of it: a process that remembers the store's figures
//! brings them to the new version by it, and asks the database nothing. Only changes of a few objects are told so;
//! whoever hears of another one reads what changed (`store_news`). It is sealed: whoever may connect to the database
//! hears what is told, and row security does not hold there.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chrono::serde::{ts_microseconds, ts_microseconds_option};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::customers::CustomerRow;
use super::orders::OrderRow;
use super::upsert::{HeaderRows, Store, replacing_headers};
use super::{Database, DbError, Result, SystemTx, TenantTx};
use crate::domain::calendar::DayRange;
use crate::domain::day_book::{DayChange, day_number};
use crate::domain::ids::{CustomerId, OrderId, TenantId};
use crate::domain::metrics::SalesFigures;
use crate::domain::money::Currency;
use crate::domain::ranking::RankedCustomer;
use crate::domain::sync::ObjectKind;

/// What a change in this form begins with: to be raised with every change of that.
const FORM: &str = "1.";
/// A change of more objects than these is not told.
pub(super) const MAX_OBJECTS: usize = 10;
/// Nor is one of customers with more days than these.
pub(super) const MAX_DAYS_OF_CUSTOMERS: i32 = 300;

/// The objects that a merge found new or different.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) customers: Vec<i64>,
    pub(super) orders: Vec<i64>,
}

impl Touched {
    pub(super) fn of(kind: ObjectKind, ids: Vec<i64>) -> Self {
        let mut touched = Self::default();
        match kind {
            ObjectKind::Customers => touched.customers = ids,
            ObjectKind::Orders => touched.orders = ids,
            // Nothing that is told shows them.
            ObjectKind::Products => {}
        }
        touched
    }
}

/// What has changed from the version before to the one that it is told with. Rows are as they are now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoreChange {
    pub(super) total_customers: Option<i64>,
    pub(super) days: Vec<ChangedDay>,
    pub(super) first_customers: Vec<ChangedCount>,
    pub(super) returning_customers: Vec<ChangedCount>,
    pub(super) customers: Vec<ChangedCustomer>,
    /// The customers whose spending changed, and all their days in the store's currency.
    pub(super) spenders: Vec<i64>,
    pub(super) spending: Vec<ChangedSpending>,
    pub(super) orders: Vec<ChangedOrder>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "changed_day")]
pub(super) struct ChangedDay {
    #[serde(with = "day_number")]
    day: NaiveDate,
    currency: Currency,
    orders: i64,
    units_sold: i64,
    #[serde(with = "ten_thousandths")]
    gross_sales: Decimal,
    #[serde(with = "ten_thousandths")]
    discounts: Decimal,
    #[serde(with = "ten_thousandths")]
    returns: Decimal,
    #[serde(with = "ten_thousandths")]
    shipping: Decimal,
    #[serde(with = "ten_thousandths")]
    taxes: Decimal,
    #[serde(with = "ten_thousandths")]
    duties: Decimal,
    #[serde(with = "ten_thousandths")]
    fees: Decimal,
    #[serde(with = "ten_thousandths")]
    placed_sales: Decimal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "changed_count")]
pub(super) struct ChangedCount {
    #[serde(with = "day_number")]
    day: NaiveDate,
    #[serde(with = "day_number")]
    earlier_day: NaiveDate,
    customers: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "changed_customer")]
pub(super) struct ChangedCustomer {
    id: i64,
    display_name: String,
    email: Option<String>,
    tags: Vec<String>,
    #[serde(with = "ts_microseconds_option")]
    created_at: Option<DateTime<Utc>>,
    orders: i64,
    #[serde(with = "ten_thousandths")]
    total_spent: Decimal,
    #[serde(with = "ts_microseconds_option")]
    first_order_at: Option<DateTime<Utc>>,
    #[serde(with = "ts_microseconds_option")]
    last_order_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "changed_spending")]
pub(super) struct ChangedSpending {
    pub(super) customer_id: i64,
    #[serde(with = "day_number")]
    pub(super) day: NaiveDate,
    pub(super) orders: i64,
    #[serde(with = "ten_thousandths")]
    total_sales: Decimal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(type_name = "changed_order")]
pub(super) struct ChangedOrder {
    id: i64,
    name: String,
    customer_id: Option<i64>,
    #[serde(with = "ts_microseconds")]
    processed_at: DateTime<Utc>,
    #[serde(with = "ts_microseconds_option")]
    cancelled_at: Option<DateTime<Utc>>,
    financial_status: Option<String>,
    fulfillment_status: Option<String>,
    source_name: Option<String>,
    discount_codes: Vec<String>,
    tags: Vec<String>,
    test: bool,
    currency: Currency,
    #[serde(with = "ten_thousandths")]
    total_price: Decimal,
    #[serde(with = "ten_thousandths")]
    net_payment: Decimal,
}

/// Amounts as whole numbers, exact: the database has four decimals.
mod ten_thousandths {
    use rust_decimal::Decimal;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::domain::day_book::{SCALE, ten_thousandths};

    pub(super) fn serialize<S: Serializer>(
        amount: &Decimal,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        ten_thousandths(*amount).serialize(serializer)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Decimal, D::Error> {
        let amount = i128::deserialize(deserializer)?;
        Decimal::try_from_i128_with_scale(amount, SCALE).map_err(D::Error::custom)
    }
}

/// Seals what is told. Clones share it.
#[derive(Clone)]
pub(super) struct ChangeKey(Arc<RandomizedNonceKey>);

impl std::fmt::Debug for ChangeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangeKey")
    }
}

impl ChangeKey {
    fn new(bytes: &[u8]) -> Result<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, bytes)
            .map(|key| Self(Arc::new(key)))
            .map_err(|_| DbError::Corrupt("the key of what is told".to_owned()))
    }

    /// What changed of a store to a version, as text; `None`: it cannot be sealed.
    pub(super) fn seal(
        &self,
        tenant: TenantId,
        version: i64,
        change: &StoreChange,
    ) -> Option<String> {
        let mut body = postcard::to_allocvec(change).ok()?;
        let context = context(tenant, version);
        let nonce = self.0.seal_in_place_append_tag(context, &mut body).ok()?;
        Some(FORM.to_owned() + &BASE64.encode([nonce.as_ref().as_slice(), &body].concat()))
    }

    /// Opens what was sealed for this store and version; `None`: by another key, or in another form.
    pub(super) fn open(&self, tenant: TenantId, version: i64, text: &str) -> Option<StoreChange> {
        let mut sealed = BASE64.decode(text.strip_prefix(FORM)?).ok()?;
        let (nonce, body) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let context = context(tenant, version);
        let plain = self.0.open_in_place(nonce, context, body).ok()?;
        postcard::from_bytes(plain).ok()
    }
}

/// A change that is told again, or as another store's, does not open.
fn context(tenant: TenantId, version: i64) -> Aad<Vec<u8>> {
    Aad::from([tenant.uuid().as_bytes().as_slice(), &version.to_be_bytes()].concat())
}

impl Database {
    /// The key of what is told, read once by each process.
    pub(super) async fn change_key(&self) -> Result<ChangeKey> {
        let read = async || self.system().await?.change_key().await;
        self.change_key.get_or_try_init(read).await.cloned()
    }
}

impl SystemTx {
    async fn change_key(&mut self) -> Result<ChangeKey> {
        let key = sqlx::query_scalar!("select key from change_key limit 1")
            .fetch_optional(self.connection())
            .await?;
        ChangeKey::new(&key.unwrap_or_default())
    }
}

impl StoreChange {
    /// `None`: it is more than can be told of a store in this currency.
    pub(super) fn if_little(self, currency: &Currency) -> Option<Self> {
        let days = i32::try_from(self.spending.len()).unwrap_or(i32::MAX);
        // Orders in other currencies are counted by day in all of them together, which is not read here.
        let other = self.days.iter().any(|day| day.currency != *currency);
        (days <= MAX_DAYS_OF_CUSTOMERS && !other).then_some(self)
    }

    /// How many customers the store has now; `None`: they were not counted.
    #[must_use]
    pub const fn total_customers(&self) -> Option<i64> {
        self.total_customers
    }

    /// The days and the counts of customers that changed, of a store in this currency.
    #[must_use]
    pub fn days(&self, currency: &Currency) -> Vec<DayChange> {
        let sales = self.days.iter().map(|changed| {
            let figures = SalesFigures {
                currency: currency.clone(),
                orders: changed.orders,
                units_sold: changed.units_sold,
                gross_sales: changed.gross_sales,
                discounts: changed.discounts,
                returns: changed.returns,
                shipping: changed.shipping,
                taxes: changed.taxes,
                duties: changed.duties,
                fees: changed.fees,
                placed_sales: changed.placed_sales,
                customers: 0,
                new_customers: 0,
            };
            DayChange::Sales(changed.day, Box::new(figures))
        });
        let first = self.first_customers.iter();
        let first = first.map(|changed| DayChange::FirstCustomers {
            day: changed.day,
            first_order_day: changed.earlier_day,
            customers: changed.customers,
        });
        let returning = self.returning_customers.iter();
        let returning = returning.map(|changed| DayChange::ReturningCustomers {
            day: changed.day,
            previous_day: changed.earlier_day,
            customers: changed.customers,
        });
        sales.chain(first).chain(returning).collect()
    }

    /// What the customers whose spending changed have come to in a range.
    #[must_use]
    pub fn spending_in(&self, range: DayRange) -> Vec<RankedCustomer> {
        let within = &(range.from()..=range.to());
        let spenders = self.spenders.iter();
        let in_range = |id| {
            let days = self.spending.iter();
            days.filter(move |spent| spent.customer_id == id && within.contains(&spent.day))
        };
        spenders
            .map(|&id| RankedCustomer {
                customer: CustomerId::new(id),
                total_spent: in_range(id).map(|spent| spent.total_sales).sum(),
                orders: in_range(id).map(|spent| spent.orders).sum(),
            })
            .collect()
    }

    /// The customers who changed, and those of the orders that did.
    pub fn customers(&self) -> impl Iterator<Item = CustomerRow> {
        self.customers.iter().map(|changed| CustomerRow {
            id: CustomerId::new(changed.id),
            display_name: changed.display_name.clone(),
            email: changed.email.clone(),
            tags: changed.tags.clone(),
            created_at: changed.created_at,
            orders: changed.orders,
            total_spent: changed.total_spent,
            first_order_at: changed.first_order_at,
            last_order_at: changed.last_order_at,
        })
    }

    /// The orders that changed.
    pub fn orders(&self) -> impl Iterator<Item = OrderRow> {
        self.orders.iter().map(|changed| OrderRow {
            id: OrderId::new(changed.id),
            name: changed.name.clone(),
            customer_id: changed.customer_id.map(CustomerId::new),
            processed_at: changed.processed_at,
            cancelled_at: changed.cancelled_at,
            financial_status: changed.financial_status.clone(),
            fulfillment_status: changed.fulfillment_status.clone(),
            source_name: changed.source_name.clone(),
            discount_codes: changed.discount_codes.clone(),
            tags: changed.tags.clone(),
            test: changed.test,
            currency: changed.currency.clone(),
            total_price: changed.total_price,
            net_payment: changed.net_payment,
        })
    }
}

impl TenantTx {
    /// Writes the rows of known orders of which nothing else is different, and gives the store's data its new version.
    /// No figure moves.
    pub(super) async fn replace_headers_and_read(
        &mut self,
        store: &Store,
        rows: &HeaderRows,
        asked_at: DateTime<Utc>,
    ) -> Result<StoreChange> {
        let tenant = self.tenant().uuid();
        let row = replacing_headers!(
            ", moved as (update shops set data_version = $6 where tenant_id = $1) \
             select customers as total_customers, array(select distinct day from written) as \"days!\", \
                array( \
                   select row(c.id, c.display_name, c.email, c.tags, c.created_at, coalesce(t.orders, 0), \
                      coalesce(t.total_spent, 0), t.first_order_at, t.last_order_at)::changed_customer \
                   from customers c left join customer_totals t on t.tenant_id = $1 and t.customer_id = c.id \
                   where c.tenant_id = $1 and c.id = any(array(select customer_id from written)) \
                ) as \"customers!: Vec<ChangedCustomer>\", \
                array( \
                   select row(w.id, w.name, w.customer_id, w.processed_at, w.cancelled_at, w.financial_status, \
                      w.fulfillment_status, w.source_name, w.discount_codes, w.tags, w.test, w.currency, w.total_price, \
                      w.net_payment)::changed_order \
                   from written w \
                ) as \"orders!: Vec<ChangedOrder>\" \
             from shops where tenant_id = $1";
            tenant, &rows.ids, &rows.hashes, rows.orders, asked_at, store.version
        )
        .fetch_one(self.connection())
        .await?;
        self.note_changed_days(row.days);
        Ok(StoreChange {
            total_customers: row.total_customers,
            customers: row.customers,
            orders: row.orders,
            ..StoreChange::default()
        })
    }

    /// Gives the store's data its new version, and what was written with it; `None`: more than can be told.
    pub(super) async fn bump_data_version_and_read(
        &mut self,
        store: &Store,
        touched: &Touched,
    ) -> Result<Option<StoreChange>> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query!(
            "with moved as (update shops set data_version = $2 where tenant_id = $1) \
             select total_customers, days as \"days!: Vec<ChangedDay>\", \
                first_customers as \"first_customers!: Vec<ChangedCount>\", \
                returning_customers as \"returning_customers!: Vec<ChangedCount>\", \
                customers as \"customers!: Vec<ChangedCustomer>\", spenders as \"spenders!\", \
                spending as \"spending!: Vec<ChangedSpending>\", orders as \"orders!: Vec<ChangedOrder>\" \
             from told_change($1, $2, $3, $4, $5, $6)",
            tenant,
            store.version,
            store.currency.code(),
            &touched.customers,
            &touched.orders,
            MAX_DAYS_OF_CUSTOMERS + 1
        )
        .fetch_one(self.connection())
        .await?;
        let change = StoreChange {
            total_customers: row.total_customers,
            days: row.days,
            first_customers: row.first_customers,
            returning_customers: row.returning_customers,
            customers: row.customers,
            spenders: row.spenders,
            spending: row.spending,
            orders: row.orders,
        };
        Ok(change.if_little(&store.currency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_opens_for_its_store_and_version_only() {
        let key = ChangeKey::new(&[1; 32]).unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        let change = StoreChange {
            total_customers: Some(7),
            days: Vec::new(),
            first_customers: vec![ChangedCount {
                day,
                earlier_day: day,
                customers: 3,
            }],
            returning_customers: Vec::new(),
            customers: Vec::new(),
            spenders: vec![5],
            spending: vec![ChangedSpending {
                customer_id: 5,
                day,
                orders: 1,
                total_sales: "-12.3456".parse().unwrap(),
            }],
            orders: Vec::new(),
        };
        let tenant = TenantId::generate();
        let sealed = key.seal(tenant, 9, &change).unwrap();
        assert_eq!(key.open(tenant, 9, &sealed), Some(change));
        assert_eq!(key.open(tenant, 8, &sealed), None);
        assert_eq!(key.open(TenantId::generate(), 9, &sealed), None);
        let other = ChangeKey::new(&[2; 32]).unwrap();
        assert_eq!(other.open(tenant, 9, &sealed), None);
        let another_form = sealed.replacen(FORM, "2.", 1);
        assert_eq!(key.open(tenant, 9, &another_form), None);
        assert!(ChangeKey::new(b"too short").is_err());
    }
}
