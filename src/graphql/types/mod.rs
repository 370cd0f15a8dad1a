//! The types of the schema, one module for each.

mod account;
mod audit;
mod customer;
mod health;
mod line_item;
mod member;
mod metrics;
mod money;
mod node;
mod order;
mod overview;
mod product;
mod refund;
mod shop;
mod sync;

pub use account::{Membership, Role, User};
pub use audit::AuditEntry;
pub use customer::Customer;
pub use health::{KindHealth, ShopHealth, WebhookState};
pub use line_item::LineItem;
pub use member::{ActiveSession, Invitation, Member};
pub use metrics::{DateRange, OrdersByDatePoint, SalesMetrics, TopCustomer, asks_for_customers};
pub use money::Money;
pub use node::Node;
pub use order::Order;
pub use overview::{Overview, OverviewPrevious};
pub use product::Product;
pub use refund::Refund;
pub use shop::{Shop, ShopStatus, Tenant};
pub use sync::{ObjectKind, SyncMode, SyncProgress, SyncRun, SyncStatus, SyncTrigger};
