//! The real invoices of a shop, as a store: the UCI "Online Retail" file.
//!
//! An invoice is an order, a line a line item, a stock code a product with one variant. A line of an
//! invoice that starts with C takes units back from the customer's latest earlier order that still has some
//! of the article; what one order cannot give is taken from the one before it. Lines that fit no rule are
//! left out, counted, and summed: see [`DatasetReport`].

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use serde::Deserialize;

use super::report::{DatasetError, DatasetReport};
use crate::amount::Amount;
use crate::business::{
    NewLine, NewOrder, RefundLine, RefundRequest, Terms, place_articles, refund,
};
use crate::clock::Moment;
use crate::shop::Shop;
use crate::store::{Article, Customer, Ids, Order, Product, ProductStatus, Variant};

/// A line of the file.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(rename = "InvoiceNo")]
    invoice: String,
    #[serde(rename = "StockCode")]
    code: String,
    #[serde(rename = "Description")]
    description: String,
    #[serde(rename = "Quantity")]
    quantity: i32,
    #[serde(rename = "InvoiceDate")]
    date: String,
    #[serde(rename = "UnitPrice")]
    price: String,
    #[serde(rename = "CustomerID")]
    customer: String,
    #[serde(rename = "Country")]
    country: String,
}

impl Shop {
    /// Fills the shop with a data set; a file that ends with `.gz` is unpacked.
    pub fn load_dataset(&self, path: &Path) -> Result<DatasetReport, DatasetError> {
        let file = std::io::BufReader::new(std::fs::File::open(path)?);
        if path.extension().is_some_and(|extension| extension == "gz") {
            self.read_dataset(flate2::read::GzDecoder::new(file))
        } else {
            self.read_dataset(file)
        }
    }

    /// Fills the shop with a data set given as CSV.
    pub fn read_dataset(&self, file: impl Read) -> Result<DatasetReport, DatasetError> {
        let ids = self.store().ids;
        let mut ledger = Invoices::new(self.terms(), self.facts().zone, ids);
        let mut invoice: Vec<Line> = Vec::new();
        for line in csv::Reader::from_reader(file).into_deserialize::<Line>() {
            let line = line?;
            if invoice
                .last()
                .is_some_and(|last| last.invoice != line.invoice)
            {
                ledger.invoice(&std::mem::take(&mut invoice))?;
            }
            invoice.push(line);
        }
        ledger.invoice(&invoice)?;
        Ok(ledger.load_into(self))
    }
}

/// Where units of an article can be taken back from: an order and one of its lines.
type Held = (usize, usize);

struct Invoices {
    terms: Terms,
    zone: Tz,
    ids: Ids,
    report: DatasetReport,
    orders: Vec<Order>,
    customers: Vec<Customer>,
    customer_places: HashMap<String, usize>,
    products: Vec<Product>,
    product_places: HashMap<String, usize>,
    articles: HashMap<(String, String), Arc<Article>>,
    held: HashMap<(usize, String), Vec<Held>>,
}

impl Invoices {
    fn new(terms: Terms, zone: Tz, ids: Ids) -> Self {
        Self {
            terms,
            zone,
            ids,
            report: DatasetReport::default(),
            orders: Vec::new(),
            customers: Vec::new(),
            customer_places: HashMap::new(),
            products: Vec::new(),
            product_places: HashMap::new(),
            articles: HashMap::new(),
            held: HashMap::new(),
        }
    }

