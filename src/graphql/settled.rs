//! Objects whose fields are all at hand. async-graphql resolves every field with a future of its own, which
//! passes through every extension: right where a field waits for something, and most of the work of an
//! answer of a thousand numbers. These resolve their fields one after the other, in place. What the schema says of
//! them is what it says of the objects inside.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value,
};

/// An object whose fields are all at hand.
#[derive(Clone, Debug)]
pub struct Settled<T>(pub T);

impl<T: ContainerType> OutputType for Settled<T> {
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
        in_place(ctx, &self.0).await
    }
}

/// A list of such objects.
#[derive(Clone, Debug)]
pub struct SettledList<T>(pub Vec<T>);

impl<T: ContainerType> OutputType for SettledList<T> {
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
