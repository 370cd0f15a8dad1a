//! Orders by their numbers, with all their lines, agreements and sales. An order is read in as many pages as
//! it has; when it changes in between, it is read from the start, so that no ledger is of two states.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::error::ShopifyError;
use super::fetch::{Entry, Part, READINGS, aligned};
use super::paged::PageEnd;
use super::queries::{
    AgreementSales, OrderAgreements, OrderLineItems, OrdersById, agreement_sales, order_agreements,
    order_line_items, orders_by_id,
};
use super::sizes::PageSizes;
use super::store::Store;
use super::wire::{Agreement, LineItem, Order, Sale};
use crate::domain::ids::OrderId;
use crate::domain::record::Record;

/// An order, as far as it is read.
#[derive(Debug)]
struct Draft {
    order: Order<'static>,
    lines: Vec<LineItem<'static>>,
    next_lines: Option<String>,
    agreements: Vec<AgreementDraft>,
    next_agreements: Option<String>,
}

/// An agreement, as far as it is read.
#[derive(Debug)]
struct AgreementDraft {
    agreement: Agreement<'static>,
    cursor: String,
    sales: Vec<Sale<'static>>,
    next_sales: Option<String>,
}

/// The agreements of a page: two operations give the same fields in types of their own.
macro_rules! agreements {
    ($edges:expr) => {
        $edges
            .into_iter()
            .map(|edge| {
                let sales = edge.node.sales;
                Ok(AgreementDraft {
                    agreement: edge.node.agreement_fields.into(),
                    cursor: edge.cursor,
                    next_sales: PageEnd::from(sales.page_info).next(None)?,
                    sales: sales.nodes.into_iter().map(Sale::from).collect(),
                })
            })
            .collect::<Result<Vec<_>, ShopifyError>>()
    };
}

