//! Customers and products as they are now.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::amount::Amount;
use crate::clock::Moment;

/// A customer.
#[derive(Clone, Debug)]
pub struct Customer {
    /// The number in the global id.
    pub id: u64,
    /// The name as the admin shows it.
    pub display_name: Box<str>,
    /// The address; a customer may have none.
    pub email: Option<Box<str>>,
    /// When the customer was made.
    pub created_at: Moment,
    /// When anything last changed.
    pub updated_at: Moment,
    /// Tags, in the order given.
    pub tags: Box<[Box<str>]>,
    /// Whether the customer was deleted.
    pub deleted: bool,
}

/// Whether a product is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProductStatus {
    /// For sale.
    #[default]
    Active,
    /// No longer for sale.
    Archived,
    /// Not yet for sale.
    Draft,
    /// For sale by its address only.
    Unlisted,
}

impl ProductStatus {
    /// The name in Shopify's schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
            Self::Draft => "DRAFT",
            Self::Unlisted => "UNLISTED",
        }
    }
}

/// A product.
#[derive(Clone, Debug)]
pub struct Product {
    /// The number in the global id.
    pub id: u64,
    /// The title.
    pub title: Box<str>,
    /// Whether it is sold.
    pub status: ProductStatus,
    /// Who makes it.
    pub vendor: Box<str>,
    /// Its kind, as the merchant calls it.
    pub product_type: Box<str>,
    /// When the product was made.
    pub created_at: Moment,
    /// When anything last changed, a variant included.
    pub updated_at: Moment,
    /// Its variants: at least one.
    pub variants: Vec<Variant>,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// One kind of a product that can be bought.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The number in the global id.
    pub id: u64,
    /// The title: `Default Title` where there is one variant only.
    pub title: Box<str>,
    /// The merchant's own number for it.
    pub sku: Option<Box<str>>,
    /// The price, in the shop's currency.
    pub price: Amount,
}

impl Record for Customer {
    fn id(&self) -> u64 {
        self.id
    }
    fn created_at(&self) -> Moment {
        self.created_at
    }
    fn updated_at(&self) -> Moment {
        self.updated_at
    }
    fn is_deleted(&self) -> bool {
        self.deleted
    }
}

impl Record for Product {
    fn id(&self) -> u64 {
        self.id
    }
    fn created_at(&self) -> Moment {
        self.created_at
    }
    fn updated_at(&self) -> Moment {
        self.updated_at
    }
    fn is_deleted(&self) -> bool {
        self.deleted
    }
}
