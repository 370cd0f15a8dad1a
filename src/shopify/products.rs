//! Fetches products by id, with all their variants.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::error::ShopifyError;
use super::fetch::{Batch, Lookup, MAX_READ_ATTEMPTS, zip_ids};
use super::objects::{Connection, Product, Variant};
use super::page_sizes::PageSizes;
use super::queries::{ProductVariants, ProductsById, product_variants, products_by_id};
use super::shop_client::ShopClient;
use crate::domain::ids::ProductId;
use crate::domain::record::Record;

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Option<Product>>,
}

#[derive(Deserialize)]
struct MoreVariants {
    product: Option<VariantsPage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VariantsPage {
    updated_at: DateTime<Utc>,
    variants: Connection<Variant>,
}

/// A product whose variants are not completely read.
#[derive(Debug)]
struct PartialProduct {
    product: Product,
    variants: Vec<Variant>,
    next: Option<String>,
}

impl ShopClient {
    /// Fetches products by id.
    pub(super) async fn fetch_products(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Batch, ShopifyError> {
        let mut batch = Batch::default();
        for (id, lookup) in self.read_products(ids, sizes).await? {
            let lookup = match self.read_all_pages_of_product(id, lookup, sizes).await? {
                Lookup::Found(product) => Lookup::Found(product.into_records()?),
                Lookup::Missing => Lookup::Missing,
                Lookup::Denied => Lookup::Denied,
            };
            batch.add(id, lookup);
        }
        Ok(batch)
    }

    /// Reads the further pages. If the product changes in between, it is read from the start.
    async fn read_all_pages_of_product(
        &self,
        id: i64,
        mut lookup: Lookup<PartialProduct>,
        sizes: PageSizes,
    ) -> Result<Lookup<PartialProduct>, ShopifyError> {
        for _ in 0..MAX_READ_ATTEMPTS {
            let Lookup::Found(product) = &mut lookup else {
                return Ok(lookup);
            };
            match self.read_more_variants(product, sizes).await {
                Ok(()) => return Ok(lookup),
                Err(ShopifyError::ChangedWhileRead) => {}
                Err(error) => return Err(error),
            }
            let again = self.read_products(&[id], sizes).await?.pop();
            lookup = again.map_or(Lookup::Missing, |(_, lookup)| lookup);
        }
        Err(ShopifyError::ChangedWhileRead)
    }

    async fn read_products(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Vec<(i64, Lookup<PartialProduct>)>, ShopifyError> {
        let variables = products_by_id::Variables {
            ids: ids.iter().map(|id| ProductId::new(*id).gid()).collect(),
            variants: sizes.variants(),
        };
        let response = self.query_as::<ProductsById, Nodes>(variables).await?;
        zip_ids(ids, response.data.nodes)?
            .map(|(id, index, node)| {
                let product = node.map(PartialProduct::new).transpose()?;
                Ok((id, Lookup::new(product, index, &response.denied)))
            })
            .collect()
    }

    async fn read_more_variants(
        &self,
        partial: &mut PartialProduct,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = partial.next.take() {
            let variables = product_variants::Variables {
                id: partial.product.id.gid(),
                first: sizes.variants(),
                after: Some(after.clone()),
            };
            let response = self
                .query_as::<ProductVariants, MoreVariants>(variables)
                .await?;
            let page = response
                .data
                .product
                .filter(|page| page.updated_at == partial.product.updated_at)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            partial.next = page.variants.page_info.next(Some(&after))?;
            partial.variants.extend(page.variants.nodes);
        }
        Ok(())
    }
}

impl PartialProduct {
    fn new(mut product: Product) -> Result<Self, ShopifyError> {
        let missing = ShopifyError::Unconvertible("product without variants");
        let variants = product.variants.take().ok_or(missing)?;
        Ok(Self {
            product,
            next: variants.page_info.next(None)?,
            variants: variants.nodes,
        })
    }

    fn into_records(self) -> Result<Vec<Record>, ShopifyError> {
        let parent = self.product.id;
        let mut records = Vec::with_capacity(1 + self.variants.len());
        records.push(Record::Product(self.product.into()));
        let mut seen = HashSet::new();
        for mut variant in self.variants {
            if seen.insert(variant.id) {
                variant.parent = Some(parent);
                records.push(Record::Variant(variant.into_record()?));
            }
        }
        Ok(records)
    }
}
