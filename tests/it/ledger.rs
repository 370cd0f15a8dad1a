//! The ledger and its sums, after any history. A model of a few orders is changed at random; what Shopify
//! would answer is delivered late, twice, out of order, in batches of any size; at the end every figure must
//! equal what a second implementation, written from the definitions alone, works out from the model.

mod reader;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone as _, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use sqlx::Connection as _;
use xboard::db::Database;
use xboard::db::staging::Staging;
use xboard::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, TenantId};
use xboard::domain::money::Currency;
use xboard::domain::record::{AgreementRecord, LineItemRecord, OrderRecord, Record, SaleRecord};
use xboard::domain::sale::{AgreementReason, SaleAction, SaleLineType};
use xboard::domain::shop::{ShopDomain, ShopRecord};
use xboard::domain::sync::ObjectKind;

use self::reader::Memory;
use crate::support::TestDatabase;

/// Ahead of UTC and with summer time, so that days, zones and clock changes matter.
const ZONE: &str = "Europe/Berlin";

#[derive(Clone, Debug)]
enum Event {
    Place {
        order: usize,
        customer: Option<i64>,
        lines: Vec<(i64, i32, i64)>,
        shipping: i64,
        kind: OrderKind,
    },
    EditUp {
        order: usize,
        product: i64,
        quantity: i32,
        cents: i64,
    },
    EditDown {
        order: usize,
        cents: i64,
    },
    /// A discount, a price or a tax of the first line changes, and no quantity.
    EditPrice {
        order: usize,
        cents: i64,
        tax: i64,
        discount: i64,
    },
    /// Pieces of the first line are taken off and put back at another price.
    EditBack {
        order: usize,
        cents: i64,
    },
    RefundLine {
        order: usize,
        cents: i64,
        tax: i64,
    },
    RefundShipping {
        order: usize,
        cents: i64,
    },
    Adjust {
        order: usize,
        cents: i64,
    },
    Cancel {
        order: usize,
    },
    HandOver {
        order: usize,
        customer: Option<i64>,
    },
    Delete {
        order: usize,
    },
    Deliver {
        order: usize,
        version: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OrderKind {
    Usual,
    Test,
    GiftCardOnly,
    OtherCurrency,
    WithTipAndFees,
}

fn event() -> impl Strategy<Value = Event> {
    let order = 0..6_usize;
    let line = (1..4_i64, 1..4_i32, 0..5_000_i64);
    let kind = prop_oneof![
        6 => Just(OrderKind::Usual),
        1 => Just(OrderKind::Test),
        1 => Just(OrderKind::GiftCardOnly),
        1 => Just(OrderKind::OtherCurrency),
        2 => Just(OrderKind::WithTipAndFees),
    ];
    prop_oneof![
        6 => (order.clone(), proptest::option::of(1..4_i64), proptest::collection::vec(line, 1..4), 0..900_i64, kind)
            .prop_map(|(order, customer, lines, shipping, kind)| Event::Place { order, customer, lines, shipping, kind }),
        2 => (order.clone(), 1..4_i64, 1..3_i32, 0..3_000_i64)
            .prop_map(|(order, product, quantity, cents)| Event::EditUp { order, product, quantity, cents }),
        2 => (order.clone(), 0..3_000_i64).prop_map(|(order, cents)| Event::EditDown { order, cents }),
        2 => (order.clone(), -300..300_i64, -20..20_i64, -300..300_i64)
            .prop_map(|(order, cents, tax, discount)| Event::EditPrice { order, cents, tax, discount }),
        1 => (order.clone(), 0..3_000_i64).prop_map(|(order, cents)| Event::EditBack { order, cents }),
        3 => (order.clone(), 0..3_000_i64, 0..300_i64).prop_map(|(order, cents, tax)| Event::RefundLine { order, cents, tax }),
        1 => (order.clone(), 0..900_i64).prop_map(|(order, cents)| Event::RefundShipping { order, cents }),
        1 => (order.clone(), -500..500_i64).prop_map(|(order, cents)| Event::Adjust { order, cents }),
        1 => order.clone().prop_map(|order| Event::Cancel { order }),
        2 => (order.clone(), proptest::option::of(1..4_i64))
            .prop_map(|(order, customer)| Event::HandOver { order, customer }),
        1 => order.clone().prop_map(|order| Event::Delete { order }),
        8 => (order, 0..12_usize).prop_map(|(order, version)| Event::Deliver { order, version }),
    ]
}

/// An order as Shopify has it: everything that its answer would hold.
#[derive(Clone, Debug)]
struct Version {
    header: OrderRecord,
    lines: Vec<LineItemRecord>,
    agreements: Vec<(AgreementRecord, Vec<SaleRecord>)>,
}

impl Version {
    fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Order(Box::new(self.header.clone()))];
        records.extend(self.lines.iter().cloned().map(Record::LineItem));
        for (agreement, sales) in &self.agreements {
            // Children before their parent, and the first sale twice: neither may matter.
            records.extend(sales.iter().cloned().map(Record::Sale));
            records.extend(sales.first().cloned().map(Record::Sale));
            records.push(Record::Agreement(agreement.clone()));
        }
        records
    }
}

