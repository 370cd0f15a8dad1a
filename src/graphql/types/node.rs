//! Objects that can be read by id.

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
    /// The current tenant.
    Tenant(Tenant),
    /// A sync run.
    SyncRun(SyncRun),
    /// An open invitation.
    Invitation(Invitation),
    /// An order.
    Order(Order),
    /// A customer.
    Customer(Customer),
    /// A product.
    Product(Product),
}
