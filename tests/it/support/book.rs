//! The books of a store, written down sale by sale and brought in the way a sync does: what the figures are
//! read from in tests that know every amount.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use xboard::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, TenantId};
use xboard::domain::money::Currency;
use xboard::domain::record::{
    AgreementRecord, CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, Record,
    RefundRecord, SaleRecord,
};
use xboard::domain::sale::{AgreementReason, SaleAction, SaleLineType};
use xboard::domain::sync::ObjectKind;

use super::{TestApp, TestDatabase};

/// An instant, from its RFC 3339 text.
pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// An order and its sales.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    order: OrderRecord,
    lines: Vec<LineItemRecord>,
    agreements: Vec<(AgreementRecord, Vec<SaleRecord>)>,
}

impl Entry {
    /// The order `#{number}`, placed at an instant by a customer or a guest, without lines, in euros.
    pub(crate) fn placed(number: i64, at: &str, customer: Option<i64>) -> Self {
        let at = instant(at);
        let order = OrderRecord {
            id: OrderId::new(number),
            name: format!("#{number}"),
            customer: customer.map(CustomerId::new),
            created_at: at,
            processed_at: at,
            updated_at: at,
            cancelled_at: None,
            test: false,
            currency: Currency::parse("EUR").unwrap(),
            financial_status: Some("PAID".to_owned()),
            fulfillment_status: None,
            source_name: Some("web".to_owned()),
            discount_codes: Vec::new(),
            tags: Vec::new(),
            total_price: Decimal::ZERO,
            net_payment: Decimal::ZERO,
            refunds: Vec::new(),
        };
        let mut entry = Self {
            order,
            lines: Vec::new(),
            agreements: Vec::new(),
        };
        entry.agree(at, AgreementReason::Order);
        entry
    }

    /// The same after a change to the order itself.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut OrderRecord)) -> Self {
        change(&mut self.order);
        for (_, sales) in &mut self.agreements {
            for sale in sales {
                sale.currency = self.order.currency.clone();
            }
        }
        self
    }

    /// Sells so many of a product: `total` after discount and with tax.
    pub(crate) fn line(
        mut self,
        product: i64,
        quantity: i32,
        total: &str,
        tax: &str,
        discount: &str,
    ) -> Self {
        let line = LineItemId::new(self.order.id.number() * 100 + self.count());
        let (total, tax, discount) = (decimal(total), decimal(tax), decimal(discount));
        self.order.total_price += total;
        self.order.net_payment += total;
        self.lines.push(LineItemRecord {
            order: self.order.id,
            id: line,
            title: format!("Product {product}"),
            variant_title: None,
            sku: None,
            quantity,
            current_quantity: quantity,
            original_total: total - tax + discount,
            discounted_total: total - tax,
            product: Some(ProductId::new(product)),
            variant: None,
        });
        let product = (SaleAction::Order, SaleLineType::Product);
        self.sell(product, Some(quantity), [total, tax, discount], Some(line))
    }

    /// Charges shipping, tax included.
    pub(crate) fn shipping(mut self, total: &str, tax: &str) -> Self {
        let (total, tax) = (decimal(total), decimal(tax));
        self.order.total_price += total;
        self.order.net_payment += total;
        let shipping = (SaleAction::Order, SaleLineType::Shipping);
        self.sell(shipping, None, [total, tax, Decimal::ZERO], None)
    }

    /// Takes back so many of the first line and pays for them.
    pub(crate) fn returned(
        mut self,
        at: &str,
        quantity: i32,
        total: &str,
        tax: &str,
        discount: &str,
    ) -> Self {
        let at = instant(at);
        let line = self.lines[0].id;
        let total = decimal(total);
        self.order.refunds.push(RefundRecord {
            id: RefundId::new(self.order.id.number() * 100 + self.count()),
            processed_at: at,
            total_refunded: total,
        });
        self.order.net_payment -= total;
        self.order.updated_at = at;
        self.agree(at, AgreementReason::Refund);
        let back = (SaleAction::Return, SaleLineType::Product);
        let amounts = [-total, -decimal(tax), -decimal(discount)];
        self.sell(back, Some(-quantity), amounts, Some(line))
    }

    fn count(&self) -> i64 {
        let sales = self.agreements.iter().map(|(_, sales)| sales.len());
        i64::try_from(sales.sum::<usize>()).unwrap() + 1
    }

    fn agree(&mut self, happened_at: DateTime<Utc>, reason: AgreementReason) {
        let number = self.order.id.number() * 100 + self.count();
        let agreement = AgreementRecord {
            order: self.order.id,
            gid: format!("gid://shopify/SalesAgreement/{number}"),
            happened_at,
            reason,
        };
        self.agreements.push((agreement, Vec::new()));
    }

    fn sell(
        mut self,
        (action, line_type): (SaleAction, SaleLineType),
        quantity: Option<i32>,
        [total, tax, discount]: [Decimal; 3],
        line_item: Option<LineItemId>,
    ) -> Self {
        let number = self.order.id.number() * 100 + self.count();
        let (agreement, sales) = self.agreements.last_mut().unwrap();
        sales.push(SaleRecord {
            agreement_gid: agreement.gid.clone(),
            gid: format!("gid://shopify/Sale/{number}"),
            action,
            line_type,
            quantity,
            currency: self.order.currency.clone(),
            total,
            tax,
            discount,
            line_item,
        });
        self
    }

    fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Order(Box::new(self.order.clone()))];
        records.extend(self.lines.iter().cloned().map(Record::LineItem));
        for (agreement, sales) in &self.agreements {
            records.push(Record::Agreement(agreement.clone()));
            records.extend(sales.iter().cloned().map(Record::Sale));
        }
        records
    }
}

