//! Making, changing and deleting customers and products.

use serde::Deserialize;

use super::place::boxed;
use super::requests::BusinessError;
use crate::amount::Amount;
use crate::clock::Moment;
use crate::shop::Shop;
use crate::store::{Customer, Product, ProductStatus, Store, Variant};

/// A customer to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewCustomer {
    /// The number in the global id; the next one when left out.
    pub id: Option<u64>,
    /// The name.
    pub name: String,
    /// The address.
    pub email: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// When; now when left out.
    pub created_at: Option<Moment>,
}

/// A change of a customer. What is left out stays; an empty change moves `updatedAt` only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CustomerChange {
    /// A new name.
    pub name: Option<String>,
    /// A new address.
    pub email: Option<String>,
    /// New tags.
    pub tags: Option<Vec<String>>,
    /// When; now when left out.
    pub at: Option<Moment>,
}

/// A variant to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewVariant {
    /// The title; `Default Title` when left out.
    pub title: Option<String>,
    /// The merchant's own number.
    pub sku: Option<String>,
    /// The price.
    pub price: Amount,
}

/// A product to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewProduct {
    /// The title.
    pub title: String,
    /// Whether it is sold.
    pub status: ProductStatus,
    /// Who makes it.
    pub vendor: String,
    /// Its kind.
    pub product_type: String,
    /// Its variants; one of no price when left out.
    pub variants: Vec<NewVariant>,
    /// When; now when left out.
    pub created_at: Option<Moment>,
}

/// A change of a product. What is left out stays; an empty change moves `updatedAt` only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProductChange {
    /// A new title.
    pub title: Option<String>,
    /// Whether it is sold.
    pub status: Option<ProductStatus>,
    /// A new maker.
    pub vendor: Option<String>,
    /// A new kind.
    pub product_type: Option<String>,
    /// New variants in place of all old ones; one with the number of an old one keeps its id.
    pub variants: Option<Vec<NewVariant>>,
    /// When; now when left out.
    pub at: Option<Moment>,
}

/// A customer of whom the number is all that is known.
pub(crate) fn named_by_number(id: u64, at: Moment) -> Customer {
    Customer {
        id,
        display_name: format!("Customer {id}").into(),
        email: None,
        created_at: at,
        updated_at: at,
        tags: Box::default(),
        deleted: false,
    }
}

pub(crate) fn variants(store: &mut Store, new: &[NewVariant], old: &[Variant]) -> Vec<Variant> {
    let only = [NewVariant::default()];
    let new = if new.is_empty() { &only } else { new };
    new.iter()
        .map(|variant| {
            let sku = variant.sku.as_deref();
            let known = old
                .iter()
                .find(|old| sku.is_some() && old.sku.as_deref() == sku);
            Variant {
                id: known.map_or_else(|| store.ids.variant(), |old| old.id),
                title: variant.title.as_deref().unwrap_or("Default Title").into(),
                sku: sku.map(Into::into),
                price: variant.price,
            }
        })
        .collect()
}

impl Shop {
    /// Makes a customer.
    pub fn create_customer(&self, new: &NewCustomer) -> Customer {
        let (now, due) = self.change_times();
        let customer = self.change(|store| {
            let created_at = new.created_at.unwrap_or(now);
            let customer = Customer {
                id: new.id.unwrap_or_else(|| store.ids.customer()),
                display_name: new.name.as_str().into(),
                email: new.email.as_deref().map(Into::into),
                created_at,
                updated_at: created_at,
                tags: boxed(&new.tags),
                deleted: false,
            };
            store.customers.put(customer.clone(), now, due);
            customer
        });
        self.announce_customer("customers/create", &customer);
        customer
    }

    /// Changes a customer.
    pub fn update_customer(
        &self,
        id: u64,
        change: &CustomerChange,
    ) -> Result<Customer, BusinessError> {
        self.customer_change(id, |customer, now| {
            if let Some(name) = &change.name {
                customer.display_name = name.as_str().into();
            }
            if let Some(email) = &change.email {
                customer.email = Some(email.as_str().into());
            }
            if let Some(tags) = &change.tags {
                customer.tags = boxed(tags);
            }
            customer.updated_at = change.at.unwrap_or(now);
        })
        .inspect(|customer| self.announce_customer("customers/update", customer))
    }

    /// Deletes a customer: no feed shows it any more.
    pub fn delete_customer(&self, id: u64) -> Result<(), BusinessError> {
        self.customer_change(id, |customer, _| customer.deleted = true)
            .map(|_| self.announce_deletion("customers/delete", id))
    }

    fn customer_change(
        &self,
        id: u64,
        change: impl FnOnce(&mut Customer, Moment),
    ) -> Result<Customer, BusinessError> {
        let (now, due) = self.change_times();
        self.change(|store| {
            let found = store
                .customers
                .get(id)
                .ok_or(BusinessError::NoSuchCustomer(id))?;
            let mut customer = Customer::clone(found);
            change(&mut customer, now);
            store.customers.put(customer.clone(), now, due);
            Ok(customer)
        })
    }

    /// Makes a product.
    pub fn create_product(&self, new: &NewProduct) -> Product {
        let (now, due) = self.change_times();
        let product = self.change(|store| {
            let created_at = new.created_at.unwrap_or(now);
            let product = Product {
                id: store.ids.product(),
                title: new.title.as_str().into(),
                status: new.status,
                vendor: new.vendor.as_str().into(),
                product_type: new.product_type.as_str().into(),
                created_at,
                updated_at: created_at,
                variants: variants(store, &new.variants, &[]),
                deleted: false,
            };
            store.products.put(product.clone(), now, due);
            product
        });
        self.announce_product("products/create", &product);
        product
    }

    /// Changes a product.
    pub fn update_product(
        &self,
        id: u64,
        change: &ProductChange,
    ) -> Result<Product, BusinessError> {
        self.product_change(id, |store, product, now| {
            if let Some(title) = &change.title {
                product.title = title.as_str().into();
            }
            if let Some(status) = change.status {
                product.status = status;
            }
            if let Some(vendor) = &change.vendor {
                product.vendor = vendor.as_str().into();
            }
            if let Some(product_type) = &change.product_type {
                product.product_type = product_type.as_str().into();
            }
            if let Some(new) = &change.variants {
                product.variants = variants(store, new, &product.variants);
            }
            product.updated_at = change.at.unwrap_or(now);
        })
        .inspect(|product| self.announce_product("products/update", product))
    }

    /// Deletes a product: no feed shows it any more, and line items lose it.
    pub fn delete_product(&self, id: u64) -> Result<(), BusinessError> {
        self.product_change(id, |_, product, _| product.deleted = true)
            .map(|_| self.announce_deletion("products/delete", id))
    }

    fn product_change(
        &self,
        id: u64,
        change: impl FnOnce(&mut Store, &mut Product, Moment),
    ) -> Result<Product, BusinessError> {
        let (now, due) = self.change_times();
        self.change(|store| {
            let found = store
                .products
                .get(id)
                .ok_or(BusinessError::NoSuchProduct(id))?;
            let mut product = Product::clone(found);
            change(store, &mut product, now);
            store.products.put(product.clone(), now, due);
            Ok(product)
        })
    }
}