#[derive(Default)]
struct Model {
    /// Every version that an order has had; the last is the present one.
    orders: BTreeMap<usize, Vec<Version>>,
    deleted: BTreeSet<usize>,
    ticks: i64,
    gids: i64,
}

fn cents(amount: i64) -> Decimal {
    Decimal::new(amount, 2)
}

impl Model {
    /// Seven hours a step: days go by, and the clock changes of the zone fall in between.
    fn now(&self) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 3, 20, 21, 30, 0).unwrap() + TimeDelta::hours(7 * self.ticks)
    }

    fn gid(&mut self, kind: &str) -> String {
        self.gids += 1;
        format!("gid://shopify/{kind}/{}", self.gids)
    }

    fn sale(
        &mut self,
        agreement: &str,
        action: SaleAction,
        line_type: SaleLineType,
        currency: &str,
        amounts: [i64; 3],
    ) -> SaleRecord {
        SaleRecord {
            agreement_gid: agreement.to_owned(),
            gid: self.gid("Sale"),
            action,
            line_type,
            quantity: None,
            currency: Currency::parse(currency).unwrap(),
            total: cents(amounts[0]),
            tax: cents(amounts[1]),
            discount: cents(amounts[2]),
            line_item: None,
        }
    }

    fn apply(&mut self, event: &Event) {
        self.ticks += 1;
        match event {
            Event::Place {
                order,
                customer,
                lines,
                shipping,
                kind,
            } => {
                if !self.orders.contains_key(order) {
                    self.place(*order, *customer, lines, *shipping, *kind);
                }
            }
            Event::EditUp {
                order,
                product,
                quantity,
                cents,
            } => {
                self.edit_up(*order, *product, *quantity, *cents);
            }
            Event::EditDown { order, cents } => {
                let amounts = [-cents, -cents / 6, -cents / 10];
                self.take_back(
                    *order,
                    AgreementReason::OrderEdit,
                    SaleAction::Update,
                    amounts,
                );
            }
            Event::EditPrice {
                order,
                cents,
                tax,
                discount,
            } => {
                self.edit_line(*order, &[(0, [*cents, *tax, *discount])]);
            }
            Event::EditBack { order, cents } => {
                let amounts = [*cents, cents / 6, cents / 10];
                self.edit_line(
                    *order,
                    &[(-2, amounts.map(|part| -part)), (2, [cents + 1, 0, 0])],
                );
            }
            Event::RefundLine { order, cents, tax } => {
                let amounts = [-cents, -tax, -cents / 20];
                self.take_back(*order, AgreementReason::Refund, SaleAction::Return, amounts);
            }
            Event::RefundShipping { order, cents } => {
                self.refund_amount(*order, SaleLineType::Shipping, [-cents, -cents / 6, 0]);
            }
            Event::Adjust { order, cents } => {
                self.refund_amount(*order, SaleLineType::Adjustment, [*cents, 0, 0]);
            }
            Event::Cancel { order } => self.cancel(*order),
            Event::HandOver { order, customer } => {
                self.agree(*order, AgreementReason::OrderEdit, |_, _, version| {
                    version.header.customer = customer.map(CustomerId::new);
                    Vec::new()
                });
            }
            Event::Delete { order } => {
                if self.orders.contains_key(order) {
                    self.deleted.insert(*order);
                }
            }
            Event::Deliver { .. } => {}
        }
    }

    fn edit_up(&mut self, order: usize, product: i64, quantity: i32, cents: i64) {
        self.agree(
            order,
            AgreementReason::OrderEdit,
            |model, agreement, version| {
                let line = model.line(version, product, quantity, cents);
                let currency = version.header.currency.code().to_owned();
                let total = cents * i64::from(quantity);
                let amounts = [total, total / 6, total / 10];
                let mut sale = model.sale(
                    agreement,
                    SaleAction::Update,
                    SaleLineType::Product,
                    &currency,
                    amounts,
                );
                sale.quantity = Some(quantity);
                sale.line_item = Some(line);
                vec![sale]
            },
        );
    }

    /// Updates of the first line, by one edit.
    fn edit_line(&mut self, order: usize, updates: &[(i32, [i64; 3])]) {
        self.agree(
            order,
            AgreementReason::OrderEdit,
            |model, agreement, version| {
                let currency = version.header.currency.code().to_owned();
                let line_item = version.lines.first().map(|line| line.id);
                let updates = updates.iter();
                updates
                    .map(|(quantity, amounts)| SaleRecord {
                        quantity: Some(*quantity),
                        line_item,
                        ..model.sale(
                            agreement,
                            SaleAction::Update,
                            SaleLineType::Product,
                            &currency,
                            *amounts,
                        )
                    })
                    .collect()
            },
        );
    }

    /// One piece of the first line, by an edit or a refund.
    fn take_back(
        &mut self,
        order: usize,
        reason: AgreementReason,
        action: SaleAction,
        amounts: [i64; 3],
    ) {
        self.agree(order, reason, |model, agreement, version| {
            let currency = version.header.currency.code().to_owned();
            let mut sale = model.sale(agreement, action, SaleLineType::Product, &currency, amounts);
            sale.quantity = Some(-1);
            sale.line_item = version.lines.first().map(|line| line.id);
            vec![sale]
        });
    }

    /// An amount that no piece belongs to.
    fn refund_amount(&mut self, order: usize, line_type: SaleLineType, amounts: [i64; 3]) {
        self.agree(
            order,
            AgreementReason::Refund,
            |model, agreement, version| {
                let currency = version.header.currency.code().to_owned();
                vec![model.sale(agreement, SaleAction::Return, line_type, &currency, amounts)]
            },
        );
    }

    fn cancel(&mut self, order: usize) {
        self.agree(
            order,
            AgreementReason::Refund,
            |model, agreement, version| {
                version.header.cancelled_at = Some(model.now());
                let placed = version
                    .agreements
                    .first()
                    .map(|(_, sales)| sales.clone())
                    .unwrap_or_default();
                placed
                    .into_iter()
                    .map(|sale| SaleRecord {
                        agreement_gid: agreement.to_owned(),
                        gid: model.gid("Sale"),
                        action: SaleAction::Return,
                        quantity: sale.quantity.map(|quantity| -quantity),
                        total: -sale.total,
                        tax: -sale.tax,
                        discount: -sale.discount,
                        ..sale
                    })
                    .collect()
            },
        );
    }

    fn line(
        &mut self,
        version: &mut Version,
        product: i64,
        quantity: i32,
        price: i64,
    ) -> LineItemId {
        self.gids += 1;
        let id = LineItemId::new(self.gids);
        version.lines.push(LineItemRecord {
            order: version.header.id,
            id,
            title: format!("Article {product}"),
            variant_title: None,
            sku: Some(format!("A-{product}")),
            quantity,
            current_quantity: quantity,
            original_total: cents(price * i64::from(quantity)),
            discounted_total: cents(price * i64::from(quantity)),
            product: Some(ProductId::new(product)),
            variant: None,
        });
        id
    }

    fn place(
        &mut self,
        order: usize,
        customer: Option<i64>,
        lines: &[(i64, i32, i64)],
        shipping: i64,
        kind: OrderKind,
    ) {
        let currency = if kind == OrderKind::OtherCurrency {
            "USD"
        } else {
            "EUR"
        };
        let now = self.now();
        let header = OrderRecord {
            id: OrderId::new(i64::try_from(order).unwrap() + 1_000),
            name: format!("#{order}"),
            customer: customer.map(CustomerId::new),
            created_at: now,
            // Imported: placed long before it came into Shopify.
            processed_at: if order == 5 {
                now - TimeDelta::days(40)
            } else {
                now
            },
            updated_at: now,
            cancelled_at: None,
            test: kind == OrderKind::Test,
            currency: Currency::parse(currency).unwrap(),
            financial_status: Some("PAID".to_owned()),
            fulfillment_status: None,
            source_name: Some("web".to_owned()),
            discount_codes: Vec::new(),
            tags: vec!["a \"quoted\", tag\\".to_owned()],
            total_price: cents(0),
            net_payment: cents(0),
            refunds: Vec::new(),
        };
        let mut version = Version {
            header,
            lines: Vec::new(),
            agreements: Vec::new(),
        };
        let agreement = self.gid("OrderAgreement");
        let mut sales = Vec::new();
        for &(product, quantity, price) in lines {
            let line = self.line(&mut version, product, quantity, price);
            let line_type = if kind == OrderKind::GiftCardOnly {
                SaleLineType::GiftCard
            } else {
                SaleLineType::Product
            };
            let total = price * i64::from(quantity);
            let mut sale = self.sale(
                &agreement,
                SaleAction::Order,
                line_type,
                currency,
                [total, total / 7, total / 9],
            );
            sale.quantity = Some(quantity);
            sale.line_item = Some(line);
            sales.push(sale);
        }
        sales.push(self.sale(
            &agreement,
            SaleAction::Order,
            SaleLineType::Shipping,
            currency,
            [shipping, shipping / 6, 0],
        ));
        if kind == OrderKind::WithTipAndFees {
            for (line_type, amount) in [
                (SaleLineType::Tip, 200),
                (SaleLineType::Duty, 330),
                (SaleLineType::Fee, 70),
                (SaleLineType::AdditionalFee, 30),
            ] {
                sales.push(self.sale(
                    &agreement,
                    SaleAction::Order,
                    line_type,
                    currency,
                    [amount, amount / 10, 0],
                ));
            }
        }
        let happened_at = now + TimeDelta::hours(3);
        let order_id = version.header.id;
        version.agreements.push((
            AgreementRecord {
                order: order_id,
                gid: agreement,
                happened_at,
                reason: AgreementReason::Order,
            },
            sales,
        ));
        self.orders.insert(order, vec![version]);
    }

    fn agree(
        &mut self,
        order: usize,
        reason: AgreementReason,
        sales: impl FnOnce(&mut Self, &str, &mut Version) -> Vec<SaleRecord>,
    ) {
        if self.deleted.contains(&order) {
            return;
        }
        let Some(mut version) = self
            .orders
            .get(&order)
            .and_then(|versions| versions.last())
            .cloned()
        else {
            return;
        };
        let now = self.now();
        version.header.updated_at = now;
        let gid = self.gid("Agreement");
        let sales = sales(self, &gid, &mut version);
        let agreement = AgreementRecord {
            order: version.header.id,
            gid,
            happened_at: now,
            reason,
        };
        version.agreements.push((agreement, sales));
        self.orders.get_mut(&order).unwrap().push(version);
    }
}