/// A customer with a name.
pub(crate) fn customer(number: i64, name: &str) -> Record {
    Record::Customer(CustomerRecord {
        id: CustomerId::new(number),
        display_name: name.to_owned(),
        email: Some(format!("{}@example.com", name.to_lowercase())),
        tags: Vec::new(),
        created_at: instant("2025-01-01T00:00:00Z"),
        updated_at: instant("2025-01-01T00:00:00Z"),
    })
}

/// A product with a name.
pub(crate) fn product(number: i64, title: &str) -> Record {
    Record::Product(ProductRecord {
        id: ProductId::new(number),
        title: title.to_owned(),
        status: "ACTIVE".to_owned(),
        vendor: "Babbage".to_owned(),
        product_type: String::new(),
        created_at: instant("2025-01-01T00:00:00Z"),
        updated_at: instant("2025-01-01T00:00:00Z"),
    })
}

impl TestDatabase {
    /// Brings customers, products and orders into a store.
    pub(crate) async fn write_books(&self, tenant: TenantId, others: &[Record], entries: &[Entry]) {
        let fetched_at = instant("2035-01-01T00:00:00Z");
        let records: Vec<_> = others
            .iter()
            .cloned()
            .chain(entries.iter().flat_map(Entry::records))
            .collect();
        // Each kind takes its own records from all of them.
        for kind in [
            ObjectKind::Customers,
            ObjectKind::Products,
            ObjectKind::Orders,
        ] {
            let upserting = self.db().upsert(tenant, kind, records.clone(), fetched_at);
            upserting.await.unwrap().0.commit().await.unwrap();
        }
    }

    /// Takes objects out of a store, as their deletion in Shopify does.
    pub(crate) async fn delete(&self, tenant: TenantId, kind: ObjectKind, ids: &[i64]) {
        let asked_at = instant("2035-01-01T00:00:00Z") + TimeDelta::days(1);
        let mut transaction = self.db().tenant(tenant).await.unwrap();
        transaction
            .delete_objects(kind, ids, asked_at)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
}

/// A registered store whose books can be written, and a token that speaks for it.
pub(crate) struct Shop {
    /// The store.
    pub(crate) tenant: TenantId,
    /// Its owner's access token.
    pub(crate) token: String,
}

impl TestApp {
    /// Registers the store `{label}.myshopify.com`, counted in a currency, its days cut by a zone. The job of
    /// its first sync stays in the queue.
    pub(crate) async fn open_shop(&self, label: &str, currency: &str, zone: &str) -> Shop {
        let token = self.register_shop(label).await.token;
        let mut connection = self.database.connection().await;
        let tenant: uuid::Uuid = sqlx::query_scalar(
            "update shops set currency = $2, time_zone = $3 where domain = $1 returning tenant_id",
        )
        .bind(format!("{label}.myshopify.com"))
        .bind(currency)
        .bind(zone)
        .fetch_one(&mut connection)
        .await
        .unwrap();
        let tenant = serde_json::from_value(serde_json::json!(tenant)).unwrap();
        Shop { tenant, token }
    }

    /// The data of an operation without errors.
    pub(crate) async fn ask(&self, shop: &Shop, query: &str) -> serde_json::Value {
        let mut body = self
            .graphql(query, serde_json::json!({}), Some(&shop.token))
            .await;
        assert_eq!(body.get("errors"), None, "{body}");
        body["data"].take()
    }

    /// The message and the code of the only error of an operation.
    pub(crate) async fn refusal(&self, shop: &Shop, query: &str) -> (String, String) {
        let body = self
            .graphql(query, serde_json::json!({}), Some(&shop.token))
            .await;
        let errors = body["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{body}"));
        assert_eq!(errors.len(), 1, "{body}");
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        (
            text(&errors[0]["message"]),
            text(&errors[0]["extensions"]["code"]),
        )
    }
}
