//! The sales ledger of an order: its agreements and their sales.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Connection, MoneyBag, PageInfo, Reference, Result, count, optional_gid, parent};
use crate::domain::ids::{LineItemId, OrderId};
use crate::domain::record::{AgreementRecord, SaleRecord};
use crate::domain::sale::{AgreementReason, SaleAction, SaleLineType};

/// One page of an order's agreements. An agreement has no id to query it by, so the cursors are
/// needed to read the further sales of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct AgreementEdges {
    pub(in crate::shopify) edges: Vec<AgreementEdge>,
    pub(in crate::shopify) page_info: PageInfo,
}

#[derive(Debug, Deserialize)]
pub(in crate::shopify) struct AgreementEdge {
    pub(in crate::shopify) cursor: String,
    pub(in crate::shopify) node: Agreement,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct Agreement {
    #[serde(default, rename = "__parentId", deserialize_with = "optional_gid")]
    pub(in crate::shopify) parent: Option<OrderId>,
    /// The whole gid: agreements of two types may have the same number.
    #[serde(rename = "id")]
    pub(in crate::shopify) gid: String,
    happened_at: DateTime<Utc>,
    reason: String,
    /// Only in responses to queries. A bulk result has a line for each sale.
    #[serde(default)]
    pub(in crate::shopify) sales: Option<Connection<Sale>>,
}

impl Agreement {
    pub(in crate::shopify) fn into_record(self) -> Result<AgreementRecord> {
        Ok(AgreementRecord {
            order: parent(self.parent)?,
            gid: self.gid,
            happened_at: self.happened_at,
            reason: AgreementReason::from_word(&self.reason),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::shopify) struct Sale {
    /// The gid of the agreement.
    #[serde(default, rename = "__parentId")]
    pub(in crate::shopify) parent: Option<String>,
    #[serde(rename = "id")]
    pub(in crate::shopify) gid: String,
    action_type: String,
    line_type: String,
    quantity: Option<i64>,
    total_amount: MoneyBag,
    total_tax_amount: MoneyBag,
    total_discount_amount_before_taxes: MoneyBag,
    /// Only sales of products have one.
    #[serde(default)]
    line_item: Option<Reference<LineItemId>>,
}

impl Sale {
    pub(in crate::shopify) fn into_record(self) -> Result<SaleRecord> {
        Ok(SaleRecord {
            agreement_gid: parent(self.parent)?,
            gid: self.gid,
            action: SaleAction::from_word(&self.action_type),
            line_type: SaleLineType::from_word(&self.line_type),
            quantity: self.quantity.map(count).transpose()?,
            currency: self.total_amount.currency()?,
            total: self.total_amount.amount(),
            tax: self.total_tax_amount.amount(),
            discount: self.total_discount_amount_before_taxes.amount(),
            line_item: self.line_item.map(|line| line.id),
        })
    }
}
