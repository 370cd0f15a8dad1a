//! What the tests stand on: a database of their own, the real program on a real port, and stores to connect.

mod app;
mod database;

pub(crate) use app::{JWT_SECRET, REGISTER, TestApp, register_input};
pub(crate) use database::{TestDatabase, enter_tenant};
