//! Fetches customers by id.

use serde::Deserialize;

use super::error::ShopifyError;
use super::fetch::{Batch, Lookup, zip_ids};
use super::objects::Customer;
use super::queries::{
    CustomersById, UnnamedCustomersById, customers_by_id, unnamed_customers_by_id,
};
use super::shop_client::ShopClient;
use crate::domain::ids::CustomerId;
use crate::domain::record::Record;

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Option<Customer>>,
}

impl ShopClient {
    /// Fetches customers by id. If the app may not read their names, they are returned without.
    pub(super) async fn fetch_customers(&self, ids: &[i64]) -> Result<Batch, ShopifyError> {
        let variables = customers_by_id::Variables { ids: gids(ids) };
        let response = self.query_as::<CustomersById, Nodes>(variables).await?;
        let mut batch = Batch::default();
        let mut unnamed = Vec::new();
        for (id, index, node) in zip_ids(ids, response.data.nodes)? {
            match Lookup::new(node, index, &response.denied) {
                Lookup::Found(customer) => batch.add(id, Lookup::Found(records(customer))),
                Lookup::Missing => batch.add(id, Lookup::Missing),
                Lookup::Denied => unnamed.push(id),
            }
        }
        if !unnamed.is_empty() {
            self.fetch_unnamed_customers(&unnamed, &mut batch).await?;
        }
        Ok(batch)
    }

    /// `displayName` is non-null in Shopify's schema, so denied access to it makes the whole customer
    /// null. A query without the name returns the customer.
    async fn fetch_unnamed_customers(
        &self,
        ids: &[i64],
        batch: &mut Batch,
    ) -> Result<(), ShopifyError> {
        let variables = unnamed_customers_by_id::Variables { ids: gids(ids) };
        let response = self
            .query_as::<UnnamedCustomersById, Nodes>(variables)
            .await?;
        for (id, index, node) in zip_ids(ids, response.data.nodes)? {
            batch.add(id, Lookup::new(node.map(records), index, &response.denied));
        }
        Ok(())
    }
}

fn gids(ids: &[i64]) -> Vec<String> {
    ids.iter().map(|id| CustomerId::new(*id).gid()).collect()
}

fn records(customer: Customer) -> Vec<Record> {
    vec![Record::Customer(customer.into())]
}
