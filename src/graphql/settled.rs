//! Objects whose fields are all at hand. async-graphql resolves every field with a future of its own, which
//! passes through every extension, and makes a value of it: right where a field waits for something, and most of
//! the work of an answer of a thousand numbers. These write their fields as JSON, one after the other; where the
//! answer is not written as JSON, or something that is asked for in several places is put together in it, they
//! resolve them in place. What the
//! schema says of them is what it says of the objects inside.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
};

use super::context::RequestContext;
use super::json;

/// Writes a field of an object as JSON.
pub(super) type Write<T> = Box<dyn Fn(&T, &mut Vec<u8>) + Send + Sync>;

/// What can write the fields of an object type as JSON: what they resolve to, to the letter.
pub trait Writes: Sized + 'static {
    /// The name of the object type.
    fn object_type() -> Cow<'static, str>;
    /// How a field of the type is written, with what is asked of it; `None` where it cannot be.
    fn write(field: &Field) -> Option<Write<Self>>;
}

/// What is asked of objects of a type, made ready to be written for any number of them.
pub(super) struct Writer<T>(Vec<(Vec<u8>, Write<T>)>);

impl<T: Writes> Writer<T> {
    /// `None`: something is asked that only the library can put together.
    pub(super) fn of(set: &SelectionSet) -> Option<Self> {
        let mut members: Vec<(Vec<u8>, Write<T>)> = Vec::with_capacity(set.items.len());
        for selection in &set.items {
            let Selection::Field(field) = &selection.node else {
                return None;
            };
            let mut key = Vec::new();
            json::separate(members.len(), &mut key);
            json::write_text(&field.node.response_key().node, &mut key);
            key.push(b':');
            // Asked for twice: with other fields of it, perhaps.
            let plain = |key: &[u8]| key.strip_prefix(b",").unwrap_or(key).to_vec();
            if members.iter().any(|(known, _)| plain(known) == plain(&key)) {
                return None;
            }
            let write = if field.node.name.node == "__typename" {
                let name = T::object_type();
                Box::new(move |_: &T, json: &mut Vec<u8>| json::write_text(&name, json))
            } else {
                T::write(&field.node)?
            };
            members.push((key, write));
        }
        (!members.is_empty()).then_some(Self(members))
    }

    pub(super) fn write(&self, object: &T, json: &mut Vec<u8>) {
        json.push(b'{');
        for (key, write) in &self.0 {
            json.extend_from_slice(key);
            write(object, json);
        }
        json.push(b'}');
    }
}

/// The writer of what is asked, where the answer may hold written parts.
fn writer<T: Writes>(ctx: &ContextSelectionSet<'_>) -> Option<Writer<T>> {
    let request = ctx.data_opt::<RequestContext>()?;
    if request.may_be_written() {
        Writer::of(&ctx.item.node)
    } else {
        None
    }
}

/// An object whose fields are all at hand.
#[derive(Clone, Debug)]
pub struct Settled<T>(pub T);

impl<T: ContainerType + Writes> OutputType for Settled<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        if let Some(writer) = writer(ctx) {
            let mut json = Vec::new();
            writer.write(&self.0, &mut json);
            return Ok(json::written(json));
        }
        in_place(ctx, &self.0).await
    }
}

/// A list of such objects.
#[derive(Clone, Debug)]
pub struct SettledList<T>(pub Vec<T>);

impl<T: ContainerType + Writes> OutputType for SettledList<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        if let Some(writer) = writer(ctx) {
            let mut json = b"[".to_vec();
            for (index, item) in self.0.iter().enumerate() {
                json::separate(index, &mut json);
                writer.write(item, &mut json);
            }
            json.push(b']');
            return Ok(json::written(json));
        }
        let mut values = Vec::with_capacity(self.0.len());
        for (index, item) in self.0.iter().enumerate() {
            values.push(in_place(&ctx.with_index(index), item).await?);
        }
        Ok(Value::List(values))
    }
}

async fn in_place<T: ContainerType>(
    ctx: &ContextSelectionSet<'_>,
    object: &T,
) -> ServerResult<Value> {
    let mut fields = IndexMap::with_capacity(ctx.item.node.items.len());
    for selection in &ctx.item.node.items {
        let Selection::Field(field) = &selection.node else {
            // Fragments, and what is asked for in several places, are put together by the library.
            return resolve_container(ctx, object).await;
        };
        let key = field.node.response_key().node.clone();
        let value = if field.node.name.node == "__typename" {
            Value::String(object.introspection_type_name().into_owned())
        } else {
            let ctx = ctx.with_field(field);
            match object.resolve_field(&ctx).await {
                Ok(value) => value.unwrap_or_default(),
                Err(error) => {
                    ctx.add_error(error);
                    continue;
                }
            }
        };
        if fields.insert(key, value).is_some() {
            return resolve_container(ctx, object).await;
        }
    }
    Ok(object_of(fields))
}

/// As the library has it: an object without a field is null.
fn object_of(fields: IndexMap<Name, Value>) -> Value {
    if fields.is_empty() {
        Value::Null
    } else {
        Value::Object(fields)
    }
}