    fn invoice(&mut self, lines: &[Line]) -> Result<(), DatasetError> {
        let Some(first) = lines.first() else {
            return Ok(());
        };
        let at = NaiveDateTime::parse_from_str(&first.date, "%Y-%m-%d %H:%M:%S")
            .map(|wall| Moment::local(wall, self.zone))
            .map_err(|_| self.refuse(&first.date, "date"))?;
        let mut priced = Vec::with_capacity(lines.len());
        for line in lines {
            self.report.lines += 1;
            let price = line
                .price
                .parse::<Amount>()
                .map_err(|_| self.refuse(&line.price, "price"))?;
            if first.invoice.starts_with('A') || price < Amount::ZERO {
                self.report.adjustments.add(line.quantity, price);
            } else {
                priced.push((line, price));
            }
        }
        if first.invoice.starts_with('C') {
            self.take_back(&priced, at);
        } else {
            self.sell(&priced, at);
        }
        Ok(())
    }

    fn refuse(&self, text: &str, what: &'static str) -> DatasetError {
        DatasetError::Value {
            line: self.report.lines + 2,
            text: text.to_owned(),
            what,
        }
    }

    fn sell(&mut self, lines: &[(&Line, Amount)], at: Moment) {
        let mut new = NewOrder::default();
        let mut articles = Vec::with_capacity(lines.len());
        let mut codes = Vec::with_capacity(lines.len());
        for (line, price) in lines {
            if line.quantity <= 0 {
                self.report.stock_corrections.add(line.quantity, *price);
                continue;
            }
            self.report.line_items += 1;
            self.report.free_line_items += u64::from(price.is_zero());
            articles.push((self.article(line, *price, at), *price));
            codes.push(line.code.clone());
            new.lines.push(NewLine {
                quantity: line.quantity,
                ..NewLine::default()
            });
        }
        let Some((first, _)) = lines.first().filter(|_| !articles.is_empty()) else {
            return;
        };
        let customer = self.customer(first, at);
        new.customer = customer
            .and_then(|place| self.customers.get(place))
            .map(|one| one.id);
        let terms = Terms {
            now: at,
            ..self.terms
        };
        let mut order = place_articles(&mut self.ids, &new, articles, &terms);
        order.number = first.invoice.parse().unwrap_or(order.number);
        order.fulfilled = true;
        self.report.orders += 1;
        self.report.guest_orders += u64::from(customer.is_none());
        if let Some(customer) = customer {
            for (place, code) in codes.into_iter().enumerate() {
                let held = self.held.entry((customer, code)).or_default();
                held.push((self.orders.len(), place));
            }
        }
        self.orders.push(order);
    }

    fn take_back(&mut self, lines: &[(&Line, Amount)], at: Moment) {
        let mut wanted: Vec<(usize, RefundRequest)> = Vec::new();
        let mut taken: HashMap<Held, i32> = HashMap::new();
        for (line, price) in lines {
            let customer = self.customer_places.get(customer_key(line)).copied();
            if line.customer.is_empty() {
                self.report.returns_of_guests.add(line.quantity, *price);
                continue;
            }
            let held = customer.and_then(|customer| self.held.get(&(customer, line.code.clone())));
            let mut left = -line.quantity;
            let mut parts = 0_u64;
            for place in held.into_iter().flatten().rev() {
                if left <= 0 {
                    break;
                }
                let item = self
                    .orders
                    .get(place.0)
                    .and_then(|one| one.line_items.get(place.1));
                let Some(item) = item else { continue };
                let already = taken.get(place).copied().unwrap_or(0);
                let quantity = left.min(item.current_quantity - already);
                if quantity <= 0 {
                    continue;
                }
                let part = RefundLine {
                    line: item.id,
                    quantity,
                };
                if item.unit_price != *price {
                    self.report.returns_at_another_price += 1;
                    let difference = price.times(quantity) - item.unit_price.times(quantity);
                    self.report.other_price_difference += difference;
                }
                *taken.entry(*place).or_default() += quantity;
                add(&mut wanted, place.0, part);
                left -= quantity;
                parts += 1;
            }
            self.report.units_returned += i64::from(-line.quantity - left);
            self.report.return_lines += u64::from(parts > 0);
            self.report.returns_split += u64::from(parts > 1);
            if left > 0 {
                self.report.returns_unmatched.add(-left, *price);
            }
        }
        for (place, request) in wanted {
            if let Some(order) = self.orders.get_mut(place)
                && refund(&mut self.ids, order, &request, at).is_ok()
            {
                self.report.refunds += 1;
            }
        }
    }