/// The figures of a day, worked out from the definitions: [orders, units, gross, discounts, returns,
/// shipping, taxes, duties, fees, placed].
type Figures = [Decimal; 10];

fn berlin_day(at: DateTime<Utc>) -> NaiveDate {
    // Summer time in 2026: from 29 March to 25 October, 01:00 UTC.
    let summer = at >= Utc.with_ymd_and_hms(2026, 3, 29, 1, 0, 0).unwrap()
        && at < Utc.with_ymd_and_hms(2026, 10, 25, 1, 0, 0).unwrap();
    (at + TimeDelta::hours(if summer { 2 } else { 1 })).date_naive()
}

fn expected(model: &Model) -> BTreeMap<(String, NaiveDate), Figures> {
    let mut days: BTreeMap<(String, NaiveDate), Figures> = BTreeMap::new();
    let present = model
        .orders
        .iter()
        .filter(|(order, _)| !model.deleted.contains(order));
    for version in present
        .filter_map(|(_, versions)| versions.last())
        .filter(|version| !version.header.test)
    {
        let placed = berlin_day(version.header.processed_at);
        let has_product = version
            .agreements
            .iter()
            .flat_map(|(_, sales)| sales)
            .any(|sale| sale.line_type == SaleLineType::Product);
        if has_product {
            days.entry((version.header.currency.code().to_owned(), placed))
                .or_default()[0] += Decimal::ONE;
        }
        for (agreement, sales) in &version.agreements {
            let is_order = agreement.reason == AgreementReason::Order;
            let day = if is_order {
                placed
            } else {
                berlin_day(agreement.happened_at)
            };
            for sale in sales {
                if matches!(sale.line_type, SaleLineType::Tip | SaleLineType::GiftCard) {
                    continue;
                }
                let figures = days
                    .entry((sale.currency.code().to_owned(), day))
                    .or_default();
                let net = sale.total - sale.tax;
                figures[6] += sale.tax;
                let negative = sale.quantity.is_some_and(|quantity| quantity < 0)
                    || (net + sale.discount) < Decimal::ZERO;
                let units_of_line: i32 = sales
                    .iter()
                    .filter(|other| other.action == SaleAction::Update)
                    .filter(|other| other.line_item.is_some() && other.line_item == sale.line_item)
                    .filter_map(|other| other.quantity)
                    .sum();
                let sells_units = sale.action != SaleAction::Update || units_of_line != 0;
                match sale.line_type {
                    SaleLineType::Product if sale.action != SaleAction::Return && !negative => {
                        if sells_units {
                            figures[1] += Decimal::from(sale.quantity.unwrap_or(0));
                        }
                        figures[2] += net + sale.discount;
                        figures[3] += sale.discount;
                        if is_order {
                            figures[9] += net;
                        }
                    }
                    SaleLineType::Product => figures[4] -= net,
                    SaleLineType::Adjustment if sale.action == SaleAction::Return || negative => {
                        figures[4] -= net;
                    }
                    SaleLineType::Shipping => figures[5] += net,
                    SaleLineType::Duty => figures[7] += net,
                    SaleLineType::Fee | SaleLineType::AdditionalFee => figures[8] += net,
                    _ => {}
                }
            }
        }
    }
    days.retain(|_, figures| figures.iter().any(|figure| !figure.is_zero()));
    days
}

