//! The rules of Relay's connections, as properties: whatever changes between two pages, each page holds exactly
//! what a model of the list holds behind its cursor; so nothing that stayed is lost or repeated, forward and
//! backward, and `pageInfo` tells the truth.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use xboard::domain::sync::{ObjectKind, SyncMode, SyncStatus, SyncTrigger};

use crate::support::{Entry, Shop, TestApp, customer, instant, product};

/// Where an item stands in a list: ties are broken by the second.
type Key = (i64, i64);

/// An order of the model.
#[derive(Clone, Copy, Debug)]
struct Placed {
    minute: i64,
    euros: i64,
    customer: Option<i64>,
    product: i64,
    lines: i64,
    /// Moves with each change.
    version: i64,
}

impl Placed {
    fn total(&self) -> i64 {
        self.euros * self.lines
    }

    /// The units of all lines: the first has one, the second two, …
    fn units(&self) -> i64 {
        (1..=self.lines).sum()
    }
}

/// A store as it should be.
#[derive(Clone, Debug, Default)]
struct Model {
    orders: BTreeMap<i64, Placed>,
    customers: BTreeSet<i64>,
    products: BTreeMap<i64, (i64, i64)>,
    runs: Vec<String>,
    used: i64,
}

/// What happens to a store. Which thing is meant counts through those there are.
#[derive(Clone, Debug)]
enum Change {
    Place {
        minute: i64,
        euros: i64,
        customer: usize,
        product: usize,
        lines: i64,
    },
    Alter {
        order: usize,
        minute: i64,
        euros: i64,
        lines: i64,
    },
    DeleteOrder {
        order: usize,
    },
    AddCustomer,
    DeleteCustomer {
        customer: usize,
    },
    AddProduct {
        title: i64,
    },
    Rename {
        product: usize,
        title: i64,
    },
    DeleteProduct {
        product: usize,
    },
    Run,
}

fn change() -> impl Strategy<Value = Change> {
    let nth = 0..100_usize;
    // Few values, so that many items tie.
    prop_oneof![
        4 => (0..6_i64, 0..4_i64, nth.clone(), nth.clone(), 1..4_i64).prop_map(
            |(minute, euros, customer, product, lines)| Change::Place { minute, euros, customer, product, lines }),
        4 => (nth.clone(), 0..6_i64, 0..4_i64, 1..6_i64)
            .prop_map(|(order, minute, euros, lines)| Change::Alter { order, minute, euros, lines }),
        2 => nth.clone().prop_map(|order| Change::DeleteOrder { order }),
        1 => Just(Change::AddCustomer),
        1 => nth.clone().prop_map(|customer| Change::DeleteCustomer { customer }),
        1 => (0..4_i64).prop_map(|title| Change::AddProduct { title }),
        1 => (nth.clone(), 0..4_i64).prop_map(|(product, title)| Change::Rename { product, title }),
        1 => nth.prop_map(|product| Change::DeleteProduct { product }),
        2 => Just(Change::Run),
    ]
}

/// A list of the schema: how it is asked for, and what it should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    OrdersNewest,
    OrdersOldest,
    OrdersDearest,
    RecentOrders,
    CustomersBySpent,
    CustomersByOrders,
    CustomersByLast,
    ProductsByTitle,
    ProductsBySales,
    ProductsByUnits,
    LineItems,
    SyncRuns,
}

const LISTS: [List; 12] = [
    List::OrdersNewest,
    List::OrdersOldest,
    List::OrdersDearest,
    List::RecentOrders,
    List::CustomersBySpent,
    List::CustomersByOrders,
    List::CustomersByLast,
    List::ProductsByTitle,
    List::ProductsBySales,
    List::ProductsByUnits,
    List::LineItems,
    List::SyncRuns,
];

impl List {
    const fn goes_back(self) -> bool {
        !matches!(self, Self::RecentOrders | Self::LineItems | Self::SyncRuns)
    }

    const fn descending(self) -> bool {
        !matches!(
            self,
            Self::OrdersOldest | Self::ProductsByTitle | Self::LineItems
        )
    }

