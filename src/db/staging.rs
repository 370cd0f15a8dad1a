//! Staging: records from Shopify on their way into the store's tables. They are copied into temporary tables
//! of a connection that belongs to one load, joined there and merged chunk by chunk. Temporary tables are
//! private to their connection, so no other store's load can ever see them; they are gone when it ends, and
//! an interrupted load starts again from Shopify's file, where unchanged objects cost no write.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use aws_lc_rs::digest;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgPoolOptions;

use super::{Database, DbError, Patience, Result, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::record::Record;

/// Rows are sent when this much has gathered: large enough to amortise a round trip, small enough for memory.
const BUFFER_BYTES: usize = 4 << 20;

/// Part of each row's hash. Raise it when a row's meaning changes, so that a full sync writes every object anew.
const MAPPING_VERSION: &str = "1";

macro_rules! staged_tables {
    ($($field:ident: $table:literal ($columns:literal)),+ $(,)?) => {
        #[derive(Debug, Default)]
        struct Buffers {
            $($field: String,)+
        }

        /// Which staging tables hold rows.
        #[derive(Clone, Copy, Debug, Default)]
        struct Written {
            $($field: bool,)+
        }

        impl Written {
            fn note(&mut self, buffers: &Buffers) {
                $(self.$field |= !buffers.$field.is_empty();)+
            }
        }

        impl Buffers {
            fn bytes(&self) -> usize {
                0 $(+ self.$field.len())+
            }

            /// Takes the rows of the tables out that these went into.
            async fn delete_from(tables: Written, transaction: &mut TenantTx) -> Result<()> {
                $(
                    if tables.$field {
                        sqlx::raw_sql(concat!("delete from ", $table))
                            .execute(transaction.connection())
                            .await?;
                    }
                )+
                Ok(())
            }

            async fn copy_into(&mut self, transaction: &mut TenantTx) -> Result<()> {
                $(
                    if !self.$field.is_empty() {
                        let mut copy = transaction
                            .connection()
                            .copy_in_raw(concat!("copy ", $table, " (", $columns, ", hash) from stdin"))
                            .await?;
                        copy.send(self.$field.as_bytes()).await?;
                        copy.finish().await?;
                        self.$field.clear();
                    }
                )+
                Ok(())
            }
        }

        /// Made like the shapes of migration 5; `like` copies columns, not indexes.
        const CREATE_TABLES: &str = concat!(
            $("create temporary table ", $table, " (like public.", $table, ");",)+
        );
        const TRUNCATE_TABLES: &str = concat!("truncate ", staged_tables!(@list $($table),+));
    };
    (@list $first:literal $(, $rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

staged_tables! {
    customers: "staged_customers" ("id, display_name, email, tags, created_at, updated_at"),
    products: "staged_products" ("id, title, status, vendor, product_type, created_at, updated_at"),
    variants: "staged_variants" ("product_id, id, title, sku, price, position"),
    orders: "staged_orders" (
        "id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, test, currency, \
         financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, net_payment, refunds"
    ),
    line_items: "staged_line_items" (
        "order_id, id, title, variant_title, sku, quantity, current_quantity, original_total, discounted_total, \
         product_id, variant_id"
    ),
    agreements: "staged_agreements" ("order_id, key, gid, happened_at, reason"),
    sales: "staged_sales" (
        "agreement, key, action_type, line_type, quantity, currency, total, tax, discount, line_item_id"
    ),
}

/// In the order of their keys the rows are joined without being sorted first.
const CREATE_INDEXES: &str = "\
    create index if not exists staged_orders_id on staged_orders (id, updated_at desc); \
    create index if not exists staged_line_items_order on staged_line_items (order_id, id); \
    create index if not exists staged_agreements_order on staged_agreements (order_id, key); \
    create index if not exists staged_sales_agreement on staged_sales (agreement, key); \
    create index if not exists staged_products_id on staged_products (id); \
    create index if not exists staged_variants_product on staged_variants (product_id); \
    create index if not exists staged_customers_id on staged_customers (id); \
    analyze staged_orders; analyze staged_line_items; analyze staged_agreements; analyze staged_sales; \
    analyze staged_products; analyze staged_variants; analyze staged_customers; \
    set plan_cache_mode = force_custom_plan";

/// From so many records on, a load is large: its rows are indexed, its plans made for the chunk at hand, and
/// its connection is of no use to another.
const LARGE: usize = 1_000;
/// Rows that were deleted still take room; when so many records have been staged, the tables are made anew.
const WORN: usize = 500;
/// How many connections with staging tables are kept for the next small loads.
const MOST_IDLE: usize = 4;

/// What a load's connection may use: it sorts and joins much, and looks at few values when it analyzes.
const SETTINGS: [(&str, &str); 6] = [
    ("work_mem", "64MB"),
    ("temp_buffers", "64MB"),
    ("default_statistics_target", "20"),
    // What was just staged is in memory: reading it in the order of an index spares sorting it.
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // A small load takes the same few rows each time: its statements are planned once.
    ("plan_cache_mode", "force_generic_plan"),
];

/// A load: a connection of its own with its own staging tables.
#[derive(Debug)]
#[expect(
    clippy::disallowed_types,
    reason = "a pool of one, so that transactions come from this connection"
)]
pub struct Loader {
    pool: sqlx::PgPool,
    tenant: TenantId,
    /// The server process that holds the staging tables.
    backend: i32,
    buffers: Buffers,
    staged: usize,
    written: Written,
    /// How many records have been staged since the tables were last made anew.
    wear: usize,
    /// Whether a large load was made ready on the connection.
    large: bool,
    idle: Weak<Mutex<Vec<Self>>>,
}

/// Connections whose staging tables are there and empty. What is fetched because of a webhook is small: to
/// connect, to make the tables and to plan every statement would cost several times what the change does.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleLoaders(Arc<Mutex<Vec<Loader>>>);

impl IdleLoaders {
    fn take(&self) -> Option<Loader> {
        locked(&self.0).pop()
    }

    /// Ends them.
    pub(super) async fn close(&self) {
        let idle = std::mem::take(&mut *locked(&self.0));
        for loader in idle {
            loader.pool.close().await;
        }
    }
}

fn locked(idle: &Mutex<Vec<Loader>>) -> MutexGuard<'_, Vec<Loader>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    /// A new load into one store.
    pub async fn loader(&self, tenant: TenantId) -> Result<Loader> {
        while let Some(mut loader) = self.idle_loaders.take() {
            loader.tenant = tenant;
            // The connection may have ended meanwhile.
            if let Ok(transaction) = loader.transaction().await
                && transaction.commit().await.is_ok()
            {
                return Ok(loader);
            }
            loader.pool.close().await;
        }
        self.new_loader(tenant).await
    }

    async fn new_loader(&self, tenant: TenantId) -> Result<Loader> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            // Whoever begins a transaction sees whether the connection is still there.
            .test_before_acquire(false)
            // Merging a chunk takes its time; that is no slow statement to warn of.
            .connect_with(
                Patience::of_work()
                    .of(&self.options)
                    .options(SETTINGS)
                    .disable_statement_logging(),
            )
            .await?;
        let mut transaction = TenantTx::enter(pool.begin().await?, tenant).await?;
        sqlx::raw_sql(CREATE_TABLES)
            .execute(transaction.connection())
            .await?;
        let backend = backend(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Loader {
            pool,
            tenant,
            backend,
            buffers: Buffers::default(),
            staged: 0,
            written: Written::default(),
            wear: 0,
            large: false,
            idle: Arc::downgrade(&self.idle_loaders.0),
        })
    }
}

