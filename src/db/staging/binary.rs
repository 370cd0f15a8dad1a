//! Rows in COPY's binary format, which costs PostgreSQL no parsing of numbers and instants. The columns of the table
//! must have the very types of the values: nothing is converted.

use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, Postgres};

use crate::db::{DbError, Result};

/// What begins the format: its signature, no flags, no extension.
const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What ends it, in place of a row's number of values.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// Rows of a table, on their way to COPY.
#[derive(Debug, Default)]
pub(in crate::db) struct BinaryRows {
    /// Values are written by what writes the arguments of statements.
    buffer: PgArgumentBuffer,
    /// Where the present row begins, and how many values it has.
    row: (usize, i16),
    failed: Option<String>,
}

impl BinaryRows {
    pub(in crate::db) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Adds a row with the values that are written.
    pub(in crate::db) fn add(&mut self, fill: impl FnOnce(&mut Self)) {
        if self.buffer.is_empty() {
            self.buffer.extend_from_slice(&HEADER);
        }
        self.row = (self.buffer.len(), 0);
        self.buffer.extend_from_slice(&[0; 2]);
        fill(self);
        let (start, values) = self.row;
        self.patch(start, &values.to_be_bytes());
    }

    fn patch(&mut self, start: usize, bytes: &[u8]) {
        if let Some(place) = self.buffer.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// Writes a value; `None` is null.
    pub(in crate::db) fn value<'q>(&mut self, value: impl Encode<'q, Postgres>) {
        self.row.1 += 1;
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; 4]);
        let length = match value.encode(&mut self.buffer) {
            Ok(IsNull::Yes) => -1,
            Ok(IsNull::No) => {
                i32::try_from(self.buffer.len() - start - 4).unwrap_or_else(|error| {
                    self.failed = Some(error.to_string());
                    0
                })
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                0
            }
        };
        self.patch(start, &length.to_be_bytes());
    }

    /// Takes what there is, ended.
    pub(in crate::db) fn take(&mut self) -> Result<Vec<u8>> {
        if let Some(reason) = self.failed.take() {
            return Err(DbError::Corrupt(format!(
                "a value that cannot be copied: {reason}"
            )));
        }
        self.buffer.extend_from_slice(&TRAILER);
        Ok(std::mem::take(&mut *self.buffer))
    }

    /// PostgreSQL cannot store a NUL in a text: it is left out.
    pub(in crate::db) fn text(&mut self, text: &str) {
        if text.contains('\0') {
            self.value(text.replace('\0', ""));
        } else {
            self.value(text);
        }
    }

    pub(in crate::db) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.value(None::<&str>),
        }
    }

    pub(in crate::db) fn texts(&mut self, texts: &[String]) {
        if texts.iter().any(|text| text.contains('\0')) {
            let clean: Vec<_> = texts.iter().map(|text| text.replace('\0', "")).collect();
            self.value(clean);
        } else {
            self.value(texts);
        }
    }
}
