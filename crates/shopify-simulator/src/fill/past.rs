//! The making of a past: who buys what, when, and what happens to it afterwards.

use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

use super::catalogue::Catalogue;
use super::generate::{Generation, weight};
use super::people;
use crate::amount::{Amount, Percent};
use crate::business::{
    EditLine, NewLine, NewOrder, RefundLine, RefundRequest, Terms, cancel, edit, place_articles,
    refund,
};
use crate::clock::Moment;
use crate::random::Random;
use crate::store::{Article, Customer, Ids, Order};

/// The weight of each hour of a day.
const HOURS: [u64; 24] = [
    6, 4, 3, 2, 2, 3, 6, 12, 22, 34, 42, 46, 50, 46, 42, 40, 42, 46, 54, 62, 66, 58, 36, 16,
];
/// Every so many orders one has very many lines, or agreements, or more lines than a page.
const MANY_LINES: u64 = 2000;
const MANY_AGREEMENTS: u64 = 2500;
const HUGE: u64 = 20_000;

/// A past in the making.
pub(super) struct Past {
    random: Random,
    terms: Terms,
    zone: Tz,
    over: Moment,
    pub(super) catalogue: Catalogue,
    pub(super) customers: Vec<Customer>,
    pub(super) orders: Vec<Order>,
    /// The place of the customer of each order: who came often is drawn often.
    buyers: Vec<usize>,
    sources: [Arc<str>; 3],
}

impl Past {
    pub(super) fn new(terms: Terms, zone: Tz, generation: &Generation, ids: &mut Ids) -> Self {
        let mut random = Random::new(generation.seed);
        let start = Moment::start_of(generation.start, zone);
        let catalogue = Catalogue::invent(
            &mut random,
            ids,
            generation.products.max(1),
            terms.currency,
            start,
        );
        Self {
            random,
            terms,
            zone,
            over: Moment::start_of(generation.end + TimeDelta::days(1), zone),
            catalogue,
            customers: Vec::new(),
            orders: Vec::new(),
            buyers: Vec::new(),
            sources: ["web", "pos", "shopify_draft_order"].map(Arc::from),
        }
    }

    pub(super) fn live(&mut self, generation: &Generation, ids: &mut Ids) {
        let days: Vec<NaiveDate> = generation
            .start
            .iter_days()
            .take_while(|day| *day <= generation.end)
            .collect();
        let weights: Vec<u64> = days.iter().map(|day| weight(*day, generation)).collect();
        let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let mut passed = 0_u128;
        let mut placed = 0_u64;
        for (day, weight) in days.into_iter().zip(weights) {
            passed += u128::from(weight);
            let due = u128::from(generation.orders) * passed / whole.max(1);
            let due = u64::try_from(due).unwrap_or(placed);
            let mut moments: Vec<Moment> = (placed..due).map(|_| self.moment(day)).collect();
            moments.sort_unstable();
            for at in moments {
                self.order(placed, at, ids);
                placed += 1;
            }
        }
    }

    fn moment(&mut self, day: NaiveDate) -> Moment {
        let hour = u32::try_from(self.random.weighted(&HOURS)).unwrap_or(12);
        let second = u32::try_from(self.random.below(3600)).unwrap_or(0);
        let time = chrono::NaiveTime::from_num_seconds_from_midnight_opt(hour * 3600 + second, 0);
        Moment::local(day.and_time(time.unwrap_or_default()), self.zone)
    }

    /// The buyer: a guest, a customer with earlier orders, or a new customer.
    fn buyer(&mut self, at: Moment, ids: &mut Ids) -> Option<u64> {
        if self.random.chance(60) {
            return None;
        }
        let returning = self.random.chance(420);
        let place = match self.random.pick(&self.buyers) {
            Some(place) if returning => *place,
            _ => {
                let number = self.customers.len();
                let id = ids.customer();
                self.customers
                    .push(people::customer(&mut self.random, id, number + 1, at));
                number
            }
        };
        self.buyers.push(place);
        let customer = self.customers.get_mut(place)?;
        customer.updated_at = customer.updated_at.max(at);
        Some(customer.id)
    }

    fn order(&mut self, index: u64, at: Moment, ids: &mut Ids) {
        let customer = self.buyer(at, ids);
        let (new, articles) = self.basket(index, at, customer);
        let mut order = place_articles(
            ids,
            &new,
            articles,
            &Terms {
                now: at,
                ..self.terms
            },
        );
        let source = self.random.weighted(&[85, 12, 3]);
        if let Some(source) = self.sources.get(source) {
            order.source = Arc::clone(source);
        }
        order.fulfilled = !self.random.chance(80);
        if self.random.chance(50)
            && let Some(first) = order.agreements.first_mut()
        {
            let later = self.random.below(3000);
            first.happened_at = first
                .happened_at
                .after(std::time::Duration::from_millis(later));
        }
        self.afterwards(index, &mut order, ids);
        order.line_items.shrink_to_fit();
        order.agreements.shrink_to_fit();
        self.orders.push(order);
    }