/// How orders come in: as a few that are handed over, or staged like many.
#[derive(Clone, Copy)]
enum Way {
    Few,
    Staged,
    /// Staged, each sale long before its agreement.
    SalesFirst,
}

impl Way {
    /// By turns.
    const fn of(turn: usize) -> Self {
        match turn % 3 {
            0 => Self::Few,
            1 => Self::Staged,
            _ => Self::SalesFirst,
        }
    }
}

async fn deliver(
    database: &Database,
    tenant: TenantId,
    way: Way,
    versions: &[Version],
    fetched_at: DateTime<Utc>,
) {
    let records: Vec<Record> = versions.iter().flat_map(Version::records).collect();
    let transaction = match way {
        Way::Few => {
            let upserting = database.upsert(tenant, ObjectKind::Orders, records, fetched_at);
            upserting.await.unwrap().0
        }
        Way::Staged | Way::SalesFirst => {
            let (sales, others): (Vec<Record>, Vec<Record>) =
                records.into_iter().partition(|record| {
                    matches!(way, Way::SalesFirst) && matches!(record, Record::Sale(_))
                });
            let mut staging = staged(database, tenant, &[&sales, &others]).await;
            let orders: BTreeSet<_> = versions.iter().map(|one| one.header.id).collect();
            let next = staging.upsert_next(i64::MAX, fetched_at).await.unwrap();
            let Some((transaction, upserted)) = next else {
                assert!(orders.is_empty());
                return;
            };
            assert_eq!(upserted.seen, orders.len());
            transaction.commit().await.unwrap();
            assert!(
                staging
                    .upsert_next(i64::MAX, fetched_at)
                    .await
                    .unwrap()
                    .is_none()
            );
            staging.close().await;
            return;
        }
    };
    transaction.commit().await.unwrap();
}

