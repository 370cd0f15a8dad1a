//! What the tests stand on: a database of their own, the real program on a real port, and stores to connect.

mod app;
mod database;
mod stores;

pub use app::{JWT_SECRET, REGISTER, Registered, TestApp, register_input};
pub use database::{TestDatabase, enter_tenant};
pub use stores::{FakeStore, FakeStores};