    /// The field, its sort, and what tells its items apart.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::OrdersNewest => ("orders", "sort: PROCESSED_AT_DESC", "shopifyId"),
            Self::OrdersOldest => ("orders", "sort: PROCESSED_AT_ASC", "shopifyId"),
            Self::OrdersDearest => ("orders", "sort: TOTAL_DESC", "shopifyId"),
            Self::RecentOrders => ("recentOrders", "", "shopifyId"),
            Self::CustomersBySpent => ("customers", "sort: TOTAL_SPENT_DESC", "shopifyId"),
            Self::CustomersByOrders => ("customers", "sort: ORDERS_DESC", "shopifyId"),
            Self::CustomersByLast => ("customers", "sort: LAST_ORDER_DESC", "shopifyId"),
            Self::ProductsByTitle => ("products", "sort: TITLE_ASC", "shopifyId"),
            Self::ProductsBySales => ("products", "sort: NET_SALES_DESC", "shopifyId"),
            Self::ProductsByUnits => ("products", "sort: UNITS_DESC", "shopifyId"),
            Self::LineItems => ("lineItems", "", "quantity"),
            Self::SyncRuns => ("syncRuns", "", "id"),
        }
    }

    /// The items as they are now, in the list's order.
    fn items(self, model: &Model) -> Vec<(Key, String)> {
        let named = |key, id: i64| ((key, id), id.to_string());
        let of = |id: i64| move |order: &&Placed| order.customer == Some(id);
        let sold = |id: i64| move |order: &&Placed| order.product == id;
        let orders = model.orders.iter();
        let customers = model.customers.iter().copied();
        let products = model.products.iter();
        let all = || model.orders.values();
        let mut items: Vec<_> = match self {
            Self::OrdersNewest | Self::OrdersOldest | Self::RecentOrders => {
                orders.map(|(id, order)| named(order.minute, *id)).collect()
            }
            Self::OrdersDearest => orders
                .map(|(id, order)| named(order.total(), *id))
                .collect(),
            Self::CustomersBySpent => customers
                .map(|id| named(all().filter(of(id)).map(Placed::total).sum(), id))
                .collect(),
            Self::CustomersByOrders => customers
                .map(|id| named(i64::try_from(all().filter(of(id)).count()).unwrap(), id))
                .collect(),
            Self::CustomersByLast => customers
                .map(|id| {
                    named(
                        all()
                            .filter(of(id))
                            .map(|order| order.minute)
                            .max()
                            .unwrap_or(-1),
                        id,
                    )
                })
                .collect(),
            Self::ProductsByTitle => products
                .map(|(id, (title, _))| named(*title, *id))
                .collect(),
            Self::ProductsBySales => products
                .map(|(id, _)| named(all().filter(sold(*id)).map(Placed::total).sum(), *id))
                .collect(),
            Self::ProductsByUnits => products
                .map(|(id, _)| named(all().filter(sold(*id)).map(Placed::units).sum(), *id))
                .collect(),
            Self::LineItems => {
                let lines = model
                    .orders
                    .first_key_value()
                    .map_or(0, |(_, order)| order.lines);
                (1..=lines).map(|line| named(line, line)).collect()
            }
            Self::SyncRuns => (0..)
                .zip(&model.runs)
                .map(|(number, id)| ((number, 0), id.clone()))
                .collect(),
        };
        items.sort();
        if self.descending() {
            items.reverse();
        }
        items
    }

    /// One page, as the server gives it.
    async fn ask(self, app: &TestApp, shop: &Shop, model: &Model, arguments: &str) -> Value {
        let (field, sort, name) = self.words();
        let page = format!(
            "{field}({arguments} {sort}) {{ edges {{ cursor node {{ {name} }} }} nodes {{ {name} }} totalCount
               pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"
        );
        if self != Self::LineItems {
            return app.ask(shop, &format!("{{ {page} }}")).await[field].take();
        }
        let (order, _) = model.orders.first_key_value().unwrap();
        // The only way to one order by Shopify's number is its name.
        let query = format!(
            r##"{{ orders(first: 1, filter: {{ search: "#{order}_" }}) {{ nodes {{ {page} }} }} }}"##
        );
        app.ask(shop, &query).await["orders"]["nodes"][0][field].take()
    }
}

/// A store that is changed and paged through at once.
struct Stage<'a> {
    app: &'a TestApp,
    shop: Shop,
    model: Model,
}

