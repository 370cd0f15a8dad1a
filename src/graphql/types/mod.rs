//! The types of the schema, filed by noun.

mod account;
mod shop;
mod sync;

pub use account::{Membership, Role, User};
pub use shop::{Shop, ShopStatus, Tenant};
pub use sync::{ObjectKind, SyncMode, SyncProgress, SyncRun, SyncStatus, SyncTrigger};
