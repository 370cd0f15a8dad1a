//! Records as bytes: the form in which the parts of orders wait in the database until their order is put together (and
//! what orders add to the figures until those are built), and the one whose hash tells an object that changed from one
//! that did not. Nothing outlives its load in this form.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use crate::domain::amounts::Amounts;
use crate::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
use crate::domain::money::Currency;
use crate::domain::record::{
    AgreementRecord, CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, Record,
    RefundRecord, SaleRecord, VariantRecord,
};
use crate::domain::sale::{AgreementReason, SaleAction, SaleLineType};

/// A value that can be written as bytes and read back.
pub(in crate::db) trait Packed: Sized {
    fn pack(&self, bytes: &mut Vec<u8>);
    /// Takes it off the front of what was written. `None` where it was something else that wrote it.
    fn unpack(bytes: &mut &[u8]) -> Option<Self>;
}

/// Reads the next few bytes.
fn next<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (value, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*value)
}

macro_rules! packed_numbers {
    ($($number:ty),+) => {
        $(impl Packed for $number {
            fn pack(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                next(bytes).map(Self::from_le_bytes)
            }
        })+
    };
}

packed_numbers!(u8, u32, i32, i64);

macro_rules! packed_ids {
    ($($id:ty),+) => {
        $(impl Packed for $id {
            fn pack(&self, bytes: &mut Vec<u8>) {
                self.number().pack(bytes);
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                i64::unpack(bytes).map(Self::new)
            }
        })+
    };
}

packed_ids!(
    CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId
);

/// The words of the ledger, as Shopify writes them.
macro_rules! packed_words {
    ($($word:ty),+) => {
        $(impl Packed for $word {
            fn pack(&self, bytes: &mut Vec<u8>) {
                pack_text(self.word(), bytes);
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                unpack_text(bytes).map(Self::from_word)
            }
        })+
    };
}

packed_words!(AgreementReason, SaleAction, SaleLineType);

/// One list of a record's fields, for both ways: they are written and read in this order.
macro_rules! packed_fields {
    ($($record:ident { $($field:ident),+ $(,)? })+) => {
        $(impl Packed for $record {
            fn pack(&self, bytes: &mut Vec<u8>) {
                let Self { $($field),+ } = self;
                $(Packed::pack($field, bytes);)+
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Packed::unpack(bytes)?),+ })
            }
        })+
    };
}

pub(in crate::db) use packed_fields;

packed_fields! {
    CustomerRecord { id, display_name, email, tags, created_at, updated_at }
    ProductRecord { id, title, status, vendor, product_type, created_at, updated_at }
    VariantRecord { product, id, title, sku, price, position }
    OrderRecord {
        id, name, customer, created_at, processed_at, updated_at, cancelled_at, test, currency, financial_status,
        fulfillment_status, source_name, discount_codes, tags, total_price, net_payment, refunds,
    }
    RefundRecord { id, processed_at, total_refunded }
    LineItemRecord {
        order, id, title, variant_title, sku, quantity, current_quantity, original_total, discounted_total, product,
        variant,
    }
    AgreementRecord { order, gid, happened_at, reason }
    SaleRecord {
        agreement_gid, gid, action, line_type, quantity, currency, total, tax, discount, line_item,
    }
}

macro_rules! packed_kinds {
    ($($kind:ident = $tag:literal),+ $(,)?) => {
        impl Packed for Record {
            fn pack(&self, bytes: &mut Vec<u8>) {
                match self {
                    $(Self::$kind(record) => {
                        bytes.push($tag);
                        record.pack(bytes);
                    })+
                }
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                match u8::unpack(bytes)? {
                    $($tag => Packed::unpack(bytes).map(Self::$kind),)+
                    _ => None,
                }
            }
        }
    };
}

packed_kinds! {
    Customer = 1,
    Product = 2,
    Variant = 3,
    Order = 4,
    LineItem = 5,
    Agreement = 6,
    Sale = 7,
}