impl Stage<'_> {
    async fn write(&mut self, number: i64) {
        let order = self.model.orders[&number];
        let at = format!("2026-03-01T10:{:02}:00Z", order.minute);
        let mut entry = Entry::placed(number, &at, order.customer).with(|record| {
            record.name = format!("#{number}_");
            record.updated_at += TimeDelta::hours(order.version);
        });
        for line in 1..=order.lines {
            let quantity = i32::try_from(line).unwrap();
            entry = entry.line(order.product, quantity, &order.euros.to_string(), "0", "0");
        }
        self.app
            .database
            .write_books(self.shop.tenant, &[], &[entry])
            .await;
    }

    async fn change(&mut self, change: &Change) {
        let pick = |ids: Vec<i64>, nth: usize| (!ids.is_empty()).then(|| ids[nth % ids.len()]);
        let orders: Vec<i64> = self.model.orders.keys().copied().collect();
        let customers: Vec<i64> = self.model.customers.iter().copied().collect();
        let products: Vec<i64> = self.model.products.keys().copied().collect();
        match *change {
            Change::Place {
                minute,
                euros,
                customer,
                product,
                lines,
            } => {
                self.model.used += 1;
                let number = self.model.used;
                let placed = Placed {
                    minute,
                    euros,
                    // Every fourth is a guest's.
                    customer: pick(customers, customer).filter(|_| customer % 4 > 0),
                    product: pick(products, product).unwrap_or(999),
                    lines,
                    version: 0,
                };
                self.model.orders.insert(number, placed);
                self.write(number).await;
            }
            Change::Alter {
                order,
                minute,
                euros,
                lines,
            } => {
                let Some(number) = pick(orders, order) else {
                    return;
                };
                if let Some(placed) = self.model.orders.get_mut(&number) {
                    placed.version += 1;
                    (placed.minute, placed.euros, placed.lines) = (minute, euros, lines);
                }
                self.write(number).await;
            }
            Change::DeleteOrder { order } => {
                // The first one stays: its lines are paged through.
                let Some(number) = pick(orders.into_iter().skip(1).collect(), order) else {
                    return;
                };
                self.model.orders.remove(&number);
                self.app
                    .database
                    .delete(self.shop.tenant, ObjectKind::Orders, &[number])
                    .await;
            }
            Change::AddCustomer => {
                self.model.used += 1;
                self.model.customers.insert(self.model.used);
                let books = [customer(self.model.used, "Ada")];
                self.app
                    .database
                    .write_books(self.shop.tenant, &books, &[])
                    .await;
            }
            Change::DeleteCustomer { customer } => {
                let Some(number) = pick(customers, customer) else {
                    return;
                };
                self.model.customers.remove(&number);
                self.app
                    .database
                    .delete(self.shop.tenant, ObjectKind::Customers, &[number])
                    .await;
            }
            Change::AddProduct { title } => {
                self.model.used += 1;
                self.model.products.insert(self.model.used, (title, 0));
                self.stock(self.model.used).await;
            }
            Change::Rename { product, title } => {
                let Some(number) = pick(products, product) else {
                    return;
                };
                if let Some(kept) = self.model.products.get_mut(&number) {
                    *kept = (title, kept.1 + 1);
                }
                self.stock(number).await;
            }
            Change::DeleteProduct { product } => {
                let Some(number) = pick(products, product) else {
                    return;
                };
                self.model.products.remove(&number);
                self.app
                    .database
                    .delete(self.shop.tenant, ObjectKind::Products, &[number])
                    .await;
            }
            Change::Run => self.run().await,
        }
    }

    async fn stock(&self, number: i64) {
        let (title, version) = self.model.products[&number];
        let mut record = product(number, &format!("Title {title}"));
        if let xboard::domain::record::Record::Product(product) = &mut record {
            product.updated_at += TimeDelta::hours(version);
        }
        self.app
            .database
            .write_books(self.shop.tenant, &[record], &[])
            .await;
    }

    async fn run(&mut self) {
        let minutes = i64::try_from(self.model.runs.len()).unwrap();
        let at = instant("2030-01-01T00:00:00Z") + TimeDelta::minutes(minutes);
        let mut transaction = self
            .app
            .database
            .db()
            .tenant(self.shop.tenant)
            .await
            .unwrap();
        let (mode, trigger) = (SyncMode::Incremental, SyncTrigger::Schedule);
        let run = transaction
            .create_sync_run(mode, trigger, at)
            .await
            .unwrap()
            .unwrap();
        transaction
            .finish_sync_run(run.id, SyncStatus::Succeeded, None, at)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        let newest = self
            .app
            .ask(&self.shop, "{ syncRuns(first: 1) { nodes { id } } }")
            .await;
        let id = newest["syncRuns"]["nodes"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        self.model.runs.push(id);
    }
}

