//! Writes the result of a bulk query: one line per connection node.
//!
//! Without `groupObjects` a block of roots is written first, then the children of the block, one
//! connection after the other and the parents of each in reverse: nothing may rely on a child being near
//! its parent.

use std::collections::VecDeque;

use super::validate::{BulkPlan, node};
use crate::graphql::{FieldError, Object, Planned, Resolved, View, Writer};

/// How many roots make a block.
const BLOCK: usize = 100;
/// How many bytes are written at a time.
const CHUNK: usize = 256 * 1024;

/// Where lines go.
pub(crate) trait Sink {
    /// Takes some lines; false when the run shall stop.
    fn take(&mut self, lines: &[u8], objects: u64, roots: u64) -> bool;
}

/// Why a run ended early.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The sink wants no more.
    BySink,
    /// The app may not read a field.
    Denied,
}

/// A connection of an object that was written.
struct Pending<'a, 'p> {
    parent: Object<'a>,
    holder: Object<'a>,
    connection: &'p Planned,
}

struct Run<'v, 'a, 'p, S> {
    view: &'v View<'a>,
    writer: Writer<'v, 'a, 'p>,
    sink: &'v mut S,
    objects: u64,
    roots: u64,
}

/// Writes a whole result.
pub(crate) fn run(
    view: &View<'_>,
    plan: &BulkPlan,
    group_objects: bool,
    sink: &mut impl Sink,
) -> Result<(), Stopped> {
    let writer = Writer::new(view, true);
    let mut run = Run {
        view,
        writer,
        sink,
        objects: 0,
        roots: 0,
    };
    for field in &plan.fields {
        run.root(Object::Query, field, group_objects)?;
    }
    run.flush()
}

impl<'a, 'p, S: Sink> Run<'_, 'a, 'p, S> {
    fn root(
        &mut self,
        holder: Object<'a>,
        field: &'p Planned,
        group_objects: bool,
    ) -> Result<(), Stopped> {
        if !field.is_connection() {
            let Ok(Resolved::Object(object)) = self.view.resolve(holder, field) else {
                return Ok(());
            };
            for child in field.shape(object.type_name()) {
                if child.is_connection() || !child.shapes.is_empty() {
                    self.root(object, child, group_objects)?;
                }
            }
            return Ok(());
        }
        let rows = self.rows(holder, field)?;
        for block in rows.chunks(BLOCK) {
            let mut waiting = VecDeque::new();
            for row in block {
                self.line(*row, field, None)?;
                self.roots += 1;
                if group_objects {
                    let mut family = VecDeque::new();
                    self.gather(*row, *row, field, &mut family)?;
                    self.grouped(family)?;
                } else {
                    self.gather(*row, *row, field, &mut waiting)?;
                }
            }
            self.scattered(waiting)?;
        }
        Ok(())
    }

    /// Writes children right behind their parent.
    fn grouped(&mut self, family: VecDeque<Pending<'a, 'p>>) -> Result<(), Stopped> {
        for pending in family {
            for row in self.rows(pending.holder, pending.connection)? {
                self.line(row, pending.connection, Some(pending.parent))?;
                let mut below = VecDeque::new();
                self.gather(row, row, pending.connection, &mut below)?;
                self.grouped(below)?;
            }
        }
        Ok(())
    }

    /// Writes the children of a block, level by level.
    fn scattered(&mut self, mut level: VecDeque<Pending<'a, 'p>>) -> Result<(), Stopped> {
        while !level.is_empty() {
            let mut below = VecDeque::new();
            // One connection after the other: the keys in the order they appear.
            let mut keys: Vec<&str> = Vec::new();
            for pending in &level {
                if !keys.contains(&pending.connection.key.as_str()) {
                    keys.push(&pending.connection.key);
                }
            }
            for key in keys {
                for pending in level.iter().rev().filter(|one| one.connection.key == key) {
                    for row in self.rows(pending.holder, pending.connection)? {
                        self.line(row, pending.connection, Some(pending.parent))?;
                        self.gather(row, row, pending.connection, &mut below)?;
                    }
                }
            }
            level = below;
        }
        Ok(())
    }

    /// Finds the connections below a node, those inside its plain objects too.
    fn gather(
        &self,
        parent: Object<'a>,
        holder: Object<'a>,
        connection: &'p Planned,
        found: &mut VecDeque<Pending<'a, 'p>>,
    ) -> Result<(), Stopped> {
        let Some(node) = node(connection) else {
            return Ok(());
        };
        self.gather_fields(parent, holder, node.shape(holder.type_name()), found)
    }

    fn gather_fields(
        &self,
        parent: Object<'a>,
        holder: Object<'a>,
        fields: &'p [Planned],
        found: &mut VecDeque<Pending<'a, 'p>>,
    ) -> Result<(), Stopped> {
        for field in fields {
            if field.is_connection() {
                found.push_back(Pending {
                    parent,
                    holder,
                    connection: field,
                });
            } else if holds_connection(field) {
                match self.view.resolve(holder, field) {
                    Ok(Resolved::Object(inner)) => {
                        let below = field.shape(inner.type_name());
                        self.gather_fields(parent, inner, below, found)?;
                    }
                    Ok(_) => {}
                    Err(_) => return Err(Stopped::Denied),
                }
            }
        }
        Ok(())
    }

    fn rows(&self, holder: Object<'a>, field: &Planned) -> Result<Vec<Object<'a>>, Stopped> {
        let denied = |_: FieldError| Stopped::Denied;
        match self.view.resolve(holder, field).map_err(denied)? {
            Resolved::Connection(found) => Ok(found.rows.into_iter().map(|(row, _)| row).collect()),
            _ => Ok(Vec::new()),
        }
    }

    fn line(
        &mut self,
        row: Object<'a>,
        connection: &'p Planned,
        parent: Option<Object<'a>>,
    ) -> Result<(), Stopped> {
        let fields = node(connection).map_or(&[][..], |node| node.shape(row.type_name()));
        let parent = parent.and_then(Object::gid);
        self.writer
            .line(row, fields, parent)
            .map_err(|_| Stopped::Denied)?;
        if !self.writer.errors.is_empty() {
            return Err(Stopped::Denied);
        }
        self.objects += 1;
        if self.writer.out.len() >= CHUNK {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Stopped> {
        let goes_on = self.sink.take(&self.writer.out, self.objects, self.roots);
        self.writer.out.clear();
        if goes_on {
            Ok(())
        } else {
            Err(Stopped::BySink)
        }
    }
}

fn holds_connection(field: &Planned) -> bool {
    !field.list
        && field
            .shapes
            .iter()
            .flat_map(|shape| &shape.fields)
            .any(|below| below.is_connection() || holds_connection(below))
}
