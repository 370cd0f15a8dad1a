//! Placing an order: its line items and the sales of the agreement that placed it.

use std::sync::Arc;

use serde::Deserialize;

use super::requests::BusinessError;
use crate::amount::{Amount, Currency, Percent};
use crate::clock::Moment;
use crate::store::{
    Agreement, Article, Ids, LineItem, LineKind, Order, Reason, Sale, SaleAction, SaleKind, Store,
};

/// A line of an order to place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewLine {
    /// The variant bought; a free-hand line has none.
    pub variant: Option<u64>,
    /// The title of a free-hand line.
    pub title: Option<String>,
    /// The number of a free-hand line.
    pub sku: Option<String>,
    /// How many; one when left out or nought.
    pub quantity: i32,
    /// The price of one; the variant's when left out.
    pub price: Option<Amount>,
    /// A discount of this line alone.
    pub discount: Amount,
    /// Whether it is a gift card: no tax, no sales figure.
    pub gift_card: bool,
}

/// An order to place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewOrder {
    /// The customer; a guest when left out.
    pub customer: Option<u64>,
    /// What was bought.
    pub lines: Vec<NewLine>,
    /// A discount of the whole order, shared by its products.
    pub discount_percent: Percent,
    /// The codes given for it.
    pub discount_codes: Vec<String>,
    /// Shipping, before tax (with it in a shop whose prices include taxes).
    pub shipping: Amount,
    /// A tip.
    pub tip: Amount,
    /// A duty.
    pub duty: Amount,
    /// A fee.
    pub fee: Amount,
    /// The tax; the shop's when left out.
    pub tax_percent: Option<Percent>,
    /// Whether it is a test.
    pub test: bool,
    /// Whether it is not paid yet.
    pub unpaid: bool,
    /// When it was placed; now when left out. An imported order was placed long before.
    pub processed_at: Option<Moment>,
    /// When Shopify made the record; now when left out.
    pub created_at: Option<Moment>,
    /// Where it came from; `web` when left out.
    pub source: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// What holds in the shop when an order is placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) currency: Currency,
    pub(crate) tax: Percent,
    pub(crate) taxes_included: bool,
    pub(crate) now: Moment,
}

/// Prices one amount: what a sale of it says.
pub(crate) struct Priced {
    pub(crate) total: Amount,
    pub(crate) tax: Amount,
    pub(crate) discount: Amount,
}

impl Terms {
    /// The total, the tax and the discount before taxes of a price and its discount.
    ///
    /// Where prices include taxes, the discount is given without the tax in it: so `total − tax + discount`
    /// is always the price without tax, before discounts.
    pub(crate) fn price(&self, price: Amount, discount: Amount, tax: Percent) -> Priced {
        if !self.taxes_included {
            let net = price - discount;
            let tax = net.percent(tax, self.currency);
            return Priced {
                total: net + tax,
                tax,
                discount,
            };
        }
        let total = price - discount;
        let tax_inside = total.tax_inside(tax, self.currency);
        let gross = price - price.tax_inside(tax, self.currency);
        Priced {
            total,
            tax: tax_inside,
            discount: gross - (total - tax_inside),
        }
    }
}

impl Order {
    /// An order without lines and ledger.
    pub(crate) fn empty(id: u64, number: u32, currency: Currency, at: Moment) -> Self {
        Self {
            id,
            number,
            created_at: at,
            processed_at: at,
            updated_at: at,
            cancelled_at: None,
            customer: None,
            test: false,
            deleted: false,
            fulfilled: false,
            currency,
            source: Arc::from("web"),
            discount_codes: Box::default(),
            tags: Box::default(),
            received: Amount::ZERO,
            paid: false,
            line_items: Vec::new(),
            refunds: Vec::new(),
            agreements: Vec::new(),
        }
    }
}

/// A list of texts as records keep them.
pub(crate) fn boxed(texts: &[String]) -> Box<[Box<str>]> {
    texts.iter().map(|text| text.as_str().into()).collect()
}

/// The article of a line.
fn article(store: &Store, line: &NewLine) -> Result<(Arc<Article>, Amount), BusinessError> {
    if let Some(id) = line.variant {
        let (product, variant) = store.variant(id).ok_or(BusinessError::NoSuchVariant(id))?;
        let only = product.variants.len() == 1;
        let article = Article {
            product: Some(product.id),
            variant: Some(variant.id),
            title: product.title.clone(),
            variant_title: (!only).then(|| variant.title.clone()),
            sku: variant.sku.clone(),
        };
        return Ok((Arc::new(article), line.price.unwrap_or(variant.price)));
    }
    let title = line.title.as_deref().ok_or(BusinessError::NoArticle)?;
    let article = Article {
        product: None,
        variant: None,
        title: title.into(),
        variant_title: None,
        sku: line.sku.as_deref().map(Into::into),
    };
    Ok((
        Arc::new(article),
        line.price.ok_or(BusinessError::NoArticle)?,
    ))
}

