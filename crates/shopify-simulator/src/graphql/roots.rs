//! The fields of the query root: lists, counts and single objects.

use serde_json::Value;

use super::names::FieldName;
use super::paging::{LARGEST, cursor, foreign_cursor, slice, window};
use super::plan::Planned;
use super::resolve::unanswered;
use super::view::{Connection, FieldError, Object, Resolved, View, read_gid};
use crate::search::{Filter, List, Searchable};
use crate::store::{PageRequest, Record, SortKey, Table};

pub(crate) fn resolve<'a>(view: &View<'a>, field: &Planned) -> Result<Resolved<'a>, FieldError> {
    let name = field.name.as_str();
    Ok(match field.name {
        FieldName::Shop => Resolved::Object(Object::Shop),
        FieldName::CurrentAppInstallation => Resolved::Object(Object::AppInstallation),
        FieldName::Node => single(view, field, None)?,
        FieldName::Order => {
            view.require("read_orders", name)?;
            single(view, field, Some("Order"))?
        }
        FieldName::Product => {
            view.require("read_products", name)?;
            single(view, field, Some("Product"))?
        }
        FieldName::BulkOperation => single(view, field, Some("BulkOperation"))?,
        FieldName::Nodes => nodes(view, field)?,
        FieldName::WebhookSubscriptions => {
            Resolved::Connection(slice(field, view.subscriptions, |_, one| {
                (Object::Subscription(one), one.id)
            })?)
        }
        FieldName::Customers | FieldName::CustomersCount => {
            view.require("read_customers", name)?;
            let list = Listing {
                list: List::Customers,
                table: &view.store.customers,
            };
            let object = |row: &'a _| Object::Customer(row);
            list.answer(
                view,
                field,
                object,
                |row| row.display_name.to_string(),
                |_| true,
            )?
        }
        FieldName::Products | FieldName::ProductsCount => {
            view.require("read_products", name)?;
            let list = Listing {
                list: List::Products,
                table: &view.store.products,
            };
            let object = |row: &'a _| Object::Product(row);
            list.answer(view, field, object, |row| row.title.to_string(), |_| true)?
        }
        FieldName::Orders | FieldName::OrdersCount => {
            view.require("read_orders", name)?;
            let list = Listing {
                list: List::Orders,
                table: &view.store.orders,
            };
            let object = |row: &'a _| Object::Order(row);
            list.answer(
                view,
                field,
                object,
                |row| row.number.to_string(),
                |row| view.sees(row),
            )?
        }
        _ => return Err(unanswered(Object::Query.type_name(), field)),
    })
}

fn single<'a>(
    view: &View<'a>,
    field: &Planned,
    wanted: Option<&str>,
) -> Result<Resolved<'a>, FieldError> {
    let id = field.text("id").unwrap_or_default();
    let found = match read_gid(id) {
        Some((kind, _)) if wanted.is_some_and(|wanted| wanted != kind) => None,
        Some((kind, number)) => find(view, kind, number)?,
        None => None,
    };
    Ok(found.map_or(Resolved::Null, Resolved::Object))
}

fn nodes<'a>(view: &View<'a>, field: &Planned) -> Result<Resolved<'a>, FieldError> {
    let empty = Vec::new();
    let ids = field
        .arguments
        .get("ids")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    if ids.len() > LARGEST {
        let message = format!(
            "The input array size of {} is greater than the maximum allowed of {LARGEST}.",
            ids.len()
        );
        let extensions = serde_json::json!({ "code": "MAX_INPUT_SIZE_EXCEEDED" });
        return Err(FieldError {
            message,
            extensions,
        });
    }
    let found = ids.iter().map(|id| match id.as_str().and_then(read_gid) {
        Some((kind, number)) => find(view, kind, number),
        None => Ok(None),
    });
    Ok(Resolved::List(found.collect::<Result<_, _>>()?))
}