impl Packed for bool {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        match u8::unpack(bytes)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl<T: Packed> Packed for Box<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        T::pack(self, bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        T::unpack(bytes).map(Self::new)
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.is_some().pack(bytes);
        if let Some(value) = self {
            value.pack(bytes);
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        if bool::unpack(bytes)? {
            T::unpack(bytes).map(Some)
        } else {
            Some(None)
        }
    }
}

/// Most texts are short: their length takes a byte, that of a longer one four more.
fn pack_length(length: usize, bytes: &mut Vec<u8>) {
    match u8::try_from(length) {
        Ok(short) if short < u8::MAX => bytes.push(short),
        _ => {
            bytes.push(u8::MAX);
            u32::try_from(length).unwrap_or(u32::MAX).pack(bytes);
        }
    }
}

fn unpack_length(bytes: &mut &[u8]) -> Option<usize> {
    match u8::unpack(bytes)? {
        u8::MAX => usize::try_from(u32::unpack(bytes)?).ok(),
        short => Some(usize::from(short)),
    }
}

fn pack_text(text: &str, bytes: &mut Vec<u8>) {
    pack_length(text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

fn unpack_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = unpack_length(bytes)?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

impl Packed for String {
    fn pack(&self, bytes: &mut Vec<u8>) {
        pack_text(self, bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        unpack_text(bytes).map(Self::from)
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        pack_length(self.len(), bytes);
        for value in self {
            value.pack(bytes);
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        (0..unpack_length(bytes)?)
            .map(|_| T::unpack(bytes))
            .collect()
    }
}

impl Packed for Currency {
    fn pack(&self, bytes: &mut Vec<u8>) {
        pack_text(self.code(), bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        Self::parse(unpack_text(bytes)?).ok()
    }
}

impl Packed for NaiveDate {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.to_epoch_days().pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_epoch_days(i32::unpack(bytes)?)
    }
}

/// To the microsecond, which is as much as PostgreSQL keeps.
impl Packed for DateTime<Utc> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.timestamp_micros().pack(bytes);
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_timestamp_micros(i64::unpack(bytes)?)
    }
}

impl Packed for Decimal {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.serialize());
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        next(bytes).map(Self::deserialize)
    }
}

/// Most of them are nothing.
impl Packed for Amounts {
    fn pack(&self, bytes: &mut Vec<u8>) {
        let Self {
            units_sold,
            gross_sales,
            discounts,
            returns,
            shipping,
            taxes,
            duties,
            fees,
            placed_sales,
        } = self;
        units_sold.pack(bytes);
        for amount in [
            gross_sales,
            discounts,
            returns,
            shipping,
            taxes,
            duties,
            fees,
            placed_sales,
        ] {
            (!amount.is_zero()).then_some(*amount).pack(bytes);
        }
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let units_sold = i64::unpack(bytes)?;
        let mut amount = || Some(Option::<Decimal>::unpack(bytes)?.unwrap_or_default());
        Some(Self {
            units_sold,
            gross_sales: amount()?,
            discounts: amount()?,
            returns: amount()?,
            shipping: amount()?,
            taxes: amount()?,
            duties: amount()?,
            fees: amount()?,
            placed_sales: amount()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn records() -> Vec<Record> {
        let order = OrderId::new(i64::MAX);
        let currency = Currency::parse("EUR").unwrap();
        vec![
            Record::Customer(CustomerRecord {
                id: CustomerId::new(1),
                display_name: "x".repeat(70_000),
                email: None,
                tags: vec![String::new(), "é".repeat(127), "e".repeat(255)],
                created_at: instant("1969-12-31T23:59:59.999999Z"),
                updated_at: instant("2026-01-02T03:04:05.678901Z"),
            }),
            Record::Product(ProductRecord {
                id: ProductId::new(2),
                title: "Title".to_owned(),
                status: "ACTIVE".to_owned(),
                vendor: String::new(),
                product_type: "type".to_owned(),
                created_at: instant("2026-01-02T03:04:05Z"),
                updated_at: instant("2026-01-02T03:04:06Z"),
            }),
            Record::Variant(VariantRecord {
                product: ProductId::new(2),
                id: VariantId::new(3),
                title: "Small".to_owned(),
                sku: Some("S".to_owned()),
                price: "10.50".parse().unwrap(),
                position: -1,
            }),
            Record::Order(Box::new(OrderRecord {
                id: order,
                name: "#1".to_owned(),
                customer: Some(CustomerId::new(1)),
                created_at: instant("2026-01-02T03:04:05Z"),
                processed_at: instant("2026-01-02T03:04:05Z"),
                updated_at: instant("2026-01-02T03:04:05Z"),
                cancelled_at: Some(instant("2026-01-03T03:04:05Z")),
                test: true,
                currency: currency.clone(),
                financial_status: Some("PAID".to_owned()),
                fulfillment_status: None,
                source_name: Some("web".to_owned()),
                discount_codes: Vec::new(),
                tags: vec!["tag".to_owned(); 300],
                total_price: Decimal::MAX,
                net_payment: "-0.0001".parse().unwrap(),
                refunds: vec![RefundRecord {
                    id: RefundId::new(4),
                    processed_at: instant("2026-01-02T03:04:05Z"),
                    total_refunded: "1.00".parse().unwrap(),
                }],
            })),
            Record::LineItem(LineItemRecord {
                order,
                id: LineItemId::new(5),
                title: "Title".to_owned(),
                variant_title: None,
                sku: None,
                quantity: i32::MIN,
                current_quantity: i32::MAX,
                original_total: Decimal::ZERO,
                discounted_total: Decimal::MIN,
                product: Some(ProductId::new(2)),
                variant: None,
            }),
            Record::Agreement(AgreementRecord {
                order,
                gid: "gid://shopify/OrderAgreement/1".to_owned(),
                happened_at: instant("2026-01-02T03:04:05Z"),
                reason: AgreementReason::OrderEdit,
            }),
            Record::Sale(SaleRecord {
                agreement_gid: "gid://shopify/OrderAgreement/1".to_owned(),
                gid: "gid://shopify/ProductSale/1".to_owned(),
                action: SaleAction::Unknown,
                line_type: SaleLineType::GiftCard,
                quantity: None,
                currency,
                total: "12.3456".parse().unwrap(),
                tax: Decimal::ZERO,
                discount: Decimal::ONE,
                line_item: Some(LineItemId::new(5)),
            }),
        ]
    }

    #[test]
    fn records_read_back_as_they_were_written_one_after_the_other() {
        let mut bytes = Vec::new();
        for record in records() {
            record.pack(&mut bytes);
        }
        let mut rest = bytes.as_slice();
        for record in records() {
            assert_eq!(Record::unpack(&mut rest), Some(record));
        }
        assert_eq!(rest, b"");
    }

    #[test]
    fn what_is_cut_off_is_no_record() {
        for record in records() {
            let mut bytes = Vec::new();
            record.pack(&mut bytes);
            for length in (0..bytes.len()).take(2_000) {
                assert_eq!(Record::unpack(&mut bytes.get(..length).unwrap()), None);
            }
        }
    }
}
