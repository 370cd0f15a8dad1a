//! Records as rows, in the two forms in which PostgreSQL takes them: COPY's binary format (`binary.rs`) for the orders
//! of an initial backfill, and arrays of rows, as parameters of statements, for all other objects.

use std::fmt::{Display, Write as _};

use chrono::{DateTime, Utc};
use sqlx::{Encode, Postgres};

use crate::domain::record::{LineItemRecord, OrderRecord, Record};

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
        Record::LineItem(line) => fill_line_item(row, line),
        // Part of their orders' rows of the ledger.
        Record::Agreement(_) | Record::Sale(_) => {}
    }
}

pub(in crate::db) fn fill_line_item(row: &mut impl Row, line: &LineItemRecord) {
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

pub(in crate::db) fn fill_order(row: &mut impl Row, order: &OrderRecord) {
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

    fn awkward(row: &mut impl Row) {
        row.text("a\tb\\c\nd\0");
        row.null();
        row.texts(&["x,\"y\\".to_owned(), "z".to_owned()]);
        row.value(-3);
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
