//! Writes answers as JSON text straight from the plan, without a tree of values in between.

mod connection;

use serde_json::Value;

use super::cost;
use super::errors;
use super::plan::Planned;
use super::view::{FieldError, Object, Resolved, View};
use crate::amount::write_number;

/// A field without a value whose type allows none: the nearest parent that may be null becomes null.
#[derive(Debug)]
pub(crate) struct Nulled;

/// One step from the root to a field.
#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Place(usize),
}

/// Writes one answer.
pub(crate) struct Writer<'v, 'a, 'p> {
    view: &'v View<'a>,
    pub(crate) out: Vec<u8>,
    pub(crate) errors: Vec<Value>,
    path: Vec<Step<'p>>,
    /// Whether connections are left out: a bulk file holds them in lines of their own.
    bulk: bool,
}

impl<'v, 'a, 'p> Writer<'v, 'a, 'p> {
    pub(crate) fn new(view: &'v View<'a>, bulk: bool) -> Self {
        Self {
            view,
            out: Vec::new(),
            errors: Vec::new(),
            path: Vec::new(),
            bulk,
        }
    }

    /// Writes an object and gives what it cost.
    pub(crate) fn object(
        &mut self,
        object: Object<'a>,
        fields: &'p [Planned],
    ) -> Result<u32, Nulled> {
        self.out.push(b'{');
        let cost = self.fields(object, fields)?;
        self.out.push(b'}');
        Ok(cost)
    }

    /// Writes one line of a bulk file.
    pub(crate) fn line(
        &mut self,
        object: Object<'a>,
        fields: &'p [Planned],
        parent: Option<(&'static str, u64)>,
    ) -> Result<(), Nulled> {
        self.out.push(b'{');
        self.fields(object, fields)?;
        if let Some((kind, id)) = parent {
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.out.extend_from_slice(b"\"__parentId\":");
            self.gid(kind, id);
        }
        self.out.extend_from_slice(b"}\n");
        Ok(())
    }

    fn fields(&mut self, object: Object<'a>, fields: &'p [Planned]) -> Result<u32, Nulled> {
        let mut cost = 0_u32;
        for field in fields {
            if self.bulk && field.is_connection() {
                continue;
            }
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.text(&field.key);
            self.out.push(b':');
            let start = self.out.len();
            self.path.push(Step::Key(&field.key));
            let written = self.field(object, field);
            self.path.pop();
            match written {
                Ok(spent) => cost = cost.saturating_add(spent),
                Err(Nulled) if field.nullable => {
                    self.out.truncate(start);
                    self.null();
                }
                Err(Nulled) => return Err(Nulled),
            }
        }
        Ok(cost)
    }

    fn field(&mut self, object: Object<'a>, field: &'p Planned) -> Result<u32, Nulled> {
        match self.view.resolve(object, field) {
            Ok(resolved) => self.resolved(resolved, field),
            Err(error) => {
                self.report(field, &error);
                Err(Nulled)
            }
        }
    }

    fn report(&mut self, field: &Planned, error: &FieldError) {
        let path: Vec<Value> = self
            .path
            .iter()
            .map(|step| match step {
                Step::Key(key) => Value::from(*key),
                Step::Place(place) => Value::from(*place),
            })
            .collect();
        let error = errors::of_field(&error.message, field.location, &path, &error.extensions);
        self.errors.push(error);
    }

    fn resolved(&mut self, resolved: Resolved<'a>, field: &'p Planned) -> Result<u32, Nulled> {
        let own = cost::own(field);
        match resolved {
            Resolved::Null => self.null(),
            Resolved::Text(text) => self.text(text),
            Resolved::Owned(text) => self.text(&text),
            Resolved::Texts(texts) => {
                self.out.push(b'[');
                for (place, text) in texts.into_iter().enumerate() {
                    self.comma(place);
                    self.text(text);
                }
                self.out.push(b']');
            }
            Resolved::Truth(true) => self.out.extend_from_slice(b"true"),
            Resolved::Truth(false) => self.out.extend_from_slice(b"false"),
            Resolved::Number(number) => {
                if number < 0 {
                    self.out.push(b'-');
                }
                write_number(&mut self.out, number.unsigned_abs());
            }
            Resolved::NumberText(number) => {
                self.out.push(b'"');
                write_number(&mut self.out, number);
                self.out.push(b'"');
            }
            Resolved::Moment(moment) => self.text(&moment.to_string()),
            Resolved::Amount(amount) => {
                self.out.push(b'"');
                amount.write(&mut self.out);
                self.out.push(b'"');
            }
            Resolved::Gid(kind, id) => self.gid(kind, id),
            Resolved::Object(object) => {
                let children = self.object(object, field.shape(object.type_name()))?;
                return Ok(if cost::is_flat(field) {
                    own
                } else {
                    own.saturating_add(children)
                });
            }
            Resolved::List(items) => return Ok(own.saturating_add(self.list(items, field)?)),
            Resolved::Connection(connection) => return self.connection(&connection, field),
        }
        Ok(own)
    }

    fn list(&mut self, items: Vec<Option<Object<'a>>>, field: &'p Planned) -> Result<u32, Nulled> {
        self.out.push(b'[');
        let mut dearest = 0;
        for (place, item) in items.into_iter().enumerate() {
            self.comma(place);
            let Some(object) = item else {
                self.null();
                continue;
            };
            dearest = dearest.max(self.item(place, object, field)?);
        }
        self.out.push(b']');
        Ok(dearest)
    }

    /// Writes one object of a list.
    fn item(
        &mut self,
        place: usize,
        object: Object<'a>,
        field: &'p Planned,
    ) -> Result<u32, Nulled> {
        let start = self.out.len();
        self.path.push(Step::Place(place));
        let written = self.object(object, field.shape(object.type_name()));
        self.path.pop();
        match written {
            Err(Nulled) if field.items_nullable => {
                self.out.truncate(start);
                self.null();
                Ok(0)
            }
            written => written,
        }
    }

    fn truth(&mut self, truth: bool) {
        self.out
            .extend_from_slice(if truth { b"true" } else { b"false" });
    }

    fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    fn comma(&mut self, place: usize) {
        if place > 0 {
            self.out.push(b',');
        }
    }

    fn gid(&mut self, kind: &str, id: u64) {
        self.out.extend_from_slice(b"\"gid://shopify/");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.push(b'/');
        write_number(&mut self.out, id);
        self.out.push(b'"');
    }

    fn text(&mut self, text: &str) {
        let plain = !text
            .bytes()
            .any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        if plain {
            self.out.push(b'"');
            self.out.extend_from_slice(text.as_bytes());
            self.out.push(b'"');
        } else if serde_json::to_writer(&mut self.out, text).is_err() {
            self.null();
        }
    }
}