/// A file of orders, staged in these parts.
async fn staged(database: &Database, tenant: TenantId, parts: &[&[Record]]) -> Staging {
    let staging = database.staging(tenant, ObjectKind::Orders);
    let mut staging = staging.await.unwrap();
    for part in parts {
        staging.add(part).await.unwrap();
    }
    staging.finish().await.unwrap();
    staging
}

async fn defer_rollups(database: &TestDatabase, tenant: TenantId) {
    let mut transaction = database.db().work(tenant).await.unwrap();
    transaction.defer_rollups().await.unwrap();
    transaction.commit().await.unwrap();
}

async fn empty_store(database: &TestDatabase, now: DateTime<Utc>) -> TenantId {
    let tenant = database.new_tenant();
    let shop = ShopRecord {
        gid: format!("gid://shopify/Shop/{tenant}"),
        domain: ShopDomain::parse("ledger.myshopify.com").unwrap(),
        name: "Ledger".to_owned(),
        currency: Currency::parse("EUR").unwrap(),
        time_zone: ZONE.to_owned(),
        scopes: Vec::new(),
    };
    let mut transaction = database.db().tenant(tenant).await.unwrap();
    transaction.create_shop(&shop, now).await.unwrap();
    transaction.commit().await.unwrap();
    tenant
}

/// The rows of orders that are there, of their parts and of the ledger, as texts.
async fn rows_of_orders(database: &TestDatabase, tenant: TenantId) -> Vec<String> {
    let rows: Vec<(String,)> = database
        .rows(
            "select r.row::text from orders o, lateral ( \
                select to_jsonb(o) - array['tenant_id', 'synced_at'] as row \
                union all select to_jsonb(l) - 'tenant_id' from line_items l where l.tenant_id = $1 and l.order_id = o.id \
                union all select to_jsonb(f) - 'tenant_id' from refunds f where f.tenant_id = $1 and f.order_id = o.id \
                union all select to_jsonb(s) - 'tenant_id' from sales s where s.tenant_id = $1 and s.order_id = o.id) r \
             where o.tenant_id = $1 and o.deleted_at is null order by 1",
            tenant,
        )
        .await;
    rows.into_iter().map(|(row,)| row).collect()
}

