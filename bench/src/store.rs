//! A store that is worked out, not kept: any order of it from its number alone, the same each time. Three
//! years of days, a customer for every three orders who comes back, one to five lines, a refund now and then.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use xboard::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use xboard::domain::money::Currency;
use xboard::domain::record::{
    AgreementRecord, CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, Record,
    RefundRecord, SaleRecord, VariantRecord,
};
use xboard::domain::sale::{AgreementReason, SaleAction, SaleLineType};

/// Where the store keeps its days.
pub(crate) const ZONE: &str = "America/New_York";
/// What it counts in.
pub(crate) const CURRENCY: &str = "USD";
/// A customer for so many orders.
const ORDERS_PER_CUSTOMER: i64 = 3;

/// A store of so many orders.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    orders: i64,
    days: i64,
    first_day: NaiveDate,
    currency: Currency,
}

/// Numbers that look like chance and are the same each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn of(kind: u64, number: i64) -> Self {
        Self(kind.wrapping_mul(0xd134_2543_de82_ef95) ^ number.unsigned_abs())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to one below the end.
    fn below(&mut self, end: i64) -> i64 {
        let end = end.max(1).unsigned_abs();
        i64::try_from(self.next() % end).unwrap_or_default()
    }
}

fn cents(amount: i64) -> Decimal {
    Decimal::new(amount, 2)
}

impl Store {
    /// A store whose days end with this one.
    pub(crate) fn new(orders: i64, days: i64, last_day: NaiveDate) -> anyhow::Result<Self> {
        Ok(Self {
            orders,
            days,
            first_day: last_day - TimeDelta::days(days - 1),
            currency: Currency::parse(CURRENCY)?,
        })
    }

    /// How many orders it has.
    pub(crate) const fn orders(&self) -> i64 {
        self.orders
    }

    /// How many customers it has.
    pub(crate) const fn customers(&self) -> i64 {
        self.orders.div_euclid(ORDERS_PER_CUSTOMER) + 1
    }

    /// How many products it has.
    pub(crate) fn products(&self) -> i64 {
        (self.orders / 100).clamp(10, 1_000)
    }

    /// The instant at which so many thousandths of its days have gone by. Its days begin at five by UTC.
    fn instant(&self, order: i64) -> DateTime<Utc> {
        let seconds = self.days * 86_400;
        let share = i128::from(order) * i128::from(seconds) / i128::from(self.orders.max(1));
        self.first_day.and_time(NaiveTime::MIN).and_utc()
            + TimeDelta::hours(5)
            + TimeDelta::seconds(i64::try_from(share).unwrap_or_default())
    }

    /// A customer by number, from 0.
    pub(crate) fn customer(&self, number: i64) -> Record {
        let created_at = self.instant(number * ORDERS_PER_CUSTOMER);
        Record::Customer(CustomerRecord {
            id: customer_id(number),
            display_name: format!("Customer {number}"),
            email: Some(format!("customer{number}@example.com")),
            tags: if number % 7 == 0 {
                vec!["newsletter".to_owned()]
            } else {
                Vec::new()
            },
            created_at,
            updated_at: created_at,
        })
    }

    /// A product by number, from 0, with its variant.
    pub(crate) fn product(&self, number: i64) -> [Record; 2] {
        let created_at = self.instant(0);
        [
            Record::Product(ProductRecord {
                id: product_id(number),
                title: product_title(number),
                status: "ACTIVE".to_owned(),
                vendor: format!("Vendor {}", number % 20),
                product_type: "Goods".to_owned(),
                created_at,
                updated_at: created_at,
            }),
            Record::Variant(VariantRecord {
                product: product_id(number),
                id: variant_id(number),
                title: "Default Title".to_owned(),
                sku: Some(format!("SKU-{number}")),
                price: cents(price(number)),
                position: 1,
            }),
        ]
    }

    /// An order by number, from 0, with its lines and its ledger: the order itself first.
    pub(crate) fn order(&self, number: i64) -> Vec<Record> {
        self.order_at(number, 0)
    }

    /// The same order after so many changes: each changes a price, and moves `updatedAt` on.
    pub(crate) fn order_at(&self, number: i64, changes: i64) -> Vec<Record> {
        let mut chance = Chance::of(1, number);
        let placed_at = self.instant(number);
        let mut draft = Draft::new(number, self.currency.clone());
        let off = if chance.below(5) == 0 { 10 } else { 0 };
        for line in 0..=chance.below(5).min(chance.below(5)) {
            // Few products sell much, many little.
            let rank = chance.below(self.products()) * chance.below(1_000) / 1_000;
            let quantity = 1 + chance.below(3).min(chance.below(3));
            draft.sell(line, rank, quantity, off, changes);
        }
        draft.ship(495);
        let mut updated_at = placed_at + TimeDelta::seconds(changes);
        if chance.below(25) == 0 {
            updated_at += TimeDelta::days(3 + chance.below(20));
            draft.take_back(updated_at);
        }
        draft.into_records(Self::who(number, &mut chance), placed_at, updated_at)
    }

    /// Every third order is somebody's first; the others are of people who came before, or of guests.
    fn who(order: i64, chance: &mut Chance) -> Option<CustomerId> {
        let newest = order / ORDERS_PER_CUSTOMER;
        if order % ORDERS_PER_CUSTOMER == 0 {
            return Some(customer_id(newest));
        }
        if chance.below(20) == 0 {
            return None;
        }
        // Those who came lately come back more often.
        let ago = chance.below(newest + 1) * chance.below(1_000) / 1_000;
        Some(customer_id(newest - ago))
    }
}

/// An order on the way: what is sold, and what the ledger says of it.
struct Draft {
    number: i64,
    currency: Currency,
    lines: Vec<LineItemRecord>,
    placed: Vec<SaleRecord>,
    taken_back: Option<(AgreementRecord, SaleRecord)>,
    total: i64,
}

