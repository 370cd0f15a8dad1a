//! What operations cost, and who has how much left. Costs are known before an operation is run (each field
//! says its own), are paid then, and what was asked for but not there is paid back.

mod bucket;
mod payer;
mod turns;
mod weigh;

pub(super) use bucket::Charge;
pub use bucket::{Buckets, Cost, Price};
pub(super) use payer::Payer;
pub(super) use turns::Turns;
pub(super) use weigh::items;