/// Makes an order; the caller puts it into the store.
pub(crate) fn place(
    store: &mut Store,
    new: &NewOrder,
    terms: &Terms,
) -> Result<Order, BusinessError> {
    if let Some(customer) = new.customer {
        store
            .customers
            .get(customer)
            .ok_or(BusinessError::NoSuchCustomer(customer))?;
    }
    let articles = new
        .lines
        .iter()
        .map(|line| article(store, line))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(place_articles(&mut store.ids, new, articles, terms))
}

/// Makes an order of articles that are known, each with its price.
pub(crate) fn place_articles(
    ids: &mut Ids,
    new: &NewOrder,
    articles: Vec<(Arc<Article>, Amount)>,
    terms: &Terms,
) -> Order {
    let (id, number) = (ids.order(), ids.number());
    let mut order = Order::empty(id, number, terms.currency, terms.now);
    order.created_at = new.created_at.unwrap_or(terms.now);
    order.processed_at = new.processed_at.unwrap_or(order.created_at);
    order.updated_at = order.created_at;
    order.customer = new.customer;
    order.test = new.test;
    order.tags = boxed(&new.tags);
    order.discount_codes = boxed(&new.discount_codes);
    if let Some(source) = &new.source {
        order.source = Arc::from(source.as_str());
    }
    let tax = new.tax_percent.unwrap_or(terms.tax);
    let mut sales = Vec::with_capacity(new.lines.len() + 1);
    for (line, (article, price)) in new.lines.iter().zip(articles) {
        let quantity = line.quantity.max(1);
        let full = price.times(quantity);
        let (kind, sale_kind, tax) = if line.gift_card {
            (LineKind::GiftCard, SaleKind::GiftCard, Percent::ZERO)
        } else {
            (LineKind::Product, SaleKind::Product, tax)
        };
        let shared = if line.gift_card {
            Amount::ZERO
        } else {
            (full - line.discount).percent(new.discount_percent, terms.currency)
        };
        let discount = line.discount + shared;
        let priced = terms.price(full, discount, tax);
        let item = LineItem {
            id: ids.line_item(),
            article,
            kind,
            quantity,
            current_quantity: quantity,
            unit_price: price,
            discount,
        };
        add(&mut order, &mut sales, ids, item, sale_kind, &priced);
    }
    if !new.tip.is_zero() {
        let item = LineItem {
            id: ids.line_item(),
            article: Arc::new(Article {
                product: None,
                variant: None,
                title: "Tip".into(),
                variant_title: None,
                sku: None,
            }),
            kind: LineKind::Tip,
            quantity: 1,
            current_quantity: 1,
            unit_price: new.tip,
            discount: Amount::ZERO,
        };
        let priced = terms.price(new.tip, Amount::ZERO, Percent::ZERO);
        add(&mut order, &mut sales, ids, item, SaleKind::Tip, &priced);
    }
    for (kind, amount, tax) in [
        (SaleKind::Shipping, new.shipping, tax),
        (SaleKind::Duty, new.duty, Percent::ZERO),
        (SaleKind::Fee, new.fee, Percent::ZERO),
    ] {
        if !amount.is_zero() {
            sales.push(sale(
                ids,
                kind,
                None,
                None,
                &terms.price(amount, Amount::ZERO, tax),
            ));
        }
    }
    order.agreements.push(Agreement {
        id: ids.agreement(),
        happened_at: order.processed_at,
        reason: Reason::Order,
        sales,
    });
    if !new.unpaid {
        order.paid = true;
        order.received = order.original_total();
    }
    order
}

/// Adds a line item with its sale.
fn add(
    order: &mut Order,
    sales: &mut Vec<Sale>,
    ids: &mut Ids,
    item: LineItem,
    kind: SaleKind,
    priced: &Priced,
) {
    let line = u32::try_from(order.line_items.len()).ok();
    sales.push(sale(ids, kind, line, Some(item.quantity), priced));
    order.line_items.push(item);
}

fn sale(
    ids: &mut Ids,
    kind: SaleKind,
    line: Option<u32>,
    quantity: Option<i32>,
    priced: &Priced,
) -> Sale {
    Sale {
        id: ids.sale(),
        kind,
        action: SaleAction::Order,
        quantity,
        line,
        total: priced.total,
        tax: priced.tax,
        discount: priced.discount,
        discount_after_taxes: Amount::ZERO,
    }
}
