//! What can be asked for by its id alone.

use async_graphql::{ID, Interface};

use super::{Customer, Invitation, Order, Product, SyncRun, Tenant, User};

/// An object that can be read by its id.
#[derive(Clone, Debug, Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The object's id: opaque, globally unique and permanent."
))]
pub enum Node {
    /// The signed-in user.
    User(User),
    /// The store that the token speaks for.
    Tenant(Tenant),
    /// A run of a sync.
    SyncRun(SyncRun),
    /// An open invitation into the store.
    Invitation(Invitation),
    /// An order.
    Order(Order),
    /// A customer.
    Customer(Customer),
    /// A product.
    Product(Product),
}
