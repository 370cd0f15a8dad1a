//! Customers.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::gid;
use crate::domain::ids::CustomerId;
use crate::domain::record::CustomerRecord;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct Customer {
    #[serde(deserialize_with = "gid")]
    id: CustomerId,
    /// Null if the app may not read it.
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    default_email_address: Option<EmailAddress>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    tags: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EmailAddress {
    #[serde(default)]
    email_address: Option<String>,
}

impl From<Customer> for CustomerRecord {
    fn from(customer: Customer) -> Self {
        let email = customer
            .default_email_address
            .and_then(|email| email.email_address);
        Self {
            id: customer.id,
            display_name: customer.display_name.unwrap_or_default(),
            email: email.filter(|email| !email.is_empty()),
            tags: customer.tags,
            created_at: customer.created_at,
            updated_at: customer.updated_at,
        }
    }
}
