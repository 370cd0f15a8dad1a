//! Records in the form in which they are sent to the staging tables, so that some can be made ready while others
//! are on their way.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::binary::BinaryRows;
use super::packed::Packed as _;
use super::pages::Run;
use super::rows;
use crate::db::{Result, TenantTx};
use crate::domain::ids::OrderId;
use crate::domain::record::Record;
use crate::domain::sync::ObjectKind;

/// Rows are sent when this much has gathered: large enough to amortise a round trip, small enough for memory.
const BUFFER_BYTES: usize = 4 << 20;
/// So many agreements are remembered, some 10 MB; then all are forgotten.
const MAX_AGREEMENTS: usize = 1 << 18;
/// So many sales wait for their agreements, some 8 MB; then none waits any longer.
const MAX_WAITING: usize = 1 << 14;

/// Rows of COPY's text format.
#[derive(Debug, Default)]
struct TextRows(String);

impl TextRows {
    const fn bytes(&self) -> usize {
        self.0.len()
    }

    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As [`BinaryRows::take`], which may fail.
    #[expect(clippy::unnecessary_wraps, reason = "both forms are taken alike")]
    fn take(&mut self) -> Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.0).into_bytes())
    }
}

macro_rules! staged_tables {
    ($($field:ident: $form:ident $table:literal ($columns:literal) $format:literal $with:literal),+ $(,)?) => {
        #[derive(Debug, Default)]
        struct Buffers {
            $($field: $form,)+
        }

        /// Which staging tables hold rows.
        #[derive(Clone, Copy, Debug, Default)]
        pub(super) struct Written {
            $($field: bool,)+
        }

        impl Written {
            fn note(&mut self, buffers: &Buffers) {
                $(self.$field |= !buffers.$field.is_empty();)+
            }

            /// Takes the rows out of the tables that these went into.
            pub(super) async fn delete(self, transaction: &mut TenantTx) -> Result<()> {
                $(
                    if self.$field {
                        sqlx::raw_sql(concat!("delete from ", $table))
                            .execute(transaction.connection())
                            .await?;
                    }
                )+
                Ok(())
            }
        }

        impl Buffers {
            fn bytes(&self) -> usize {
                0 $(+ self.$field.bytes())+
            }

            async fn copy_into(&mut self, transaction: &mut TenantTx) -> Result<()> {
                $(
                    if !self.$field.is_empty() {
                        let rows = self.$field.take()?;
                        let mut copy = transaction
                            .connection()
                            .copy_in_raw(concat!("copy ", $table, " (", $columns, ") from stdin (format ", $format, ")"))
                            .await?;
                        copy.send(rows).await?;
                        copy.finish().await?;
                    }
                )+
                Ok(())
            }
        }

        /// Made like the shapes of the migrations; `like` copies columns, not indexes.
        pub(super) const CREATE_TABLES: &str = concat!(
            $("create temporary table ", $table, " (like public.", $table, ")", $with, ";",)+
            // A page is stored as it is: not compressed, and beside the table only if it is longer than a block.
            "alter table staged_pages alter column records set storage external; \
             create index staged_pages_order on staged_pages (first_order, number);"
        );
        pub(super) const TRUNCATE_TABLES: &str = concat!("truncate ", staged_tables!(@list $($table),+));
    };
    (@list $first:literal $(, $rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

staged_tables! {
    customers: TextRows "staged_customers" ("id, display_name, email, tags, created_at, updated_at, hash") "text" "",
    products: TextRows "staged_products" (
        "id, title, status, vendor, product_type, created_at, updated_at, hash"
    ) "text" "",
    variants: TextRows "staged_variants" ("product_id, id, title, sku, price, position, hash") "text" "",
    pages: BinaryRows "staged_pages" ("first_order, number, records") "binary" " with (toast_tuple_target = 8160)",
    order_ids: BinaryRows "staged_order_ids" ("id") "binary" "",
    agreements: BinaryRows "staged_agreement_orders" ("key, order_id") "binary" "",
    sales: BinaryRows "astray_sales" ("number, agreement, record") "binary" "",
}

/// In the order of their keys the rows are read without being sorted first. (Pages are few and large: theirs is kept
/// from the start.)
pub(super) const CREATE_INDEXES: &str = "\
    create index if not exists staged_products_id on staged_products (id); \
    create index if not exists staged_variants_product on staged_variants (product_id); \
    create index if not exists staged_customers_id on staged_customers (id); \
    analyze staged_order_ids; \
    analyze staged_products; analyze staged_variants; analyze staged_customers; \
    set plan_cache_mode = force_custom_plan";

/// What was prepared altogether.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) records: usize,
    pub(super) written: Written,
    /// Whether sales were staged of which the order is not known yet.
    pub(super) astray: bool,
    newest: HashMap<ObjectKind, DateTime<Utc>>,
    /// How many pages were cut.
    pages: i64,
    /// How many sales went astray.
    sales: i64,
}

impl Tally {
    /// The newest change of the objects of a kind.
    pub(super) fn newest(&self, kind: ObjectKind) -> Option<DateTime<Utc>> {
        self.newest.get(&kind).copied()
    }
}

/// Records that were made ready.
#[derive(Debug, Default)]
pub struct Prepared {
    buffers: Buffers,
    run: Run,
    records: usize,
    agreements: Agreements,
    /// Sales whose order is not known, under their agreements, packed.
    astray: Vec<(i64, Vec<u8>)>,
    newest: HashMap<ObjectKind, DateTime<Utc>>,
}

/// Which order each agreement is of, and the sales that came before theirs: Shopify gives a sale only its
/// agreement, and names them in any order, but seldom far from each other.
#[derive(Debug, Default)]
struct Agreements {
    orders: HashMap<i64, OrderId>,
    waiting: HashMap<i64, Vec<Record>>,
    /// How many sales wait.
    count: usize,
}

impl Prepared {
    /// Adds records.
    pub fn add(&mut self, records: &[Record]) {
        for record in records {
            self.add_one(record);
        }
    }

    fn add_one(&mut self, record: &Record) {
        match record {
            Record::Customer(customer) => {
                self.see(ObjectKind::Customers, customer.updated_at);
                rows::copy_line(&mut self.buffers.customers.0, record);
            }
            Record::Product(product) => {
                self.see(ObjectKind::Products, product.updated_at);
                rows::copy_line(&mut self.buffers.products.0, record);
            }
            Record::Variant(_) => rows::copy_line(&mut self.buffers.variants.0, record),
            Record::Order(order) => {
                self.see(ObjectKind::Orders, order.updated_at);
                self.buffers.order_ids.add(|row| row.write(order.id));
                self.run.add(order.id.number(), record);
            }
            Record::LineItem(line) => self.run.add(line.order.number(), record),
            Record::Agreement(agreement) => {
                self.run.add(agreement.order.number(), record);
                self.note(rows::key(&agreement.gid), agreement.order);
            }
            Record::Sale(sale) => {
                // It counts when its place is known.
                self.add_sale(record, rows::key(&sale.agreement_gid));
                return;
            }
        }
        self.records += 1;
    }

    fn see(&mut self, kind: ObjectKind, updated_at: DateTime<Utc>) {
        let newest = self.newest.entry(kind).or_insert(updated_at);
        *newest = updated_at.max(*newest);
    }

    fn add_sale(&mut self, sale: &Record, agreement: i64) {
        if let Some(order) = self.agreements.orders.get(&agreement) {
            self.run.add(order.number(), sale);
            self.records += 1;
            return;
        }
        let waiting = self.agreements.waiting.entry(agreement).or_default();
        waiting.push(sale.clone());
        self.agreements.count += 1;
        if self.agreements.count > MAX_WAITING {
            self.wait_no_longer();
        }
    }

    fn note(&mut self, agreement: i64, order: OrderId) {
        self.buffers.agreements.add(|row| {
            row.write(agreement);
            row.write(order);
        });
        if self.agreements.orders.len() >= MAX_AGREEMENTS {
            self.agreements.orders.clear();
        }
        self.agreements.orders.insert(agreement, order);
        let sales = self.agreements.waiting.remove(&agreement);
        for sale in sales.into_iter().flatten() {
            self.agreements.count -= 1;
            self.run.add(order.number(), &sale);
            self.records += 1;
        }
    }

    fn wait_no_longer(&mut self) {
        self.agreements.count = 0;
        let waiting = std::mem::take(&mut self.agreements.waiting);
        for (agreement, sales) in waiting {
            for sale in sales {
                let mut packed = Vec::new();
                sale.pack(&mut packed);
                self.astray.push((agreement, packed));
                self.records += 1;
            }
        }
    }

    /// Adds a sale that had gone astray.
    pub(super) fn add_found(&mut self, order: OrderId, sale: &[u8]) {
        self.run.add_packed(order.number(), sale);
    }

    /// Whether it is time to send it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.buffers.bytes() + self.run.bytes() >= BUFFER_BYTES
    }

    /// Takes what has gathered; more is to come.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let agreements = std::mem::take(&mut self.agreements);
        let taken = std::mem::take(self);
        self.agreements = agreements;
        taken
    }

    /// Takes the rest: nothing more is to come.
    #[must_use]
    pub fn rest(&mut self) -> Self {
        self.wait_no_longer();
        std::mem::take(self)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.records == 0 && self.run.bytes() == 0
    }

    /// Copies it into the staging tables.
    pub(super) async fn copy_into(
        mut self,
        transaction: &mut TenantTx,
        tally: &mut Tally,
    ) -> Result<()> {
        tally.records += self.records;
        for (kind, updated_at) in self.newest {
            let newest = tally.newest.entry(kind).or_insert(updated_at);
            *newest = updated_at.max(*newest);
        }
        tally.astray |= !self.astray.is_empty();
        for (agreement, sale) in &self.astray {
            tally.sales += 1;
            self.buffers.sales.add(|row| {
                row.write(tally.sales);
                row.write(*agreement);
                row.write(sale.as_slice());
            });
        }
        let pages = &mut self.buffers.pages;
        self.run.cut(|first, page| {
            tally.pages += 1;
            pages.add(|row| {
                row.write(first);
                row.write(tally.pages);
                row.write(page);
            });
        });
        tally.written.note(&self.buffers);
        self.buffers.copy_into(transaction).await
    }
}
