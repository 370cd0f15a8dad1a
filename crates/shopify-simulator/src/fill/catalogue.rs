//! An invented catalogue.

use std::sync::Arc;

use crate::amount::{Amount, Currency};
use crate::clock::Moment;
use crate::random::Random;
use crate::store::{Article, Ids, Product, ProductStatus, Variant};

const LOOKS: [&str; 16] = [
    "Amber",
    "Brass",
    "Cedar",
    "Coral",
    "Dusk",
    "Ember",
    "Fern",
    "Indigo",
    "Ivory",
    "Linen",
    "Moss",
    "Oak",
    "Pearl",
    "Slate",
    "Terracotta",
    "Willow",
];
const THINGS: [(&str, &str, u64); 16] = [
    ("Lamp", "Lighting", 4900),
    ("Mug", "Kitchen", 1200),
    ("Throw", "Textiles", 5900),
    ("Cushion", "Textiles", 2900),
    ("Candle", "Scents", 1800),
    ("Vase", "Decoration", 3400),
    ("Notebook", "Paper", 950),
    ("Tray", "Kitchen", 2600),
    ("Clock", "Decoration", 7900),
    ("Apron", "Kitchen", 3200),
    ("Basket", "Storage", 4100),
    ("Stool", "Furniture", 12900),
    ("Teapot", "Kitchen", 4400),
    ("Print", "Paper", 2400),
    ("Rug", "Textiles", 18900),
    ("Mirror", "Decoration", 9900),
];
const VENDORS: [&str; 5] = [
    "Northwind",
    "Atelier Sol",
    "Halden",
    "Kumo",
    "Field & Daughter",
];
const SIZES: [&str; 4] = ["Small", "Medium", "Large", "Extra Large"];

/// What can be bought, the best sold first, with prices.
pub(crate) struct Catalogue {
    pub(crate) products: Vec<Product>,
    pub(crate) articles: Vec<(Arc<Article>, Amount)>,
}

impl Catalogue {
    /// A catalogue of so many products.
    pub(crate) fn invent(
        random: &mut Random,
        ids: &mut Ids,
        count: usize,
        currency: Currency,
        at: Moment,
    ) -> Self {
        let mut catalogue = Self {
            products: Vec::with_capacity(count),
            articles: Vec::new(),
        };
        for number in 0..count {
            let look = LOOKS.get(number % LOOKS.len()).copied().unwrap_or_default();
            let turn = number / LOOKS.len() + number;
            let (thing, kind, base) = THINGS.get(turn % THINGS.len()).copied().unwrap_or_default();
            let series = number / (LOOKS.len() * THINGS.len());
            let title = match series {
                0 => format!("{look} {thing}"),
                _ => format!("{look} {thing} {}", series + 1),
            };
            let price = base / 2 + random.below(base);
            let kinds = 1 + random.weighted(&[60, 15, 15, 10]);
            let product = Self::product(ids, &title, kind, kinds, price, currency, at, number);
            let status = random.weighted(&[92, 5, 2, 1]);
            let product = Product {
                status: [
                    ProductStatus::Active,
                    ProductStatus::Archived,
                    ProductStatus::Draft,
                    ProductStatus::Unlisted,
                ]
                .get(status)
                .copied()
                .unwrap_or_default(),
                vendor: random.pick(&VENDORS).copied().unwrap_or_default().into(),
                ..product
            };
            catalogue.add(product);
        }
        catalogue
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call; every part of a product is given"
    )]
    fn product(
        ids: &mut Ids,
        title: &str,
        kind: &str,
        kinds: usize,
        price: u64,
        currency: Currency,
        at: Moment,
        number: usize,
    ) -> Product {
        let price = i64::try_from(price).unwrap_or(1000);
        let variants = (0..kinds).map(|place| {
            let step = i64::try_from(place).unwrap_or(0);
            let size = SIZES.get(place).copied().unwrap_or_default();
            Variant {
                id: ids.variant(),
                title: if kinds == 1 { "Default Title" } else { size }.into(),
                sku: (number % 25 != 7)
                    .then(|| format!("SKU-{:05}-{}", number + 1, place + 1).into()),
                price: Amount::hundredths(price + step * price / 4).share(1, 1, currency),
            }
        });
        Product {
            variants: variants.collect(),
            id: ids.product(),
            title: title.into(),
            status: ProductStatus::Active,
            vendor: "".into(),
            product_type: kind.into(),
            created_at: at,
            updated_at: at,
            deleted: false,
        }
    }

    fn add(&mut self, product: Product) {
        let only = product.variants.len() == 1;
        if product.status != ProductStatus::Draft {
            self.articles.extend(product.variants.iter().map(|variant| {
                let article = Article {
                    product: Some(product.id),
                    variant: Some(variant.id),
                    title: product.title.clone(),
                    variant_title: (!only).then(|| variant.title.clone()),
                    sku: variant.sku.clone(),
                };
                (Arc::new(article), variant.price)
            }));
        }
        self.products.push(product);
    }

    /// An article and its price; the first ones more often.
    pub(crate) fn pick(&self, random: &mut Random) -> Option<&(Arc<Article>, Amount)> {
        let count = self.articles.len();
        self.articles
            .get(random.place(count).min(random.place(count)))
    }
}