async fn backend(transaction: &mut TenantTx) -> Result<i32> {
    Ok(sqlx::query_scalar!("select pg_backend_pid() as \"pid!\"")
        .fetch_one(transaction.connection())
        .await?)
}

impl Loader {
    /// Whose rows it loads.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// A transaction on the load's connection, where the staged rows are.
    pub async fn transaction(&self) -> Result<TenantTx> {
        let mut transaction = TenantTx::enter(self.pool.begin().await?, self.tenant).await?;
        if backend(&mut transaction).await? == self.backend {
            Ok(transaction)
        } else {
            Err(DbError::StagingLost)
        }
    }

    /// How many records have been staged.
    #[must_use]
    pub const fn staged(&self) -> usize {
        self.staged
    }

    /// Takes records in. They reach the database when enough have gathered, at the latest with
    /// [`finish_staging`](Self::finish_staging).
    pub async fn stage(&mut self, records: &[Record]) -> Result<()> {
        for record in records {
            self.buffers.push(record);
        }
        self.staged += records.len();
        if self.buffers.bytes() >= BUFFER_BYTES {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Takes in records that were made ready elsewhere, meanwhile.
    pub async fn stage_prepared(&mut self, mut prepared: Prepared) -> Result<()> {
        self.staged += prepared.records;
        self.written.note(&prepared.buffers);
        let mut transaction = self.transaction().await?;
        prepared.buffers.copy_into(&mut transaction).await?;
        transaction.commit().await
    }

    /// Sends what has gathered, and makes a large load ready to be joined.
    pub async fn finish_staging(&mut self) -> Result<()> {
        self.flush().await?;
        if self.staged > LARGE {
            let mut transaction = self.transaction().await?;
            self.large = true;
            sqlx::raw_sql(CREATE_INDEXES)
                .execute(transaction.connection())
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Empties the staging tables, for the next page.
    pub async fn clear(&mut self) -> Result<()> {
        self.buffers = Buffers::default();
        self.wear += std::mem::take(&mut self.staged);
        let written = std::mem::take(&mut self.written);
        let mut transaction = self.transaction().await?;
        if self.wear > WORN {
            sqlx::raw_sql(TRUNCATE_TABLES)
                .execute(transaction.connection())
                .await?;
            self.wear = 0;
        } else {
            Buffers::delete_from(written, &mut transaction).await?;
        }
        transaction.commit().await
    }

    async fn flush(&mut self) -> Result<()> {
        if self.buffers.bytes() == 0 {
            return Ok(());
        }
        self.written.note(&self.buffers);
        let mut transaction = self.transaction().await?;
        self.buffers.copy_into(&mut transaction).await?;
        transaction.commit().await
    }

    /// Ends the load; the staged rows are gone.
    pub async fn close(mut self) {
        if !self.large
            && self.clear().await.is_ok()
            && let Some(idle) = self.idle.upgrade()
        {
            let mut idle = locked(&idle);
            if idle.len() < MOST_IDLE {
                idle.push(self);
                return;
            }
        }
        self.pool.close().await;
    }
}

/// Records in the form in which they are sent, so that some can be made ready while others are on their way.
#[derive(Debug, Default)]
pub struct Prepared {
    buffers: Buffers,
    records: usize,
}

impl Prepared {
    /// Adds records.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            self.buffers.push(record);
        }
        self.records += records.len();
    }

    /// Whether it is time to send it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.buffers.bytes() >= BUFFER_BYTES
    }

    /// Takes what has gathered.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Buffers {
    fn push(&mut self, record: &Record) {
        match record {
            Record::Customer(customer) => row(&mut self.customers, |row| {
                row.value(customer.id);
                row.text(&customer.display_name);
                row.optional_text(customer.email.as_deref());
                row.texts(&customer.tags);
                row.instant(customer.created_at);
                row.instant(customer.updated_at);
            }),
            Record::Product(product) => row(&mut self.products, |row| {
                row.value(product.id);
                row.text(&product.title);
                row.text(&product.status);
                row.text(&product.vendor);
                row.text(&product.product_type);
                row.instant(product.created_at);
                row.instant(product.updated_at);
            }),
            Record::Variant(variant) => row(&mut self.variants, |row| {
                row.value(variant.product);
                row.value(variant.id);
                row.text(&variant.title);
                row.optional_text(variant.sku.as_deref());
                row.value(variant.price);
                row.value(variant.position);
            }),
            Record::Order(order) => row(&mut self.orders, |row| order_row(row, order)),
            Record::LineItem(line) => row(&mut self.line_items, |row| {
                row.value(line.order);
                row.value(line.id);
                row.text(&line.title);
                row.optional_text(line.variant_title.as_deref());
                row.optional_text(line.sku.as_deref());
                row.value(line.quantity);
                row.value(line.current_quantity);
                row.value(line.original_total);
                row.value(line.discounted_total);
                row.optional(line.product);
                row.optional(line.variant);
            }),
            Record::Agreement(agreement) => row(&mut self.agreements, |row| {
                row.value(agreement.order);
                row.value(key(&agreement.gid));
                row.text(&agreement.gid);
                row.instant(agreement.happened_at);
                row.text(agreement.reason.word());
            }),
            Record::Sale(sale) => row(&mut self.sales, |row| {
                row.value(key(&sale.agreement_gid));
                row.value(key(&sale.gid));
                row.text(sale.action.word());
                row.text(sale.line_type.word());
                row.optional(sale.quantity);
                row.text(sale.currency.code());
                row.value(sale.total);
                row.value(sale.tax);
                row.value(sale.discount);
                row.optional(sale.line_item);
            }),
        }
    }
}

fn order_row(row: &mut Row<'_>, order: &crate::domain::record::OrderRecord) {
    row.value(order.id);
    row.text(&order.name);
    row.optional(order.customer);
    row.instant(order.created_at);
    row.instant(order.processed_at);
    row.instant(order.updated_at);
    row.optional_text(order.cancelled_at.map(|at| at.to_rfc3339()).as_deref());
    row.value(order.test);
    row.text(order.currency.code());
    row.optional_text(order.financial_status.as_deref());
    row.optional_text(order.fulfillment_status.as_deref());
    row.optional_text(order.source_name.as_deref());
    row.texts(&order.discount_codes);
    row.texts(&order.tags);
    row.value(order.total_price);
    row.value(order.net_payment);
    let refunds: Vec<_> = order
        .refunds
        .iter()
        .map(|refund| {
            serde_json::json!({
                "id": refund.id,
                "processed_at": refund.processed_at,
                "total_refunded": refund.total_refunded.to_string(),
            })
        })
        .collect();
    row.text(&serde_json::Value::Array(refunds).to_string());
}

/// Writes one row of COPY's text format, with a hash of its content in the last column.
fn row(buffer: &mut String, fill: impl FnOnce(&mut Row<'_>)) {
    let start = buffer.len();
    fill(&mut Row { buffer });
    let content = buffer.get(start..).unwrap_or_default();
    let hash = hash(&[MAPPING_VERSION, content]);
    let _ = writeln!(buffer, "{hash}");
}

/// What stands for a gid where rows are joined.
fn key(gid: &str) -> i64 {
    hash(&[gid])
}

/// The first 64 bits of the SHA-256 of these texts.
fn hash(texts: &[&str]) -> i64 {
    let mut digest = digest::Context::new(&digest::SHA256);
    for text in texts {
        digest.update(text.as_bytes());
    }
    let hash = digest.finish();
    hash.as_ref()
        .first_chunk::<8>()
        .map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

struct Row<'a> {
    buffer: &'a mut String,
}

impl Row<'_> {
    fn value(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.buffer, "{value}\t");
    }