/// A store with something in every list.
async fn stage(app: &TestApp, number: usize) -> Stage<'_> {
    let shop = app
        .open_shop(&format!("relay-{number}"), "EUR", "Europe/Berlin")
        .await;
    let mut stage = Stage {
        app,
        shop,
        model: Model::default(),
    };
    let first = app
        .ask(&stage.shop, "{ syncRuns(first: 1) { nodes { id } } }")
        .await;
    let first = first["syncRuns"]["nodes"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut transaction = app.database.db().tenant(stage.shop.tenant).await.unwrap();
    let active = transaction.active_sync_run().await.unwrap().unwrap().id;
    transaction
        .finish_sync_run(
            active,
            SyncStatus::Cancelled,
            None,
            instant("2026-01-01T00:00:00Z"),
        )
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    stage.model.runs.push(first);
    for number in 0..6 {
        for change in [
            Change::AddCustomer,
            Change::AddProduct { title: number % 4 },
            Change::Place {
                minute: number % 4,
                euros: number % 3,
                customer: 1 + 2 * usize::try_from(number).unwrap(),
                product: usize::try_from(number).unwrap(),
                lines: 1 + number % 3,
            },
            Change::Run,
        ] {
            stage.change(&change).await;
        }
    }
    stage
}

/// Pages through a list while it changes: checks each page, and that nothing which stayed is lost or repeated.
async fn walk(stage: &mut Stage<'_>, list: List, forward: bool, size: usize, changes: &[Change]) {
    let mut changes = changes.iter();
    let mut stayed: BTreeMap<String, Key> = list
        .items(&stage.model)
        .into_iter()
        .map(|(key, id)| (id, key))
        .collect();
    let (mut seen, mut place): (Vec<String>, Option<(Key, String)>) = (Vec::new(), None);
    // A list that grows at the side that it is read from has an end all the same: the changes have.
    loop {
        let count = if forward { "first" } else { "last" };
        let bound = if forward { "after" } else { "before" };
        let arguments = match &place {
            Some((_, cursor)) => format!(r#"{count}: {size}, {bound}: "{cursor}""#),
            None => format!("{count}: {size}"),
        };
        let page = list
            .ask(stage.app, &stage.shop, &stage.model, &arguments)
            .await;
        let items = list.items(&stage.model);
        let held = check(
            list,
            &items,
            &page,
            place.as_ref().map(|(key, _)| *key),
            forward,
            size,
        );
        let mut ids: Vec<String> = held.iter().map(|(_, id)| id.clone()).collect();
        if !forward {
            ids.reverse();
        }
        seen.extend(ids);
        let (ahead, end) = if forward {
            ("hasNextPage", "endCursor")
        } else {
            ("hasPreviousPage", "startCursor")
        };
        let edge = if forward { held.last() } else { held.first() };
        if let (Some((key, _)), Some(cursor)) = (edge, page["pageInfo"][end].as_str()) {
            place = Some((*key, cursor.to_owned()));
        }
        if page["pageInfo"][ahead] == false {
            break;
        }
        for change in changes.by_ref().take(3) {
            stage.change(change).await;
        }
        let now: BTreeMap<String, Key> = list
            .items(&stage.model)
            .into_iter()
            .map(|(key, id)| (id, key))
            .collect();
        stayed.retain(|id, key| now.get(id) == Some(key));
    }
    for id in stayed.keys() {
        let times = seen.iter().filter(|one| *one == id).count();
        assert_eq!(
            times, 1,
            "{list:?}: {id} stayed where it was, and came {times} times in {seen:?}"
        );
    }
}

/// A page holds exactly what the model holds behind the cursor, and tells what lies around it.
fn check(
    list: List,
    items: &[(Key, String)],
    page: &Value,
    from: Option<Key>,
    forward: bool,
    size: usize,
) -> Vec<(Key, String)> {
    let behind = |key: Key, from: Key| {
        if list.descending() == forward {
            key < from
        } else {
            key > from
        }
    };
    let mut expected: Vec<_> = items
        .iter()
        .filter(|(key, _)| from.is_none_or(|from| behind(*key, from)))
        .cloned()
        .collect();
    if forward {
        expected.truncate(size);
    } else {
        expected = expected.split_off(expected.len().saturating_sub(size));
    }
    let (_, _, name) = list.words();
    let name_of = |node: &Value| {
        node[name]
            .as_str()
            .map_or_else(|| node[name].to_string(), str::to_owned)
    };
    let edges = page["edges"].as_array().unwrap();
    let ids: Vec<String> = edges.iter().map(|edge| name_of(&edge["node"])).collect();
    let wanted: Vec<String> = expected.iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(ids, wanted, "{list:?} from {from:?}, forward {forward}");
    let nodes: Vec<String> = page["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(name_of)
        .collect();
    assert_eq!(nodes, wanted);
    assert_eq!(page["totalCount"], items.len(), "{list:?}");
    let info = &page["pageInfo"];
    let place = |id: &String| items.iter().position(|(_, item)| item == id).unwrap();
    if let (Some(first), Some(last)) = (wanted.first(), wanted.last()) {
        assert_eq!(info["hasPreviousPage"], place(first) > 0, "{list:?} {info}");
        assert_eq!(
            info["hasNextPage"],
            place(last) + 1 < items.len(),
            "{list:?} {info}"
        );
    } else {
        assert_eq!(
            info[if forward {
                "hasNextPage"
            } else {
                "hasPreviousPage"
            }],
            false
        );
    }
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(info["startCursor"], cursor(edges.first()));
    assert_eq!(info["endCursor"], cursor(edges.last()));
    expected
}

#[test]
fn paging_over_changing_lists_loses_and_repeats_nothing_that_stayed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(TestApp::start());
    let config = Config {
        cases: 2,
        failure_persistence: None,
        ..Config::default()
    };
    // The same cases each time: what is found can be found again.
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let histories = (1..5_usize, prop::collection::vec(change(), 8..24));
    let number = Cell::new(0);
    runner
        .run(&histories, |(size, changes)| {
            number.set(number.get() + 1);
            runtime.block_on(async {
                let mut stage = stage(&app, number.get()).await;
                for list in LISTS {
                    walk(&mut stage, list, true, size, &changes).await;
                    if list.goes_back() {
                        walk(&mut stage, list, false, size, &changes).await;
                    }
                }
            });
            Ok(())
        })
        .unwrap();
    runtime.block_on(app.work());
}

#[tokio::test]
async fn both_bounds_cut_a_list_before_the_page_is_taken_from_it() {
    let app = TestApp::start().await;
    let stage = stage(&app, 0).await;
    let list = List::OrdersNewest;
    let all = list
        .ask(&app, &stage.shop, &stage.model, "first: 100")
        .await;
    let cursors: Vec<&str> = all["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["cursor"].as_str().unwrap())
        .collect();
    let names = list.items(&stage.model);
    for (after, before) in [(0, 5), (0, 1), (3, 2), (1, 4)] {
        let between = names.get(after + 1..before).unwrap_or_default();
        for (count, forward) in [("first", true), ("last", false)] {
            let bounds = format!(
                r#"{count}: 2, after: "{}", before: "{}""#,
                cursors[after], cursors[before]
            );
            let page = list.ask(&app, &stage.shop, &stage.model, &bounds).await;
            let mut wanted: Vec<_> = between.iter().map(|(_, id)| id.as_str()).collect();
            if forward {
                wanted.truncate(2);
            } else {
                wanted = wanted.split_off(wanted.len().saturating_sub(2));
            }
            let ids: Vec<_> = page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["shopifyId"].as_str().unwrap())
                .collect();
            assert_eq!(ids, wanted, "{bounds}");
        }
    }
    app.work().await;
}
