//! Customers by their numbers.

use super::error::ShopifyError;
use super::fetch::{Entry, Part, aligned};
use super::queries::{
    CustomersById, UnnamedCustomersById, customers_by_id, unnamed_customers_by_id,
};
use super::store::Store;
use super::wire::Customer;
use crate::domain::ids::CustomerId;
use crate::domain::record::Record;

impl Store {
    /// The customers with these numbers. Where the app may not see names, the customers come without.
    pub(super) async fn fetch_customers(&self, ids: &[i64]) -> Result<Part, ShopifyError> {
        use customers_by_id::CustomersByIdNodes as Node;
        let variables = customers_by_id::Variables { ids: gids(ids) };
        let answer = self.ask::<CustomersById>(variables).await?;
        let mut part = Part::default();
        let mut nameless = Vec::new();
        for (id, index, node) in aligned(ids, answer.data.nodes)? {
            let found = match node {
                Some(Node::Customer(customer)) => Some(Customer::from(customer)),
                _ => None,
            };
            match Entry::new(found, index, &answer.denied) {
                Entry::Found(customer) => part.add(id, Entry::Found(records(customer)?)),
                Entry::Missing => part.add(id, Entry::Missing),
                Entry::Denied => nameless.push(id),
            }
        }
        if !nameless.is_empty() {
            self.fetch_nameless(&nameless, &mut part).await?;
        }
        Ok(part)
    }

    /// A name is never null: denied, it takes the customer with it. Asked for without, the customer comes.
    async fn fetch_nameless(&self, ids: &[i64], part: &mut Part) -> Result<(), ShopifyError> {
        use unnamed_customers_by_id::UnnamedCustomersByIdNodes as Node;
        let variables = unnamed_customers_by_id::Variables { ids: gids(ids) };
        let answer = self.ask::<UnnamedCustomersById>(variables).await?;
        for (id, index, node) in aligned(ids, answer.data.nodes)? {
            let found = match node {
                Some(Node::Customer(customer)) => Some(records(Customer::from(customer))?),
                _ => None,
            };
            part.add(id, Entry::new(found, index, &answer.denied));
        }
        Ok(())
    }
}

fn gids(ids: &[i64]) -> Vec<String> {
    ids.iter().map(|id| CustomerId::new(*id).gid()).collect()
}

fn records(customer: Customer<'_>) -> Result<Vec<Record>, ShopifyError> {
    Ok(vec![Record::Customer(customer.into_record()?)])
}
