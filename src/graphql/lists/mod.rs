//! The lists of the schema: their sort keys and rows.

mod audit_log;
mod children;
mod customers;
mod orders;
mod products;
mod sync_runs;

pub(super) use audit_log::AuditLog;
pub(super) use children::{customer_orders, order_line_items};
pub(super) use customers::{CustomersByLastOrder, CustomersByOrders, CustomersByTotalSpent};
pub(super) use orders::{OrdersByTime, OrdersByTotal};
pub(super) use products::{ProductsByNetSales, ProductsByTitle, ProductsByUnits};
pub(super) use sync_runs::SyncRuns;
