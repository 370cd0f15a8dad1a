//! Records as rows, in the forms in which PostgreSQL takes them: lines of COPY's text format for the staging
//! tables of customers and products, COPY's binary format (`binary.rs`) for what is loaded, and arrays of the tables'
//! rows for what is handed over inside a statement.

use std::fmt::{Display, Write as _};

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use sqlx::{Encode, Postgres};

use super::packed::Packed as _;
use crate::domain::record::{OrderRecord, Record};

/// Part of each row's hash. Raise it when a row's meaning changes, so that a full sync writes every object anew.
const MAPPING_VERSION: u8 = 2;

/// A value that can be written in any of the forms.
pub(in crate::db) trait Value: Display + for<'q> Encode<'q, Postgres> {}

impl<T: Display + for<'q> Encode<'q, Postgres>> Value for T {}

/// Something that takes the values of a row, one after the other.
pub(in crate::db) trait Row {
    /// A value whose text has nothing in it that would have to be escaped: a number, a day, a truth value.
    fn value(&mut self, value: impl Value);
    fn null(&mut self);
    fn text(&mut self, text: &str);
    fn texts(&mut self, texts: &[String]);
    fn instant(&mut self, value: DateTime<Utc>);

    fn optional(&mut self, value: Option<impl Value>) {
        match value {
            Some(value) => self.value(value),
            None => self.null(),
        }
    }

    fn optional_instant(&mut self, value: Option<DateTime<Utc>>) {
        match value {
            Some(value) => self.instant(value),
            None => self.null(),
        }
    }

    fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }
}

/// An array of texts as PostgreSQL writes it.
fn array_of(texts: &[String]) -> String {
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
    array
}

/// The values of a record, in the order of the columns of its staging table, without the hash.
pub(in crate::db) fn fill(row: &mut impl Row, record: &Record) {
    match record {
        Record::Customer(customer) => {
            row.value(customer.id);
            row.text(&customer.display_name);
            row.optional_text(customer.email.as_deref());
            row.texts(&customer.tags);
            row.instant(customer.created_at);
            row.instant(customer.updated_at);
        }
        Record::Product(product) => {
            row.value(product.id);
            row.text(&product.title);
            row.text(&product.status);
            row.text(&product.vendor);
            row.text(&product.product_type);
            row.instant(product.created_at);
            row.instant(product.updated_at);
        }
        Record::Variant(variant) => {
            row.value(variant.product);
            row.value(variant.id);
            row.text(&variant.title);
            row.optional_text(variant.sku.as_deref());
            row.value(variant.price);
            row.value(variant.position);
        }
        Record::Order(order) => fill_order(row, order),
        Record::LineItem(line) => {
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
        }
        // Part of their orders' rows of the ledger.
        Record::Agreement(_) | Record::Sale(_) => {}
    }
}

fn fill_order(row: &mut impl Row, order: &OrderRecord) {
    row.value(order.id);
    row.text(&order.name);
    row.optional(order.customer);
    row.instant(order.created_at);
    row.instant(order.processed_at);
    row.instant(order.updated_at);
    row.optional_instant(order.cancelled_at);
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

/// Writes a record as a line of COPY's text format, with the hash of its content in the last column.
pub(super) fn copy_line(buffer: &mut String, record: &Record) {
    fill(&mut CopyRow { buffer }, record);
    let _ = writeln!(buffer, "{}", content_hash(record));
}

/// The hash of a record's content. An object is different when that of any of its records is.
pub(in crate::db) fn content_hash(record: &Record) -> i64 {
    let mut bytes = Vec::new();
    record.pack(&mut bytes);
    packed_hash(&bytes)
}

/// The same of one that is packed.
pub(super) fn packed_hash(record: &[u8]) -> i64 {
    hash(&[&[MAPPING_VERSION], record])
}

/// What stands for a gid where rows are joined.
pub(in crate::db) fn key(gid: &str) -> i64 {
    hash(&[gid.as_bytes()])
}

/// The first 64 bits of the SHA-256 of these bytes.
pub(in crate::db) fn hash(parts: &[&[u8]]) -> i64 {
    let mut digest = digest::Context::new(&digest::SHA256);
    for part in parts {
        digest.update(part);
    }
    digest
        .finish()
        .as_ref()
        .first_chunk::<8>()
        .map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// The values of a line of COPY's text format, each with a tab behind it.
struct CopyRow<'a> {
    buffer: &'a mut String,
}

impl Row for CopyRow<'_> {
    fn value(&mut self, value: impl Value) {
        let _ = write!(self.buffer, "{value}\t");
    }

    fn instant(&mut self, value: DateTime<Utc>) {
        let _ = write!(self.buffer, "{}\t", value.to_rfc3339());
    }

    fn texts(&mut self, texts: &[String]) {
        self.text(&array_of(texts));
    }

    fn null(&mut self) {
        self.buffer.push_str("\\N\t");
    }

    /// PostgreSQL cannot hold a NUL in a text; it is left out.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\\' => self.buffer.push_str("\\\\"),
                '\n' => self.buffer.push_str("\\n"),
                '\r' => self.buffer.push_str("\\r"),
                '\t' => self.buffer.push_str("\\t"),
                '\0' => {}
                other => self.buffer.push(other),
            }
        }
        self.buffer.push('\t');
    }
}

