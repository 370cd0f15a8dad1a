//! Writes connections: nodes, edges with their cursors, and where the page stands.

use super::{Nulled, Step, Writer};
use crate::graphql::cost;
use crate::graphql::names::FieldName;
use crate::graphql::plan::Planned;
use crate::graphql::view::{Connection, Object};
use crate::store::Cursor;

impl<'a, 'p> Writer<'_, 'a, 'p> {
    pub(super) fn connection(
        &mut self,
        found: &Connection<'a>,
        field: &'p Planned,
    ) -> Result<u32, Nulled> {
        self.out.push(b'{');
        let mut branches = Vec::new();
        for part in field.shapes.first().map_or(&[][..], |shape| &shape.fields) {
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.text(&part.key);
            self.out.push(b':');
            self.path.push(Step::Key(&part.key));
            let written = match part.name {
                FieldName::Nodes => self.nodes(found, part).map(|cost| branches.push(cost)),
                FieldName::Edges => self.edges(found, part).map(|cost| branches.push(cost)),
                FieldName::PageInfo => {
                    self.page_info(found, part);
                    Ok(())
                }
                _ => {
                    let of = field.shapes.first().map_or("", |shape| shape.of.as_str());
                    self.text(of);
                    Ok(())
                }
            };
            self.path.pop();
            written?;
        }
        self.out.push(b'}');
        Ok(cost::connection(found.rows.len(), branches.into_iter()))
    }

    fn nodes(&mut self, found: &Connection<'a>, part: &'p Planned) -> Result<u32, Nulled> {
        self.out.push(b'[');
        let mut dearest = 0;
        for (place, (object, _)) in found.rows.iter().enumerate() {
            self.comma(place);
            dearest = dearest.max(self.item(place, *object, part)?);
        }
        self.out.push(b']');
        Ok(dearest)
    }

    fn edges(&mut self, found: &Connection<'a>, part: &'p Planned) -> Result<u32, Nulled> {
        self.out.push(b'[');
        let mut dearest = 0;
        let fields = part.shapes.first().map_or(&[][..], |shape| &shape.fields);
        for (place, (object, value)) in found.rows.iter().enumerate() {
            self.comma(place);
            self.out.push(b'{');
            self.path.push(Step::Place(place));
            for field in fields {
                if self.out.last() != Some(&b'{') {
                    self.out.push(b',');
                }
                self.text(&field.key);
                self.out.push(b':');
                self.path.push(Step::Key(&field.key));
                let written = match field.name {
                    FieldName::Cursor => {
                        let id = object.gid().map_or(0, |(_, id)| id);
                        self.text(
                            &Cursor {
                                value: value.clone(),
                                id,
                            }
                            .encode(),
                        );
                        Ok(0)
                    }
                    FieldName::Node => self.object(*object, field.shape(object.type_name())),
                    _ => {
                        self.text(part.shapes.first().map_or("", |shape| shape.of.as_str()));
                        Ok(0)
                    }
                };
                self.path.pop();
                dearest = dearest.max(written?);
            }
            self.path.pop();
            self.out.push(b'}');
        }
        self.out.push(b']');
        Ok(dearest)
    }

    fn page_info(&mut self, found: &Connection<'a>, part: &'p Planned) {
        let cursor = |row: Option<&(Object<'a>, _)>| {
            row.and_then(|(object, value): &(Object<'a>, crate::store::SortValue)| {
                let (_, id) = object.gid()?;
                Some(
                    Cursor {
                        value: value.clone(),
                        id,
                    }
                    .encode(),
                )
            })
        };
        self.out.push(b'{');
        for field in part.shapes.first().map_or(&[][..], |shape| &shape.fields) {
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            self.text(&field.key);
            self.out.push(b':');
            let text = match field.name {
                FieldName::HasNextPage => {
                    self.truth(found.has_next);
                    continue;
                }
                FieldName::HasPreviousPage => {
                    self.truth(found.has_previous);
                    continue;
                }
                FieldName::StartCursor => cursor(found.rows.first()),
                FieldName::EndCursor => cursor(found.rows.last()),
                _ => Some("PageInfo".to_owned()),
            };
            match text {
                Some(text) => self.text(&text),
                None => self.null(),
            }
        }
        self.out.push(b'}');
    }
}