/// Plays a history. One that begins with a first load leaves the rollups for later, and builds them when half
/// of it has happened.
#[expect(
    clippy::too_many_lines,
    reason = "a history from its beginning to its end"
)]
async fn play(database: &TestDatabase, events: &[Event], first_load: bool) {
    let mut model = Model::default();
    let tenant = empty_store(database, model.now()).await;
    let mut connection = database.connection().await;
    let mut memory = Memory::default();

    if first_load {
        defer_rollups(database, tenant).await;
        assert!(!verified(database, tenant).await, "nothing is built yet");
    }
    for (number, event) in events.iter().enumerate() {
        if first_load && number == events.len() / 2 {
            assert_eq!(kept(database, tenant).await, BTreeMap::new());
            let mut transaction = database.db().work(tenant).await.unwrap();
            transaction.build_pending_rollups().await.unwrap();
            transaction.commit().await.unwrap();
            assert!(verified(database, tenant).await, "built, and not right");
        }
        model.apply(event);
        let asked_at = model.now() + TimeDelta::days(365);
        // The ways mean the same: each is taken, by turns.
        let way = Way::of(number);
        match event {
            Event::Deliver { order, version } => {
                let known = model
                    .orders
                    .get(order)
                    .filter(|_| !model.deleted.contains(order));
                if let Some(versions) = known {
                    // An old version, or the newest, with a neighbour now and then.
                    let version = versions[(*version).min(versions.len() - 1)].clone();
                    let neighbour = model
                        .orders
                        .get(&(order + 1))
                        .filter(|_| !model.deleted.contains(&(order + 1)));
                    let batch: Vec<_> = std::iter::once(version)
                        .chain(neighbour.and_then(|n| n.first()).cloned())
                        .collect();
                    deliver(database.db(), tenant, way, &batch, asked_at).await;
                }
            }
            Event::Delete { order } if model.deleted.contains(order) => {
                let id = i64::try_from(*order).unwrap() + 1_000;
                let mut transaction = database.db().work(tenant).await.unwrap();
                transaction
                    .delete_objects(ObjectKind::Orders, &[id], asked_at)
                    .await
                    .unwrap();
                transaction.commit().await.unwrap();
                // What was fetched before the deletion comes late.
                if let Some(version) = model.orders[order].last() {
                    deliver(
                        database.db(),
                        tenant,
                        way,
                        std::slice::from_ref(version),
                        asked_at - TimeDelta::seconds(1),
                    )
                    .await;
                }
            }
            _ => continue,
        }
        memory.catch_up(&mut connection, tenant).await;
    }
    // At the end everything has been fetched once, and again: then nothing may be written, whichever way it comes.
    let newest: Vec<_> = model
        .orders
        .iter()
        .filter(|(order, _)| !model.deleted.contains(order))
        .filter_map(|(_, versions)| versions.last().cloned())
        .collect();
    let asked_at = model.now() + TimeDelta::days(400);
    let (first, again) = (Way::of(events.len()), Way::of(events.len() + 1));
    let db = database.db();
    deliver(db, tenant, first, &newest, asked_at).await;
    let version = data_version(database, tenant).await;
    for (way, days) in [(again, 1), (first, 2)] {
        let fetched_at = asked_at + TimeDelta::days(days);
        deliver(db, tenant, way, &newest, fetched_at).await;
    }
    assert_eq!(
        data_version(database, tenant).await,
        version,
        "unchanged objects were written"
    );

    // A store that comes to it at once holds the same rows.
    let another = empty_store(database, model.now()).await;
    deliver(db, another, again, &newest, asked_at).await;
    assert_eq!(
        rows_of_orders(database, tenant).await,
        rows_of_orders(database, another).await
    );

    let mut snapshot = database.db().tenant_snapshot(tenant).await.unwrap();
    assert_eq!(snapshot.verify().await.unwrap(), Vec::new());
    drop(snapshot);
    assert_eq!(kept(database, tenant).await, expected(&model));
    memory.catch_up(&mut connection, tenant).await;
    assert_eq!(memory, Memory::whole(&mut connection, tenant).await);
    memory.assert_customers(&model);

    // Working everything out anew changes nothing, but a reader must ask for all of it.
    let mut transaction = database.db().tenant(tenant).await.unwrap();
    transaction.rebuild_figures().await.unwrap();
    assert_eq!(transaction.verify().await.unwrap(), Vec::new());
    transaction.commit().await.unwrap();
    assert_eq!(kept(database, tenant).await, expected(&model));
    memory.catch_up(&mut connection, tenant).await;
    assert_eq!(memory, Memory::whole(&mut connection, tenant).await);
    memory.assert_customers(&model);
}

async fn verified(database: &TestDatabase, tenant: TenantId) -> bool {
    let mut snapshot = database.db().tenant_snapshot(tenant).await.unwrap();
    snapshot.verify().await.unwrap().is_empty()
}

async fn data_version(database: &TestDatabase, tenant: TenantId) -> i64 {
    let mut transaction = database.db().tenant(tenant).await.unwrap();
    transaction.shop().await.unwrap().unwrap().data_version
}

async fn kept(database: &TestDatabase, tenant: TenantId) -> BTreeMap<(String, NaiveDate), Figures> {
    let rows: Vec<(String, NaiveDate, [Decimal; 10])> = database
        .rows(
            "select currency, day, array[orders::numeric, units_sold::numeric, gross_sales, discounts, returns, shipping, taxes, \
             duties, fees, order_value] from sales_rollups where tenant_id = $1 and dimension = 'SHOP'",
            tenant,
        )
        .await
        .into_iter()
        .map(|(currency, day, figures): (String, NaiveDate, Vec<Decimal>)| (currency, day, figures.try_into().unwrap()))
        .collect();
    rows.into_iter()
        .map(|(currency, day, figures)| ((currency, day), figures.map(|figure| figure.normalize())))
        .filter(|(_, figures)| figures.iter().any(|figure| !figure.is_zero()))
        .collect()
}

