//! The dimensions by which sales are grouped in the rollups.

use super::ids::{CustomerId, ProductId};

/// A way to group sales.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// The whole shop, with one value.
    Shop,
    /// By customer.
    Customer,
    /// By product.
    Product,
}

/// The attributes of a contribution that dimensions group by.
#[derive(Clone, Copy, Debug)]
pub struct SaleAttributes {
    /// The customer of the order; `None` for a guest.
    pub customer: Option<CustomerId>,
    /// The product; `None` for everything that is no sale of a known product.
    pub product: Option<ProductId>,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 3] = [Self::Shop, Self::Customer, Self::Product];

    /// The name of the dimension in the rollups.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Shop => "SHOP",
            Self::Customer => "CUSTOMER",
            Self::Product => "PRODUCT",
        }
    }

    /// The value of a contribution in this dimension; `None`: it belongs to no value.
    #[must_use]
    pub fn value_of(self, sale: &SaleAttributes) -> Option<i64> {
        match self {
            Self::Shop => Some(0),
            Self::Customer => sale.customer.map(CustomerId::number),
            Self::Product => sale.product.map(ProductId::number),
        }
    }
}

impl serde::Serialize for Dimension {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