impl Store {
    /// The orders with these numbers.
    pub(super) async fn fetch_orders(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Part, ShopifyError> {
        let mut part = Part::default();
        for (id, entry) in self.read_orders(ids, sizes).await? {
            let entry = match self.whole_order(id, entry, sizes).await? {
                Entry::Found(draft) => Entry::Found(draft.into_records()?),
                Entry::Missing => Entry::Missing,
                Entry::Denied => Entry::Denied,
            };
            part.add(id, entry);
        }
        Ok(part)
    }

    /// Reads the further pages; an order that changed in between is read from the start.
    async fn whole_order(
        &self,
        id: i64,
        mut entry: Entry<Draft>,
        sizes: PageSizes,
    ) -> Result<Entry<Draft>, ShopifyError> {
        for _ in 0..READINGS {
            let Entry::Found(draft) = &mut entry else {
                return Ok(entry);
            };
            match self.read_further_pages(draft, sizes).await {
                Ok(()) => return Ok(entry),
                Err(ShopifyError::ChangedWhileRead) => {}
                Err(error) => return Err(error),
            }
            let again = self.read_orders(&[id], sizes).await?.pop();
            entry = again.map_or(Entry::Missing, |(_, entry)| entry);
        }
        Err(ShopifyError::ChangedWhileRead)
    }

    async fn read_orders(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Vec<(i64, Entry<Draft>)>, ShopifyError> {
        use orders_by_id::OrdersByIdNodes as Node;
        let variables = orders_by_id::Variables {
            ids: ids.iter().map(|id| OrderId::new(*id).gid()).collect(),
            line_items: sizes.line_items,
            agreements: sizes.agreements,
            sales: sizes.sales,
        };
        let answer = self.ask::<OrdersById>(variables).await?;
        let mut entries = Vec::with_capacity(ids.len());
        for (id, index, node) in aligned(ids, answer.data.nodes)? {
            let found = match node {
                Some(Node::Order(order)) => Some(Draft {
                    order: order.order_fields.into(),
                    next_lines: PageEnd::from(order.line_items.page_info).next(None)?,
                    lines: order
                        .line_items
                        .nodes
                        .into_iter()
                        .map(LineItem::from)
                        .collect(),
                    next_agreements: PageEnd::from(order.agreements.page_info).next(None)?,
                    agreements: agreements!(order.agreements.edges)?,
                }),
                _ => None,
            };
            entries.push((id, Entry::new(found, index, &answer.denied)));
        }
        Ok(entries)
    }

    async fn read_further_pages(
        &self,
        draft: &mut Draft,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        self.read_further_lines(draft, sizes).await?;
        self.read_further_agreements(draft, sizes).await?;
        let gid = draft.order.id.to_string();
        let updated_at = draft.order.updated_at;
        let mut before = None;
        for agreement in &mut draft.agreements {
            self.read_further_sales(&gid, updated_at, before.as_deref(), agreement, sizes)
                .await?;
            before = Some(agreement.cursor.clone());
        }
        Ok(())
    }

    async fn read_further_lines(
        &self,
        draft: &mut Draft,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = draft.next_lines.take() {
            let variables = order_line_items::Variables {
                id: draft.order.id.to_string(),
                first: sizes.line_items,
                after: Some(after.clone()),
            };
            let answer = self.ask::<OrderLineItems>(variables).await?;
            let order = answer
                .data
                .order
                .filter(|order| order.updated_at == draft.order.updated_at)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            draft.next_lines = PageEnd::from(order.line_items.page_info).next(Some(&after))?;
            let lines = order.line_items.nodes.into_iter().map(LineItem::from);
            draft.lines.extend(lines);
        }
        Ok(())
    }

    async fn read_further_agreements(
        &self,
        draft: &mut Draft,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = draft.next_agreements.take() {
            let variables = order_agreements::Variables {
                id: draft.order.id.to_string(),
                first: sizes.agreements,
                after: Some(after.clone()),
                sales: sizes.sales,
            };
            let answer = self.ask::<OrderAgreements>(variables).await?;
            let order = answer
                .data
                .order
                .filter(|order| order.updated_at == draft.order.updated_at)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            draft.next_agreements = PageEnd::from(order.agreements.page_info).next(Some(&after))?;
            draft
                .agreements
                .extend(agreements!(order.agreements.edges)?);
        }
        Ok(())
    }

    /// An agreement is no node: it is reached through the cursor of the one before it.
    async fn read_further_sales(
        &self,
        order_gid: &str,
        updated_at: DateTime<Utc>,
        before: Option<&str>,
        draft: &mut AgreementDraft,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = draft.next_sales.take() {
            let variables = agreement_sales::Variables {
                id: order_gid.to_owned(),
                agreement_after: before.map(str::to_owned),
                first: sizes.sales,
                after: Some(after.clone()),
            };
            let answer = self.ask::<AgreementSales>(variables).await?;
            let agreement = answer
                .data
                .order
                .filter(|order| order.updated_at == updated_at)
                .and_then(|order| order.agreements.nodes.into_iter().next())
                .filter(|agreement| agreement.id == draft.agreement.id)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            draft.next_sales = PageEnd::from(agreement.sales.page_info).next(Some(&after))?;
            let sales = agreement.sales.nodes.into_iter().map(Sale::from);
            draft.sales.extend(sales);
        }
        Ok(())
    }
}

impl Draft {
    /// The order, its lines, then each agreement with its sales; nothing twice.
    fn into_records(self) -> Result<Vec<Record>, ShopifyError> {
        let parent = self.order.id.to_string();
        let mut records = vec![Record::Order(Box::new(self.order.into_record()?))];
        let mut seen = HashSet::new();
        for mut line in self.lines {
            if seen.insert(line.id.to_string()) {
                line.parent = Some(Cow::Borrowed(&parent));
                records.push(Record::LineItem(line.into_record()?));
            }
        }
        for mut draft in self.agreements {
            let agreement_gid = draft.agreement.id.to_string();
            if seen.insert(agreement_gid.clone()) {
                draft.agreement.parent = Some(Cow::Owned(parent.clone()));
                records.push(Record::Agreement(draft.agreement.into_record()?));
                records.extend(sale_records(draft.sales, &agreement_gid)?);
            }
        }
        Ok(records)
    }
}

fn sale_records(sales: Vec<Sale<'_>>, agreement: &str) -> Result<Vec<Record>, ShopifyError> {
    let mut seen = HashSet::new();
    let mut records = Vec::with_capacity(sales.len());
    for mut sale in sales {
        if seen.insert(sale.id.to_string()) {
            sale.parent = Some(Cow::Owned(agreement.to_owned()));
            records.push(Record::Sale(sale.into_record()?));
        }
    }
    Ok(records)
}
