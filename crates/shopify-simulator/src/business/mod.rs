//! What merchants and customers do, with the ledger that Shopify writes of it.
//!
//! Every operation changes the ledger and the current state together and moves `updatedAt`.

mod catalogue;
mod change;
mod literal;
mod orders;
mod place;
mod requests;

pub use catalogue::{CustomerChange, NewCustomer, NewProduct, NewVariant, ProductChange};
pub(crate) use change::{cancel, edit, refund};
pub use literal::{LiteralAgreement, LiteralLine, LiteralOrder, LiteralRefund, LiteralSale};
pub use place::{NewLine, NewOrder};
pub(crate) use place::{Terms, place_articles};
pub use requests::{BusinessError, EditLine, OrderChange, RefundLine, RefundRequest};
