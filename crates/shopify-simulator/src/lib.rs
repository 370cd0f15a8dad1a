//! A stand-in for Shopify stores.
//!
//! It is Shopify as it is, with its limits, its throttling and its faults, never easier: see the README for
//! what it promises. Use it in process through [`Simulator`], or as a program.

mod amount;
mod bulk;
mod business;
mod clock;
mod fill;
mod graphql;
mod http;
mod random;
mod search;
mod shop;
mod simulator;
mod store;
mod webhooks;

pub use amount::{Amount, Currency, NotThat, Percent};
pub use bulk::{BulkFault, BulkScript};
pub use business::{
    BusinessError, CustomerChange, EditLine, LiteralAgreement, LiteralLine, LiteralOrder,
    LiteralRefund, LiteralSale, NewCustomer, NewLine, NewOrder, NewProduct, NewVariant,
    OrderChange, ProductChange, RefundLine, RefundRequest,
};
pub use clock::{Clock, Moment, NotAnInstant};
pub use fill::{DatasetError, DatasetReport, Generation, LeftOut};
pub use shop::{
    ALL_SCOPES, AccessChange, Fault, FaultRate, FaultScript, Shop, ShopSettings, Sizes, Statistics,
};
pub use simulator::Simulator;
pub use store::{
    Agreement, Article, Customer, FinancialStatus, LineItem, LineKind, Order, Product,
    ProductStatus, Reason, Refund, Sale, SaleAction, SaleKind, Variant,
};
pub use webhooks::{DeliveryCounts, Subscription, WebhookPlan};
