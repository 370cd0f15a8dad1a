//! Fetches orders by id, with all their line items, agreements and sales. An order may take several
//! pages. If it changes in between, it is read from the start, so that its ledger is consistent.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::error::ShopifyError;
use super::fetch::{Batch, Lookup, MAX_READ_ATTEMPTS, zip_ids};
use super::objects::{Agreement, AgreementEdge, AgreementEdges, Connection, LineItem, Order, Sale};
use super::page_sizes::PageSizes;
use super::queries::{
    AgreementSales, OrderAgreements, OrderLineItems, OrdersById, agreement_sales, order_agreements,
    order_line_items, orders_by_id,
};
use super::shop_client::ShopClient;
use crate::domain::ids::OrderId;
use crate::domain::record::Record;

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Option<Order>>,
}

/// A further page of one order. Each query requests one of the two connections.
#[derive(Deserialize)]
struct MoreOf<Page> {
    order: Option<Page>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LineItemsPage {
    updated_at: DateTime<Utc>,
    line_items: Connection<LineItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AgreementsPage {
    updated_at: DateTime<Utc>,
    agreements: AgreementEdges,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SalesPage {
    updated_at: DateTime<Utc>,
    agreements: AgreementNodes,
}

#[derive(Deserialize)]
struct AgreementNodes {
    nodes: Vec<AgreementSalesPage>,
}

#[derive(Deserialize)]
struct AgreementSalesPage {
    #[serde(rename = "id")]
    gid: String,
    sales: Connection<Sale>,
}

/// An order whose connections are not completely read.
#[derive(Debug)]
struct PartialOrder {
    order: Order,
    lines: Vec<LineItem>,
    next_lines: Option<String>,
    agreements: Vec<PartialAgreement>,
    next_agreements: Option<String>,
}

/// An agreement whose sales are not completely read.
#[derive(Debug)]
struct PartialAgreement {
    agreement: Agreement,
    cursor: String,
    sales: Vec<Sale>,
    next_sales: Option<String>,
}

impl ShopClient {
    /// Fetches orders by id.
    pub(super) async fn fetch_orders(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Batch, ShopifyError> {
        let mut batch = Batch::default();
        for (id, lookup) in self.read_orders(ids, sizes).await? {
            let lookup = match self.read_all_pages_of_order(id, lookup, sizes).await? {
                Lookup::Found(order) => Lookup::Found(order.into_records()?),
                Lookup::Missing => Lookup::Missing,
                Lookup::Denied => Lookup::Denied,
            };
            batch.add(id, lookup);
        }
        Ok(batch)
    }

    /// Reads the further pages. If the order changes in between, it is read from the start.
    async fn read_all_pages_of_order(
        &self,
        id: i64,
        mut lookup: Lookup<PartialOrder>,
        sizes: PageSizes,
    ) -> Result<Lookup<PartialOrder>, ShopifyError> {
        for _ in 0..MAX_READ_ATTEMPTS {
            let Lookup::Found(order) = &mut lookup else {
                return Ok(lookup);
            };
            match self.read_more_pages(order, sizes).await {
                Ok(()) => return Ok(lookup),
                Err(ShopifyError::ChangedWhileRead) => {}
                Err(error) => return Err(error),
            }
            let again = self.read_orders(&[id], sizes).await?.pop();
            lookup = again.map_or(Lookup::Missing, |(_, lookup)| lookup);
        }
        Err(ShopifyError::ChangedWhileRead)
    }

    async fn read_orders(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Vec<(i64, Lookup<PartialOrder>)>, ShopifyError> {
        let variables = orders_by_id::Variables {
            ids: ids.iter().map(|id| OrderId::new(*id).gid()).collect(),
            line_items: sizes.line_items(),
            agreements: sizes.agreements(),
            sales: sizes.sales(),
        };
        let response = self.query_as::<OrdersById, Nodes>(variables).await?;
        zip_ids(ids, response.data.nodes)?
            .map(|(id, index, node)| {
                let order = node.map(PartialOrder::new).transpose()?;
                Ok((id, Lookup::new(order, index, &response.denied)))
            })
            .collect()
    }

    async fn read_more_pages(
        &self,
        partial: &mut PartialOrder,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        self.read_more_lines(partial, sizes).await?;
        self.read_more_agreements(partial, sizes).await?;
        let order = &partial.order;
        let mut previous = None;
        for agreement in &mut partial.agreements {
            self.read_more_sales(order, previous.as_deref(), agreement, sizes)
                .await?;
            previous = Some(agreement.cursor.clone());
        }
        Ok(())
    }

    async fn read_more_lines(
        &self,
        partial: &mut PartialOrder,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = partial.next_lines.take() {
            let variables = order_line_items::Variables {
                id: partial.order.id.gid(),
                first: sizes.line_items(),
                after: Some(after.clone()),
            };
            let response = self
                .query_as::<OrderLineItems, MoreOf<LineItemsPage>>(variables)
                .await?;
            let page = response
                .data
                .order
                .filter(|page| page.updated_at == partial.order.updated_at)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            partial.next_lines = page.line_items.page_info.next(Some(&after))?;
            partial.lines.extend(page.line_items.nodes);
        }
        Ok(())
    }

    async fn read_more_agreements(
        &self,
        partial: &mut PartialOrder,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = partial.next_agreements.take() {
            let variables = order_agreements::Variables {
                id: partial.order.id.gid(),
                first: sizes.agreements(),
                after: Some(after.clone()),
                sales: sizes.sales(),
            };
            let response = self
                .query_as::<OrderAgreements, MoreOf<AgreementsPage>>(variables)
                .await?;
            let page = response
                .data
                .order
                .filter(|page| page.updated_at == partial.order.updated_at)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            partial.next_agreements = page.agreements.page_info.next(Some(&after))?;
            for edge in page.agreements.edges {
                partial.agreements.push(PartialAgreement::new(edge)?);
            }
        }
        Ok(())
    }

    /// An agreement cannot be queried by id, so it is read through the cursor of the previous one.
    async fn read_more_sales(
        &self,
        order: &Order,
        previous: Option<&str>,
        partial: &mut PartialAgreement,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = partial.next_sales.take() {
            let variables = agreement_sales::Variables {
                id: order.id.gid(),
                agreement_after: previous.map(str::to_owned),
                first: sizes.sales(),
                after: Some(after.clone()),
            };
            let response = self
                .query_as::<AgreementSales, MoreOf<SalesPage>>(variables)
                .await?;
            let page = response
                .data
                .order
                .filter(|page| page.updated_at == order.updated_at)
                .and_then(|page| page.agreements.nodes.into_iter().next())
                .filter(|agreement| agreement.gid == partial.agreement.gid)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            partial.next_sales = page.sales.page_info.next(Some(&after))?;
            partial.sales.extend(page.sales.nodes);
        }
        Ok(())
    }
}

impl PartialOrder {
    fn new(mut order: Order) -> Result<Self, ShopifyError> {
        let missing = || ShopifyError::Unconvertible("order without its connections");
        let lines = order.line_items.take().ok_or_else(missing)?;
        let agreements = order.agreements.take().ok_or_else(missing)?;
        Ok(Self {
            order,
            next_lines: lines.page_info.next(None)?,
            lines: lines.nodes,
            next_agreements: agreements.page_info.next(None)?,
            agreements: agreements
                .edges
                .into_iter()
                .map(PartialAgreement::new)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The order, its line items, then each agreement with its sales, without duplicates.
    fn into_records(self) -> Result<Vec<Record>, ShopifyError> {
        let order = self.order.id;
        let mut records = vec![Record::Order(Box::new(self.order.into_record()?))];
        let mut seen_lines = HashSet::new();
        for mut line in self.lines {
            if seen_lines.insert(line.id) {
                line.parent = Some(order);
                records.push(Record::LineItem(line.into_record()?));
            }
        }
        let mut seen_agreements = HashSet::new();
        for partial in self.agreements {
            let mut agreement = partial.agreement;
            if seen_agreements.insert(agreement.gid.clone()) {
                let sales = sale_records(partial.sales, &agreement.gid)?;
                agreement.parent = Some(order);
                records.push(Record::Agreement(agreement.into_record()?));
                records.extend(sales);
            }
        }
        Ok(records)
    }
}

impl PartialAgreement {
    fn new(edge: AgreementEdge) -> Result<Self, ShopifyError> {
        let mut agreement = edge.node;
        let missing = ShopifyError::Unconvertible("agreement without sales");
        let sales = agreement.sales.take().ok_or(missing)?;
        Ok(Self {
            agreement,
            cursor: edge.cursor,
            next_sales: sales.page_info.next(None)?,
            sales: sales.nodes,
        })
    }
}

fn sale_records(sales: Vec<Sale>, agreement: &str) -> Result<Vec<Record>, ShopifyError> {
    let mut seen = HashSet::new();
    let mut records = Vec::with_capacity(sales.len());
    for mut sale in sales {
        if seen.insert(sale.gid.clone()) {
            sale.parent = Some(agreement.to_owned());
            records.push(Record::Sale(sale.into_record()?));
        }
    }
    Ok(records)
}