/// Rows of a table as PostgreSQL writes an array of them: `{"(1,\"a b\")","(2,)"}`.
#[derive(Debug)]
pub(in crate::db) struct RowArray {
    text: String,
}

impl RowArray {
    pub(in crate::db) fn new() -> Self {
        Self {
            text: String::from("{"),
        }
    }

    pub(in crate::db) fn add(&mut self, fill: impl FnOnce(&mut ArrayRow<'_>)) {
        self.text
            .push_str(if self.text.len() > 1 { ",\"(" } else { "\"(" });
        let mut row = ArrayRow {
            text: &mut self.text,
            first: true,
        };
        fill(&mut row);
        self.text.push_str(")\"");
    }

    /// Adds a record as a row of its staging table, with this hash.
    pub(in crate::db) fn add_record(&mut self, record: &Record, hash: i64) {
        self.add(|row| {
            fill(row, record);
            row.value(hash);
        });
    }

    pub(in crate::db) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// The values of one row of an array.
pub(in crate::db) struct ArrayRow<'a> {
    text: &'a mut String,
    first: bool,
}

impl ArrayRow<'_> {
    fn next(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.text.push(',');
        }
    }
}

impl Row for ArrayRow<'_> {
    fn value(&mut self, value: impl Value) {
        self.next();
        let _ = write!(self.text, "{value}");
    }

    fn instant(&mut self, value: DateTime<Utc>) {
        self.next();
        self.text.push_str(&value.to_rfc3339());
    }

    fn texts(&mut self, texts: &[String]) {
        self.text(&array_of(texts));
    }

    fn null(&mut self) {
        self.next();
    }

    /// Escaped for the row, and that for the array. PostgreSQL cannot hold a NUL in a text; it is left out.
    fn text(&mut self, text: &str) {
        self.next();
        self.text.push_str("\\\"");
        for character in text.chars() {
            match character {
                '\\' => self.text.push_str("\\\\\\\\"),
                '"' => self.text.push_str("\\\\\\\""),
                '\0' => {}
                other => self.text.push(other),
            }
        }
        self.text.push_str("\\\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(fill: impl FnOnce(&mut CopyRow<'_>)) -> String {
        let mut buffer = String::new();
        fill(&mut CopyRow {
            buffer: &mut buffer,
        });
        buffer
    }

    fn awkward(row: &mut impl Row) {
        row.text("a\tb\\c\nd\0");
        row.null();
        row.texts(&["x,\"y\\".to_owned(), "z".to_owned()]);
        row.value(-3);
    }

    #[test]
    fn a_line_of_copy_is_escaped() {
        assert_eq!(
            copied(|row| awkward(row)),
            "a\\tb\\\\c\\nd\t\\N\t{\"x,\\\\\"y\\\\\\\\\",\"z\"}\t-3\t"
        );
    }

    #[test]
    fn a_row_of_an_array_is_escaped_twice() {
        let mut rows = RowArray::new();
        rows.add(|row| awkward(row));
        rows.add(|row| row.text(""));
        assert_eq!(
            rows.finish(),
            concat!(
                r#"{"(\"a"#,
                "\t",
                r#"b\\\\c"#,
                "\n",
                r#"d\",,\"{\\\"x,\\\\\\\"y\\\\\\\\\\\",\\\"z\\\"}\",-3)","(\"\")"}"#
            )
        );
    }
}