    fn optional(&mut self, value: Option<impl std::fmt::Display>) {
        match value {
            Some(value) => self.value(value),
            None => self.buffer.push_str("\\N\t"),
        }
    }

    fn instant(&mut self, value: chrono::DateTime<chrono::Utc>) {
        self.value(value.to_rfc3339());
    }

    fn text(&mut self, text: &str) {
        escape(self.buffer, text);
        self.buffer.push('\t');
    }

    fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.buffer.push_str("\\N\t"),
        }
    }

    fn texts(&mut self, texts: &[String]) {
        let mut array = String::from("{");
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                array.push(',');
            }
            array.push('"');
            for character in text.chars() {
                if matches!(character, '"' | '\\') {
                    array.push('\\');
                }
                array.push(character);
            }
            array.push('"');
        }
        array.push('}');
        self.text(&array);
    }
}

/// COPY's escapes. PostgreSQL cannot hold a NUL in a text; it is left out.
fn escape(buffer: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\\' => buffer.push_str("\\\\"),
            '\n' => buffer.push_str("\\n"),
            '\r' => buffer.push_str("\\r"),
            '\t' => buffer.push_str("\\t"),
            '\0' => {}
            other => buffer.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_escaped_and_its_hash_depends_on_its_content_alone() {
        let mut first = String::new();
        row(&mut first, |row| {
            row.text("a\tb\\c\nd\0");
            row.optional_text(None);
            row.texts(&["x,\"y\\".to_owned(), "z".to_owned()]);
        });
        assert!(
            first.starts_with("a\\tb\\\\c\\nd\t\\N\t{\"x,\\\\\"y\\\\\\\\\",\"z\"}\t"),
            "{first}"
        );
        let mut twice = first.clone();
        row(&mut twice, |row| {
            row.text("a\tb\\c\nd\0");
            row.optional_text(None);
            row.texts(&["x,\"y\\".to_owned(), "z".to_owned()]);
        });
        assert_eq!(twice, format!("{first}{first}"));
    }
}