#[test]
fn the_figures_equal_a_recomputation_after_any_history_of_changes_repeats_and_delays() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let config = ProptestConfig {
        cases: 32,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(events in proptest::collection::vec(event(), 1..60), first_load in any::<bool>())| {
        runtime.block_on(play(&database, &events, first_load));
    });
    runtime.block_on(database.drop());
}

/// In no order, but the same one each time: a linear congruential generator draws it.
fn shuffled(mut records: Vec<Record>) -> Vec<Record> {
    let mut state = 1_u64;
    for last in (1..records.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let place = usize::try_from(state >> 33).unwrap() % (last + 1);
        records.swap(last, place);
    }
    records
}

/// What webhooks tell: an order changed, and another is gone.
async fn change_and_delete(
    database: &TestDatabase,
    tenant: TenantId,
    changed: &Version,
    asked_at: DateTime<Utc>,
) {
    deliver(
        database.db(),
        tenant,
        Way::Few,
        std::slice::from_ref(changed),
        asked_at,
    )
    .await;
    let mut transaction = database.db().tenant(tenant).await.unwrap();
    let deleted = transaction.delete_objects(ObjectKind::Orders, &[1_007], asked_at);
    assert_eq!(deleted.await.unwrap(), 1);
    transaction.commit().await.unwrap();
}

/// Works the figures out from the ledger alone.
async fn assert_ledger_tells(
    database: &TestDatabase,
    tenant: TenantId,
    figures: &BTreeMap<(String, NaiveDate), Figures>,
) {
    let mut transaction = database.db().work(tenant).await.unwrap();
    transaction.rebuild_figures().await.unwrap();
    transaction.commit().await.unwrap();
    assert!(kept(database, tenant).await == *figures, "other figures");
    assert!(verified(database, tenant).await);
}

/// An initial backfill and a full sync into a shop whose rollups are built: several batches, and the children of an order
/// in as many places of the file as it has.
#[tokio::test]
async fn children_of_an_order_are_brought_together_however_far_apart_they_are() {
    const ORDERS: usize = 900;
    let database = TestDatabase::create().await;
    let mut model = Model::default();
    for order in 0..ORDERS {
        let number = i64::try_from(order).unwrap();
        model.apply(&Event::Place {
            order,
            customer: (order % 5 != 0).then_some(number % 70 + 1),
            lines: vec![(number % 3 + 1, 2, 1_000 + number), (1, 1, number)],
            shipping: 500,
            kind: OrderKind::Usual,
        });
        model.apply(&Event::RefundLine {
            order,
            cents: number,
            tax: 1,
        });
    }
    let versions: Vec<_> = model
        .orders
        .values()
        .filter_map(|all| all.last().cloned())
        .collect();
    let records: Vec<_> = versions.iter().flat_map(Version::records).collect();
    let asked_at = model.now();

    let whole = empty_store(&database, asked_at).await;
    deliver(database.db(), whole, Way::Few, &versions, asked_at).await;
    model.apply(&Event::RefundLine {
        order: 5,
        cents: 2_000,
        tax: 7,
    });
    let changed = model.orders[&5].last().cloned().unwrap();
    change_and_delete(&database, whole, &changed, model.now()).await;
    let rows = rows_of_orders(&database, whole).await;
    assert_eq!(rows.len(), (ORDERS - 1) * 7 + 1);
    let figures = kept(&database, whole).await;

    let records = shuffled(records);
    let parts: Vec<_> = records.chunks(records.len() / 7).collect();
    for initial in [false, true] {
        let tenant = empty_store(&database, asked_at).await;
        if initial {
            defer_rollups(&database, tenant).await;
        }
        let mut staging = staged(database.db(), tenant, &parts).await;
        if initial {
            // The program is killed after the first batch, and in the middle of the second.
            let next = staging.upsert_next(400, asked_at).await.unwrap();
            next.unwrap().0.commit().await.unwrap();
            drop(staging.upsert_next(400, asked_at).await.unwrap());
            staging.close().await;
            assert_eq!(rows_of_orders(&database, tenant).await.len(), 400 * 7);
            staging = staged(database.db(), tenant, &parts).await;
        }
        let mut seen = Vec::new();
        while let Some((transaction, upserted)) = staging.upsert_next(600, asked_at).await.unwrap()
        {
            transaction.commit().await.unwrap();
            seen.push(upserted.seen);
            if seen.len() == 1 {
                change_and_delete(&database, tenant, &changed, model.now()).await;
            }
        }
        assert_eq!(seen, [600, 300]);
        for is_killed in [true, false] {
            let mut transaction = staging.transaction().await.unwrap();
            transaction.build_pending_rollups().await.unwrap();
            if is_killed {
                drop(transaction);
                assert_eq!(kept(&database, tenant).await.is_empty(), initial);
            } else {
                transaction.commit().await.unwrap();
            }
        }
        staging.close().await;
        assert!(
            rows_of_orders(&database, tenant).await == rows,
            "other rows"
        );
        assert!(kept(&database, tenant).await == figures, "other figures");
        assert!(verified(&database, tenant).await);
        assert_ledger_tells(&database, tenant, &figures).await;
    }
    database.drop().await;
}

