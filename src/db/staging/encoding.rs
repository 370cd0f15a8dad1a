//! Records as bytes, by postcard: the form in which they wait in a staging table, and the one that is hashed to find
//! out whether an object changed. No record outlives its load in this form, so the format may change at any time.

use aws_lc_rs::digest;
use serde::Serialize;

use crate::db::{DbError, Result};
use crate::domain::record::Record;

/// Part of each hash. Raise it when the meaning of a row changes, so that a full sync writes every object again.
const MAPPING_VERSION: u8 = 3;

/// Appends a record to others.
pub(super) fn encode(record: &Record, buffer: Vec<u8>) -> Result<Vec<u8>> {
    postcard::to_extend(record, buffer).map_err(|error| unencodable(&error))
}

/// Reads the records of an object, one behind the other.
pub(super) fn decode_all(mut bytes: &[u8], records: &mut Vec<Record>) -> Result<()> {
    while !bytes.is_empty() {
        let (record, rest) = postcard::take_from_bytes(bytes)
            .map_err(|error| DbError::Corrupt(format!("a staged record: {error}")))?;
        records.push(record);
        bytes = rest;
    }
    Ok(())
}

/// The hash of some content. An object whose hash is the stored one is not written.
pub(in crate::db) fn content_hash(content: &impl Serialize) -> Result<i64> {
    let bytes =
        postcard::to_extend(content, vec![MAPPING_VERSION]).map_err(|error| unencodable(&error))?;
    Ok(hash(&bytes))
}

/// The first 64 bits of the SHA-256.
pub(super) fn hash(bytes: &[u8]) -> i64 {
    digest::digest(&digest::SHA256, bytes)
        .as_ref()
        .first_chunk()
        .map_or(0, |first| i64::from_be_bytes(*first))
}

fn unencodable(error: &postcard::Error) -> DbError {
    DbError::Corrupt(format!("a record that cannot be encoded: {error}"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rust_decimal::Decimal;

    use super::*;
    use crate::domain::ids::{CustomerId, LineItemId, OrderId, ProductId, RefundId, VariantId};
    use crate::domain::money::Currency;
    use crate::domain::record::{
        AgreementRecord, CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, RefundRecord,
        SaleRecord, VariantRecord,
    };
    use crate::domain::sale::{AgreementReason, SaleAction, SaleLineType};

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

    fn encoded() -> Vec<u8> {
        records()
            .iter()
            .fold(Vec::new(), |bytes, record| encode(record, bytes).unwrap())
    }

    #[test]
    fn records_are_decoded_as_they_were_encoded_one_behind_the_other() {
        let mut decoded = Vec::new();
        decode_all(&encoded(), &mut decoded).unwrap();
        assert_eq!(decoded, records());
    }

    #[test]
    fn truncated_bytes_are_an_error() {
        for record in records() {
            let bytes = encode(&record, Vec::new()).unwrap();
            for length in (1..bytes.len()).take(2_000) {
                let mut decoded = Vec::new();
                assert!(decode_all(bytes.get(..length).unwrap(), &mut decoded).is_err());
            }
        }
    }

    #[test]
    fn the_hash_depends_on_the_content_alone() {
        let hashes = || -> Vec<i64> {
            let records = records();
            records
                .iter()
                .map(|record| content_hash(record).unwrap())
                .collect()
        };
        assert_eq!(hashes(), hashes());
        let distinct: std::collections::BTreeSet<_> = hashes().into_iter().collect();
        assert_eq!(distinct.len(), records().len());
    }
}