    /// The customer's place, made when the number is new.
    fn customer(&mut self, line: &Line, at: Moment) -> Option<usize> {
        if line.customer.is_empty() {
            return None;
        }
        let key = customer_key(line);
        let place = self.customer_places.get(key).copied().unwrap_or_else(|| {
            self.customers.push(Customer {
                id: self.ids.customer(),
                display_name: format!("Customer {key}").into(),
                email: Some(format!("customer-{key}@example.com").into()),
                created_at: at,
                updated_at: at,
                tags: Box::from([line.country.as_str().into()]),
                deleted: false,
            });
            self.customer_places
                .insert(key.to_owned(), self.customers.len() - 1);
            self.customers.len() - 1
        });
        if let Some(customer) = self.customers.get_mut(place) {
            customer.updated_at = customer.updated_at.max(at);
        }
        Some(place)
    }

    /// What a line sold, under the name it had then.
    fn article(&mut self, line: &Line, price: Amount, at: Moment) -> Arc<Article> {
        let place = self
            .product_places
            .get(&line.code)
            .copied()
            .unwrap_or_else(|| {
                let title = if line.description.is_empty() {
                    &line.code
                } else {
                    &line.description
                };
                self.products.push(Product {
                    id: self.ids.product(),
                    title: title.trim().into(),
                    status: ProductStatus::Active,
                    vendor: "".into(),
                    product_type: "".into(),
                    created_at: at,
                    updated_at: at,
                    variants: vec![Variant {
                        id: self.ids.variant(),
                        title: "Default Title".into(),
                        sku: Some(line.code.as_str().into()),
                        price,
                    }],
                    deleted: false,
                });
                self.product_places
                    .insert(line.code.clone(), self.products.len() - 1);
                self.products.len() - 1
            });
        let key = (line.code.clone(), line.description.clone());
        if let Some(article) = self.articles.get(&key) {
            return Arc::clone(article);
        }
        let product = self.products.get(place);
        let title = if line.description.is_empty() {
            product.map_or_else(
                || line.code.as_str().into(),
                |product| product.title.clone(),
            )
        } else {
            line.description.trim().into()
        };
        let article = Arc::new(Article {
            product: product.map(|product| product.id),
            variant: product
                .and_then(|product| product.variants.first())
                .map(|one| one.id),
            title,
            variant_title: None,
            sku: Some(line.code.as_str().into()),
        });
        self.articles.insert(key, Arc::clone(&article));
        article
    }

    fn load_into(mut self, shop: &Shop) -> DatasetReport {
        self.report.customers = u64::try_from(self.customers.len()).unwrap_or(0);
        self.report.products = u64::try_from(self.products.len()).unwrap_or(0);
        shop.change(|store| {
            store.ids = self.ids;
            store.customers.load(self.customers);
            store.products.load(self.products);
            store.orders.load(self.orders);
        });
        self.report
    }
}

/// The customer's number without the `.0` that the file writes behind it.
fn customer_key(line: &Line) -> &str {
    line.customer.strip_suffix(".0").unwrap_or(&line.customer)
}

/// Adds units to the request of an order, those of one line together.
fn add(wanted: &mut Vec<(usize, RefundRequest)>, order: usize, part: RefundLine) {
    let known = wanted.iter().position(|(wanted, _)| *wanted == order);
    let place = known.unwrap_or_else(|| {
        wanted.push((order, RefundRequest::default()));
        wanted.len() - 1
    });
    let Some((_, request)) = wanted.get_mut(place) else {
        return;
    };
    match request.lines.iter_mut().find(|line| line.line == part.line) {
        Some(line) => line.quantity += part.quantity,
        None => request.lines.push(part),
    }
}
