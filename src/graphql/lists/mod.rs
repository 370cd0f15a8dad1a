//! The lists of the schema: how each is ordered and where its rows come from.

mod audit_log;
mod children;
mod customers;
mod orders;
mod products;
mod sync_runs;

pub(super) use audit_log::AuditLog;
pub(super) use children::{line_items_of, orders_of};
pub(super) use customers::{CustomersByLastOrder, CustomersByOrders, CustomersByTotalSpent};
pub(super) use orders::{OrdersByTime, OrdersByTotal};
pub(super) use products::{ProductsByNetSales, ProductsByTitle, ProductsByUnits};
pub(super) use sync_runs::SyncRuns;