#[tokio::test]
async fn an_answer_from_between_two_deletions_does_not_bring_an_order_back() {
    let database = TestDatabase::create().await;
    let place = Event::Place {
        order: 1,
        customer: Some(1),
        lines: vec![(1, 1, 500)],
        shipping: 0,
        kind: OrderKind::Usual,
    };
    let events = [
        place,
        Event::Deliver {
            order: 1,
            version: 0,
        },
        Event::Delete { order: 1 },
        Event::Delete { order: 1 },
    ];
    play(&database, &events, false).await;
    database.drop().await;
}

/// Merges versions of orders as a program does that has just started, and gives how many rows of tables the database
/// read for it.
async fn rows_read_for(
    database: &TestDatabase,
    tenant: TenantId,
    versions: &[Version],
    asked_at: DateTime<Utc>,
) -> i64 {
    let sessions = database.sessions().await;
    let before = database.rows_read(sessions).await;
    let program = Database::connect(&database.url(), 2).await.unwrap();
    deliver(&program, tenant, Way::Few, versions, asked_at).await;
    program.close().await;
    database.rows_read(sessions).await - before
}

#[tokio::test]
async fn a_change_reads_what_it_is_about_however_many_orders_there_are() {
    const ORDERS: usize = 1_000;
    let database = TestDatabase::create().await;
    let mut model = Model::default();
    let place = |order: usize| Event::Place {
        order,
        customer: Some(i64::try_from(order % 100).unwrap() + 1),
        lines: vec![(1, 1, 500), (2, 2, 700)],
        shipping: 300,
        kind: OrderKind::Usual,
    };
    for order in 0..ORDERS {
        model.apply(&place(order));
    }
    let asked_at = model.now() + TimeDelta::days(1);
    let tenant = empty_store(&database, model.now()).await;
    let newest = |model: &Model, order: usize| model.orders[&order].last().unwrap().clone();
    let all: Vec<_> = (0..ORDERS).map(|order| newest(&model, order)).collect();
    let read = rows_read_for(&database, tenant, &all, asked_at).await;
    assert!(read > 1_000, "{read} rows: what is read is not seen");
    let mut connection = database.connection().await;
    let analyzed = sqlx::raw_sql("analyze").execute(&mut connection).await;
    analyzed.unwrap();
    connection.close().await.unwrap();

    model.apply(&Event::RefundLine {
        order: 7,
        cents: 100,
        tax: 10,
    });
    model.apply(&place(ORDERS));
    model.apply(&Event::HandOver {
        order: 8,
        customer: Some(9),
    });
    for (what, order) in [("refunded", 7), ("new", ORDERS), ("handed over", 8)] {
        let changed = [newest(&model, order)];
        let read = rows_read_for(&database, tenant, &changed, asked_at + TimeDelta::days(1)).await;
        assert!(read < 300, "{what}: {read} rows were read");
    }
    let mut snapshot = database.db().tenant_snapshot(tenant).await.unwrap();
    assert_eq!(snapshot.verify().await.unwrap(), Vec::new());
    drop(snapshot);
    database.drop().await;
}

#[tokio::test]
async fn the_product_of_a_sold_line_outlives_the_product() {
    let database = TestDatabase::create().await;
    let mut model = Model::default();
    let tenant = empty_store(&database, model.now()).await;
    model.apply(&Event::Place {
        order: 1,
        customer: Some(1),
        lines: vec![(7, 2, 500)],
        shipping: 0,
        kind: OrderKind::Usual,
    });
    let fetched_at = model.now() + TimeDelta::days(1);
    deliver(
        database.db(),
        tenant,
        Way::Few,
        &model.orders[&1],
        fetched_at,
    )
    .await;
    model.apply(&Event::RefundLine {
        order: 1,
        cents: 100,
        tax: 10,
    });
    let mut version = model.orders[&1].last().unwrap().clone();
    for line in &mut version.lines {
        line.product = None;
    }
    let fetched_at = fetched_at + TimeDelta::days(1);
    deliver(database.db(), tenant, Way::Few, &[version], fetched_at).await;
    let products: Vec<(String, Option<i64>)> = database
        .rows(
            "select 'line', product_id from line_items where tenant_id = $1 \
             union all select 'sale', product_id from sales where tenant_id = $1 and line_type = 'PRODUCT'",
            tenant,
        )
        .await;
    let of = |what: &str| (what.to_owned(), Some(7));
    assert_eq!(products, [of("line"), of("sale"), of("sale")]);
    let mut snapshot = database.db().tenant_snapshot(tenant).await.unwrap();
    assert_eq!(snapshot.verify().await.unwrap(), Vec::new());
    drop(snapshot);
    database.drop().await;
}