    fn basket(
        &mut self,
        index: u64,
        at: Moment,
        customer: Option<u64>,
    ) -> (NewOrder, Vec<(Arc<Article>, Amount)>) {
        let count = if index % HUGE == 37 {
            300
        } else if index % MANY_LINES == 31 {
            61 + self.random.place(60)
        } else {
            1 + self.random.weighted(&[46, 24, 13, 8, 5, 3, 1])
        };
        let mut lines = Vec::with_capacity(count);
        let mut articles = Vec::with_capacity(count);
        for _ in 0..count {
            let Some(article) = self.catalogue.pick(&mut self.random) else {
                continue;
            };
            articles.push(article.clone());
            let quantity = 1 + self.random.weighted(&[75, 15, 6, 3, 1]);
            let quantity = i32::try_from(quantity).unwrap_or(1);
            lines.push(NewLine {
                quantity,
                ..NewLine::default()
            });
        }
        if self.random.chance(10) {
            let worth = [25, 50, 100]
                .get(self.random.place(3))
                .copied()
                .unwrap_or(25);
            articles.push((Self::gift_card(), Amount::whole(worth)));
            lines.push(NewLine {
                quantity: 1,
                gift_card: true,
                ..NewLine::default()
            });
        }
        let percent = [5, 10, 15, 20, 25]
            .get(self.random.place(5))
            .copied()
            .unwrap_or(5);
        let discounted = self.random.chance(180);
        let shipping = [0, 395, 495, 795, 1250].get(self.random.weighted(&[30, 30, 25, 10, 5]));
        let imported = self.random.chance(2);
        let old = std::time::Duration::from_secs(86_400 * (30 + self.random.below(400)));
        let currency = self.terms.currency;
        let small = |hundredths: i64| Amount::hundredths(hundredths).share(1, 1, currency);
        let new = NewOrder {
            customer,
            lines,
            discount_percent: if discounted {
                Percent::whole(percent)
            } else {
                Percent::ZERO
            },
            discount_codes: if discounted {
                vec![format!("SAVE{percent}")]
            } else {
                Vec::new()
            },
            shipping: small(shipping.copied().unwrap_or(0)),
            tip: if self.random.chance(30) {
                small(300)
            } else {
                Amount::ZERO
            },
            duty: if self.random.chance(5) {
                small(1450)
            } else {
                Amount::ZERO
            },
            fee: if self.random.chance(5) {
                small(150)
            } else {
                Amount::ZERO
            },
            test: self.random.chance(8),
            unpaid: self.random.chance(12),
            processed_at: imported.then(|| at.before(old)),
            ..NewOrder::default()
        };
        (new, articles)
    }

    fn gift_card() -> Arc<Article> {
        Arc::new(Article {
            product: None,
            variant: None,
            title: "Gift Card".into(),
            variant_title: None,
            sku: None,
        })
    }

    /// A later instant, if it lies within the generated period.
    fn later(&mut self, from: Moment, hours: u64, spread: u64) -> Option<Moment> {
        let seconds = hours * 3600 + self.random.below(spread * 3600);
        Some(from.after(std::time::Duration::from_secs(seconds))).filter(|at| *at < self.over)
    }

    /// What happens to an order after it was placed. A refusal (nothing left to take back) is no event.
    fn afterwards(&mut self, index: u64, order: &mut Order, ids: &mut Ids) {
        let times = if index % MANY_AGREEMENTS == 43 { 14 } else { 0 };
        let terms = self.terms;
        let mut at = order.created_at;
        for turn in 0..times {
            let Some(next) = self.later(at, 1, 3) else {
                return;
            };
            at = next;
            let by = if turn % 2 == 0 { 1 } else { -1 };
            if let Some(line) = order.line_items.first().map(|line| line.id) {
                let _ = edit(ids, order, &[EditLine { line, by }], at, &terms);
            }
        }
        let fate = self.random.weighted(&[880, 60, 20, 20, 10, 10]);
        let next = match fate {
            1 => self.later(at, 48, 24 * 25),
            2 => self.later(at, 1, 40),
            3 => self.later(at, 0, 3),
            4 | 5 => self.later(at, 24, 24 * 10),
            _ => None,
        };
        let Some(at) = next else { return };
        let chosen = self.random.place(order.line_items.len());
        let line = order
            .line_items
            .get(chosen)
            .map(|line| (line.id, line.current_quantity));
        let _ = match (fate, line) {
            (1, Some((line, left))) => {
                let quantity = if left > 1 && self.random.chance(500) {
                    1
                } else {
                    left
                };
                let lines = vec![RefundLine { line, quantity }];
                refund(
                    ids,
                    order,
                    &RefundRequest {
                        lines,
                        ..RefundRequest::default()
                    },
                    at,
                )
            }
            (2, _) => cancel(ids, order, at),
            (3, Some((line, left))) => {
                let by = if left > 1 && self.random.chance(400) {
                    -1
                } else {
                    1
                };
                edit(ids, order, &[EditLine { line, by }], at, &terms)
            }
            (4, _) => {
                let shipping = order
                    .sales()
                    .filter(|sale| sale.kind == crate::store::SaleKind::Shipping)
                    .map(|sale| sale.total)
                    .sum();
                refund(
                    ids,
                    order,
                    &RefundRequest {
                        shipping,
                        ..RefundRequest::default()
                    },
                    at,
                )
            }
            _ => {
                let adjustment = Amount::whole(2);
                refund(
                    ids,
                    order,
                    &RefundRequest {
                        adjustment,
                        ..RefundRequest::default()
                    },
                    at,
                )
            }
        };
    }
}