/// The object of a global id.
fn find<'a>(view: &View<'a>, kind: &str, id: u64) -> Result<Option<Object<'a>>, FieldError> {
    let store = view.store;
    let orders = || store.orders.rows().filter(|order| view.sees(order));
    Ok(match kind {
        "Order" => {
            view.require("read_orders", "node")?;
            let order = store.orders.get(id).filter(|order| view.sees(order));
            order.map(|order| Object::Order(order))
        }
        "LineItem" => {
            view.require("read_orders", "node")?;
            orders().find_map(|order| {
                let line = order.line_items.iter().find(|line| line.id == id)?;
                Some(Object::LineItem(order, line))
            })
        }
        "Refund" => {
            view.require("read_orders", "node")?;
            orders().find_map(|order| {
                let refund = order.refunds.iter().find(|refund| refund.id == id)?;
                Some(Object::Refund(order, refund))
            })
        }
        "Customer" => {
            view.require("read_customers", "node")?;
            store
                .customers
                .get(id)
                .map(|customer| Object::Customer(customer))
        }
        "Product" => {
            view.require("read_products", "node")?;
            store
                .products
                .get(id)
                .map(|product| Object::Product(product))
        }
        "ProductVariant" => {
            view.require("read_products", "node")?;
            store.variant(id).and_then(|(product, variant)| {
                let place = product
                    .variants
                    .iter()
                    .position(|other| other.id == variant.id)?;
                Some(Object::Variant(variant, place))
            })
        }
        "BulkOperation" => view
            .bulk
            .iter()
            .find(|record| record.id == id)
            .map(Object::BulkOperation),
        "Shop" => (id == view.facts.id).then_some(Object::Shop),
        "AppInstallation" => (id == view.facts.id).then_some(Object::AppInstallation),
        _ => None,
    })
}

/// A list of the root: its kind and its rows.
struct Listing<'a, T> {
    list: List,
    table: &'a Table<T>,
}

impl<'a, T: Record + Searchable> Listing<'a, T> {
    /// The page or the count that a field asks for.
    fn answer(
        &self,
        view: &View<'a>,
        field: &Planned,
        object: impl Fn(&'a T) -> Object<'a>,
        title: impl Fn(&T) -> String,
        visible: impl Fn(&T) -> bool,
    ) -> Result<Resolved<'a>, FieldError> {
        let text = field.text("query").filter(|text| !text.trim().is_empty());
        let filter = text.map(|text| Filter::new(text, self.list, view.facts.zone));
        if let (Some(filter), Some(text)) = (&filter, text) {
            if let Some(unsupported) = filter.unsupported() {
                return Err(FieldError::bad_request(format!(
                    "the simulator does not search by `{unsupported}`"
                )));
            }
            let path = [Value::from(field.key.as_str())];
            view.searches
                .borrow_mut()
                .extend(filter.report(text, &path, view.explain_searches));
        }
        let wanted = |row: &T| {
            visible(row)
                && filter.as_ref().is_none_or(|filter| {
                    let seen = self.table.searched_at(row);
                    seen.is_some_and(|updated_at| filter.lets_through(row, updated_at))
                })
        };
        if field.is_connection() {
            let page = request(field, filter.as_ref())?.page(self.table, title, wanted);
            let page = page.map_err(|_| foreign_cursor())?;
            return Ok(Resolved::Connection(Connection {
                rows: page
                    .rows
                    .into_iter()
                    .map(|(row, value)| (object(row), value))
                    .collect(),
                has_next: page.has_next,
                has_previous: page.has_previous,
            }));
        }
        let limit = match field.arguments.get("limit") {
            Some(Value::Null) | None => usize::MAX,
            Some(limit) => limit
                .as_u64()
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(0),
        };
        let rows = self
            .table
            .rows()
            .filter(|row| !row.is_deleted() && wanted(row));
        let count = rows.take(limit.saturating_add(1)).count();
        Ok(Resolved::Object(Object::Count(
            count.min(limit),
            count <= limit,
        )))
    }
}

/// Which page of its list a field asks for.
fn request(field: &Planned, filter: Option<&Filter>) -> Result<PageRequest, FieldError> {
    let (size, from_end) = window(field)?;
    let sort = field
        .text("sortKey")
        .and_then(SortKey::parse)
        .unwrap_or(SortKey::Id);
    let column = match sort {
        SortKey::CreatedAt => "created_at",
        SortKey::ProcessedAt => "processed_at",
        SortKey::UpdatedAt => "updated_at",
        SortKey::Id | SortKey::Title => "",
    };
    Ok(PageRequest {
        size,
        from_end,
        after: cursor(field, "after")?,
        before: cursor(field, "before")?,
        reverse: field.flag("reverse"),
        sort,
        searched: filter.is_some(),
        bounds: filter.map_or((None, None), |filter| filter.bounds(column)),
    })
}