impl Draft {
    fn new(number: i64, currency: Currency) -> Self {
        Self {
            number,
            currency,
            lines: Vec::new(),
            placed: Vec::new(),
            taken_back: None,
            total: 0,
        }
    }

    fn sell(&mut self, line: i64, product: i64, quantity: i64, off: i64, changes: i64) {
        let before = price(product) * quantity + changes;
        let discount = before * off / 100;
        let tax = (before - discount) * 8 / 100;
        let total = before - discount + tax;
        let id = LineItemId::new(12_000_000_000_000 + self.number * 16 + line);
        let count = i32::try_from(quantity).unwrap_or(1);
        self.lines.push(LineItemRecord {
            order: order_id(self.number),
            id,
            title: product_title(product),
            variant_title: None,
            sku: Some(format!("SKU-{product}")),
            quantity: count,
            current_quantity: count,
            original_total: cents(before),
            discounted_total: cents(before),
            product: Some(product_id(product)),
            variant: Some(variant_id(product)),
        });
        self.placed.push(SaleRecord {
            agreement_gid: agreement_gid(self.number),
            gid: format!(
                "gid://shopify/ProductSale/{}",
                15_000_000_000_000 + self.number * 16 + line
            ),
            action: SaleAction::Order,
            line_type: SaleLineType::Product,
            quantity: Some(count),
            currency: self.currency.clone(),
            total: cents(total),
            tax: cents(tax),
            discount: cents(discount),
            line_item: Some(id),
        });
        self.total += total;
    }

    fn ship(&mut self, price: i64) {
        self.placed.push(SaleRecord {
            agreement_gid: agreement_gid(self.number),
            gid: format!(
                "gid://shopify/ShippingLineSale/{}",
                15_000_000_000_000 + self.number * 16 + 9
            ),
            action: SaleAction::Order,
            line_type: SaleLineType::Shipping,
            quantity: None,
            currency: self.currency.clone(),
            total: cents(price),
            tax: cents(price * 8 / 108),
            discount: cents(0),
            line_item: None,
        });
        self.total += price;
    }

    /// The first line comes back.
    fn take_back(&mut self, at: DateTime<Utc>) {
        let gid = format!(
            "gid://shopify/RefundAgreement/{}",
            16_000_000_000_000 + self.number
        );
        if let Some(sale) = self.placed.first() {
            let sale = SaleRecord {
                agreement_gid: gid.clone(),
                gid: format!(
                    "gid://shopify/ProductSale/{}",
                    15_000_000_000_000 + self.number * 16 + 10
                ),
                action: SaleAction::Return,
                quantity: sale.quantity.map(|quantity| -quantity),
                total: -sale.total,
                tax: -sale.tax,
                discount: -sale.discount,
                ..sale.clone()
            };
            let agreement = AgreementRecord {
                order: order_id(self.number),
                gid,
                happened_at: at,
                reason: AgreementReason::Refund,
            };
            self.taken_back = Some((agreement, sale));
        }
    }

    fn into_records(
        self,
        customer: Option<CustomerId>,
        placed_at: DateTime<Utc>,
        updated_at: DateTime<Utc>,
    ) -> Vec<Record> {
        let refunded = self.taken_back.as_ref().map(|(_, sale)| -sale.total);
        let total_price = cents(self.total);
        let mut records = vec![Record::Order(Box::new(OrderRecord {
            id: order_id(self.number),
            name: format!("#{}", self.number + 1_001),
            customer,
            created_at: placed_at,
            processed_at: placed_at,
            updated_at,
            cancelled_at: None,
            test: false,
            currency: self.currency,
            financial_status: Some(
                if refunded.is_some() {
                    "PARTIALLY_REFUNDED"
                } else {
                    "PAID"
                }
                .to_owned(),
            ),
            fulfillment_status: Some("FULFILLED".to_owned()),
            source_name: Some("web".to_owned()),
            discount_codes: Vec::new(),
            tags: Vec::new(),
            total_price,
            net_payment: total_price - refunded.unwrap_or_default(),
            refunds: refunded
                .map(|amount| RefundRecord {
                    id: RefundId::new(17_000_000_000_000 + self.number),
                    processed_at: updated_at,
                    total_refunded: amount,
                })
                .into_iter()
                .collect(),
        }))];
        records.extend(self.lines.into_iter().map(Record::LineItem));
        records.push(Record::Agreement(AgreementRecord {
            order: order_id(self.number),
            gid: agreement_gid(self.number),
            happened_at: placed_at,
            reason: AgreementReason::Order,
        }));
        records.extend(self.placed.into_iter().map(Record::Sale));
        if let Some((agreement, sale)) = self.taken_back {
            records.push(Record::Agreement(agreement));
            records.push(Record::Sale(sale));
        }
        records
    }
}

/// The id of an order by number, from 0.
pub(crate) const fn order_id(number: i64) -> OrderId {
    OrderId::new(5_000_000_000_000 + number * 16)
}

const fn customer_id(number: i64) -> CustomerId {
    CustomerId::new(6_000_000_000_000 + number * 16)
}

const fn product_id(number: i64) -> ProductId {
    ProductId::new(7_000_000_000_000 + number * 16)
}

const fn variant_id(number: i64) -> VariantId {
    VariantId::new(8_000_000_000_000 + number * 16)
}

fn agreement_gid(order: i64) -> String {
    format!(
        "gid://shopify/OrderAgreement/{}",
        16_000_000_000_000 + order
    )
}

fn product_title(number: i64) -> String {
    format!("Article number {number}")
}

fn price(product: i64) -> i64 {
    500 + Chance::of(2, product).below(9_500)
}
