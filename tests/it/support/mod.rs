//! What the tests stand on: a database of their own, the real program on a real port, and stores to connect.

mod app;
mod book;
mod database;
pub(crate) mod node;
mod simulated;
mod socket;
mod webhook;

pub(crate) use app::{
    Beside, ITSELF, JWT_SECRET, REGISTER, Registered, TestApp, config, register_input,
};
pub(crate) use book::{Entry, Shop, customer, instant, product};
pub(crate) use database::{TestDatabase, enter_tenant};
pub(crate) use simulated::{Connected, Simulated, put_orders, quick_retries};
pub(crate) use socket::Socket;
pub(crate) use webhook::{deliver, deliver_to, sign};
