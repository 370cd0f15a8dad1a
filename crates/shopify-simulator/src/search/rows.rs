//! What customers, products and orders show to the search.

use super::{Searchable, Shown};
use crate::store::{Customer, Order, Product};

impl Searchable for Customer {
    fn shown(&self, field: Option<&str>) -> Shown<'_> {
        match field {
            Some("id") => Shown::Number(self.id),
            Some("updated_at") => Shown::Moment(self.updated_at),
            Some("customer_date") => Shown::Moment(self.created_at),
            Some("email") => self.email.as_deref().map_or(Shown::Nothing, Shown::Text),
            Some("tag") => Shown::Texts(self.tags.iter().map(|tag| &**tag).collect()),
            Some(_) => Shown::Nothing,
            None => Shown::Texts(
                std::iter::once(&*self.display_name)
                    .chain(self.email.as_deref())
                    .collect(),
            ),
        }
    }
}

impl Searchable for Product {
    fn shown(&self, field: Option<&str>) -> Shown<'_> {
        match field {
            Some("id") => Shown::Number(self.id),
            Some("updated_at") => Shown::Moment(self.updated_at),
            Some("created_at") => Shown::Moment(self.created_at),
            Some("title") | None => Shown::Text(&self.title),
            Some("status") => Shown::Text(self.status.as_str()),
            Some("vendor") => Shown::Text(&self.vendor),
            Some("product_type") => Shown::Text(&self.product_type),
            Some("sku") => Shown::Texts(
                self.variants
                    .iter()
                    .filter_map(|one| one.sku.as_deref())
                    .collect(),
            ),
            Some(_) => Shown::Nothing,
        }
    }
}

impl Searchable for Order {
    fn shown(&self, field: Option<&str>) -> Shown<'_> {
        match field {
            Some("id") => Shown::Number(self.id),
            Some("customer_id") => self.customer.map_or(Shown::Nothing, Shown::Number),
            Some("updated_at") => Shown::Moment(self.updated_at),
            Some("created_at") => Shown::Moment(self.created_at),
            Some("processed_at") => Shown::Moment(self.processed_at),
            Some("test") => Shown::Truth(self.test),
            Some("name") | None => Shown::Owned(format!("#{}", self.number)),
            Some("status") if self.cancelled_at.is_some() => Shown::Texts(vec!["cancelled", "any"]),
            Some("status") => Shown::Texts(vec!["open", "not_closed", "any"]),
            Some("financial_status") => Shown::Text(self.financial_status().as_str()),
            Some("source_name") => Shown::Text(&self.source),
            Some("tag") => Shown::Texts(self.tags.iter().map(|tag| &**tag).collect()),
            Some("discount_code") => {
                Shown::Texts(self.discount_codes.iter().map(|code| &**code).collect())
            }
            Some("sku") => Shown::Texts(
                self.line_items
                    .iter()
                    .filter_map(|line| line.article.sku.as_deref())
                    .collect(),
            ),
            Some(_) => Shown::Nothing,
        }
    }
}
