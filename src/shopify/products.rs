//! Products by their numbers, with all their variants.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::ShopifyError;
use super::fetch::{Entry, Part, READINGS, aligned};
use super::paged::PageEnd;
use super::queries::{ProductVariants, ProductsById, product_variants, products_by_id};
use super::sizes::PageSizes;
use super::store::Store;
use super::wire::{Product, Variant};
use crate::domain::ids::ProductId;
use crate::domain::record::Record;

/// A product, as far as it is read.
#[derive(Debug)]
struct Draft {
    product: Product<'static>,
    variants: Vec<Variant<'static>>,
    next: Option<String>,
}

impl Store {
    /// The products with these numbers.
    pub(super) async fn fetch_products(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Part, ShopifyError> {
        let mut part = Part::default();
        for (id, entry) in self.read_products(ids, sizes).await? {
            let entry = match self.whole_product(id, entry, sizes).await? {
                Entry::Found(draft) => Entry::Found(draft.into_records()?),
                Entry::Missing => Entry::Missing,
                Entry::Denied => Entry::Denied,
            };
            part.add(id, entry);
        }
        Ok(part)
    }

    /// Reads the further pages; a product that changed in between is read from the start.
    async fn whole_product(
        &self,
        id: i64,
        mut entry: Entry<Draft>,
        sizes: PageSizes,
    ) -> Result<Entry<Draft>, ShopifyError> {
        for _ in 0..READINGS {
            let Entry::Found(draft) = &mut entry else {
                return Ok(entry);
            };
            match self.read_further_variants(draft, sizes).await {
                Ok(()) => return Ok(entry),
                Err(ShopifyError::ChangedWhileRead) => {}
                Err(error) => return Err(error),
            }
            let again = self.read_products(&[id], sizes).await?.pop();
            entry = again.map_or(Entry::Missing, |(_, entry)| entry);
        }
        Err(ShopifyError::ChangedWhileRead)
    }

    async fn read_products(
        &self,
        ids: &[i64],
        sizes: PageSizes,
    ) -> Result<Vec<(i64, Entry<Draft>)>, ShopifyError> {
        use products_by_id::ProductsByIdNodes as Node;
        let variables = products_by_id::Variables {
            ids: ids.iter().map(|id| ProductId::new(*id).gid()).collect(),
            variants: sizes.variants,
        };
        let answer = self.ask::<ProductsById>(variables).await?;
        let mut entries = Vec::with_capacity(ids.len());
        for (id, index, node) in aligned(ids, answer.data.nodes)? {
            let found = match node {
                Some(Node::Product(product)) => Some(Draft {
                    product: product.product_fields.into(),
                    next: PageEnd::from(product.variants.page_info).next(None)?,
                    variants: product
                        .variants
                        .nodes
                        .into_iter()
                        .map(Variant::from)
                        .collect(),
                }),
                _ => None,
            };
            entries.push((id, Entry::new(found, index, &answer.denied)));
        }
        Ok(entries)
    }

    async fn read_further_variants(
        &self,
        draft: &mut Draft,
        sizes: PageSizes,
    ) -> Result<(), ShopifyError> {
        while let Some(after) = draft.next.take() {
            let variables = product_variants::Variables {
                id: draft.product.id.to_string(),
                first: sizes.variants,
                after: Some(after.clone()),
            };
            let answer = self.ask::<ProductVariants>(variables).await?;
            let product = answer
                .data
                .product
                .filter(|product| product.updated_at == draft.product.updated_at)
                .ok_or(ShopifyError::ChangedWhileRead)?;
            draft.next = PageEnd::from(product.variants.page_info).next(Some(&after))?;
            draft
                .variants
                .extend(product.variants.nodes.into_iter().map(Variant::from));
        }
        Ok(())
    }
}

impl Draft {
    fn into_records(self) -> Result<Vec<Record>, ShopifyError> {
        let parent = self.product.id.to_string();
        let mut records = Vec::with_capacity(1 + self.variants.len());
        records.push(Record::Product(self.product.into_record()?));
        let mut seen = HashSet::new();
        for mut variant in self.variants {
            if seen.insert(variant.id.to_string()) {
                variant.parent = Some(Cow::Borrowed(&parent));
                records.push(Record::Variant(variant.into_record()?));
            }
        }
        Ok(records)
    }
}
