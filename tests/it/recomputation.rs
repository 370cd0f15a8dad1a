//! The figures against a recomputation that shares nothing with the program: `tests/recompute.mjs` reads the
//! store itself and asks the API, and must find every figure equal to the penny.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use shopify_simulator::{
    EditLine, Generation, NewLine, NewOrder, OrderChange, RefundLine, RefundRequest, ShopSettings,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Connected, Simulated, put_orders};

/// A real shop's invoices; not part of the repository.
const DATASET: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../shared/data/online-retail.csv.gz"
);

/// Recomputes a store and compares it with the API at an address, which is that of GraphQL itself. What was
/// compared is printed; a difference fails the test.
pub(crate) async fn assert_recomputed(simulator: &str, shop: &str, api: &str, token: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recompute.mjs");
    let output = tokio::process::Command::new("node")
        .arg(script)
        .args(["--simulator", simulator, "--shop", shop])
        .args(["--api", api, "--token", token])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| {
            panic!("the recomputation needs Node 20 or newer as `node` in the PATH: {error}")
        });
    let said = String::from_utf8_lossy(&output.stdout);
    print_lines(&said);
    assert!(
        output.status.success(),
        "the recomputation of {shop} ended with {}:\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

#[expect(clippy::print_stdout, reason = "what was compared is worth reading")]
fn print_lines(text: &str) {
    print!("{text}");
}

async fn assert_store_recomputed(world: &Simulated, store: &Connected) {
    let api = world.app.post().build().unwrap().url().to_string();
    let simulator = world.app.simulator.base_url();
    assert_recomputed(simulator, store.shop.label(), &api, &store.token).await;
    world.assert_verified(store).await;
}

fn generation(orders: u64, seed: u64) -> Generation {
    let end = "2025-11-04".parse().unwrap();
    Generation {
        seed,
        ..Generation::of(orders, end)
    }
}

/// An order whose sales are given: `[kind, action, quantity, total, tax, discount]` by agreement.
fn literal(customer: Option<u64>, at: &str, agreements: &[(&str, &str, Value)]) -> Value {
    let agreements: Vec<_> = agreements
        .iter()
        .map(|(reason, happened_at, sales)| {
            let sales: Vec<_> = sales
                .as_array()
                .unwrap()
                .iter()
                .map(|sale| {
                    json!({
                        "kind": sale[0], "action": sale[1], "quantity": sale[2], "line": 0,
                        "total": sale[3], "tax": sale[4], "discount": sale[5],
                    })
                })
                .collect();
            json!({ "reason": reason, "happenedAt": happened_at, "sales": sales })
        })
        .collect();
    json!({
        "customer": customer,
        "processedAt": at,
        "lines": [{ "quantity": 1, "unitPrice": "1.00", "product": 7 }],
        "agreements": agreements,
    })
}

/// What the generator does not make.
fn special_orders() -> Value {
    let placed = |sales: Value| ("ORDER", "2025-11-02T05:30:00Z", sales);
    let later = |reason, sales: Value| (reason, "2025-11-04T04:59:59.999Z", sales);
    let lamp = || placed(json!([["PRODUCT", "ORDER", 1, "107.99", "7.99", "0"]]));
    let mut orders = vec![
        // Two who spent the same on the same day.
        literal(Some(900_001), "2025-11-02T05:30:00Z", &[lamp()]),
        literal(Some(900_002), "2025-11-02T05:30:00Z", &[lamp()]),
        // Placed on the day before the agreement says so.
        literal(Some(900_003), "2025-11-02T03:59:59Z", &[lamp()]),
        // Nothing that is in a figure: a gift card and a tip.
        literal(
            Some(900_004),
            "2025-11-02T05:30:00Z",
            &[placed(json!([
                ["GIFT_CARD", "ORDER", 1, "50.00", "0", "0"],
                ["TIP", "ORDER", 1, "5.00", "0", "0"],
            ]))],
        ),
        // Everything else that a sale can be about, and back again; a price lowered without a unit.
        literal(
            Some(900_005),
            "2025-11-02T05:30:00Z",
            &[
                placed(json!([
                    ["PRODUCT", "ORDER", 3, "32.3973", "2.3973", "3.3333"],
                    ["SHIPPING", "ORDER", null, "10.80", "0.80", "1.00"],
                    ["DUTY", "ORDER", null, "14.50", "0", "0"],
                    ["FEE", "ORDER", null, "1.62", "0.12", "0"],
                    ["ADDITIONAL_FEE", "ORDER", null, "2.00", "0", "0"],
                ])),
                later(
                    "ORDER_EDIT",
                    json!([
                        ["PRODUCT", "UPDATE", 1, "10.7991", "0.7991", "1.1111"],
                        ["PRODUCT", "UPDATE", -2, "-21.5982", "-1.5982", "-2.2222"],
                        ["PRODUCT", "UPDATE", null, "-1.08", "-0.08", "0"],
                        ["SHIPPING", "UPDATE", null, "-5.40", "-0.40", "0"],
                    ]),
                ),
                later(
                    "RETURN",
                    json!([
                        ["PRODUCT", "RETURN", -1, "-10.7991", "-0.7991", "-1.1111"],
                        ["ADJUSTMENT", "RETURN", null, "-2.50", "0", "0"],
                        ["DUTY", "RETURN", null, "-14.50", "0", "0"],
                        ["FEE", "RETURN", null, "-1.62", "-0.12", "0"],
                    ]),
                ),
            ],
        ),
        // More comes back than was ever sold.
        literal(
            Some(900_006),
            "2025-11-02T05:30:00Z",
            &[
                lamp(),
                later(
                    "REFUND",
                    json!([["PRODUCT", "RETURN", -2, "-215.98", "-15.98", "0"]]),
                ),
            ],
        ),
        // Of nothing, but an order.
        literal(
            None,
            "2025-11-02T05:30:00Z",
            &[placed(json!([["PRODUCT", "ORDER", 1, "0", "0", "9.99"]]))],
        ),
    ];
    // In the shop's earlier currency: in no sum, but the customer's first.
    let mut foreign = literal(Some(900_001), "2025-01-02T05:30:00Z", &[lamp()]);
    foreign["currency"] = json!("EUR");
    orders.push(foreign);
    let mut test = literal(Some(900_002), "2025-01-02T05:30:00Z", &[lamp()]);
    test["test"] = json!(true);
    orders.push(test);
    json!(orders)
}

/// A second life: edits, returns, refunds of every kind, cancellations, another customer, new orders. What an
/// order no longer allows is no event.
fn live_on(store: &Connected) {
    for (number, order) in store
        .shop
        .orders()
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 7 == 0)
    {
        let id = order.id;
        let line = order.line_items.first().map_or(0, |line| line.id);
        let refund = |request| store.shop.refund_order(id, &request).map(drop);
        let _refused = match number / 7 % 8 {
            0 => store
                .shop
                .edit_order(id, &[EditLine { line, by: 2 }])
                .map(drop),
            1 => store
                .shop
                .edit_order(id, &[EditLine { line, by: -1 }])
                .map(drop),
            2 => store.shop.cancel_order(id).map(drop),
            3 => refund(RefundRequest {
                lines: vec![RefundLine { line, quantity: 1 }],
                is_return: true,
                ..RefundRequest::default()
            }),
            4 => refund(RefundRequest {
                shipping: "1.00".parse().unwrap(),
                ..RefundRequest::default()
            }),
            5 => refund(RefundRequest {
                adjustment: "3.33".parse().unwrap(),
                ..RefundRequest::default()
            }),
            6 => store
                .shop
                .change_order(
                    id,
                    &OrderChange {
                        no_customer: true,
                        ..OrderChange::default()
                    },
                )
                .map(drop),
            _ => {
                let customer = store.shop.customers()[number % 50].id;
                store
                    .shop
                    .change_order(
                        id,
                        &OrderChange {
                            customer: Some(customer),
                            ..OrderChange::default()
                        },
                    )
                    .map(drop)
            }
        };
    }
    for customer in store.shop.customers().iter().take(40) {
        let placed = NewOrder {
            customer: Some(customer.id),
            lines: vec![NewLine {
                quantity: 3,
                price: Some("7.77".parse().unwrap()),
                title: Some("Article".to_owned()),
                ..NewLine::default()
            }],
            discount_percent: "15".parse().unwrap(),
            shipping: "4.95".parse().unwrap(),
            ..NewOrder::default()
        };
        store.shop.place_order(&placed).unwrap();
    }
}

#[tokio::test]
async fn a_generated_store_equals_its_recomputation_through_all_that_happens_to_it() {
    let world = Simulated::start().await;
    let settings = ShopSettings {
        currency: "USD".parse().unwrap(),
        zone: "America/New_York".parse().unwrap(),
        tax: "8".parse().unwrap(),
        ..quick("recomputed")
    };
    let store = world.register(settings).await;
    store.shop.generate(&generation(3_000, 3));
    put_orders(&store.shop, &special_orders());
    world.sync(&store).await;
    assert_store_recomputed(&world, &store).await;

    live_on(&store);
    world.sync(&store).await;
    assert_store_recomputed(&world, &store).await;

    for order in store.shop.orders().iter().step_by(29) {
        store.shop.delete_order(order.id).unwrap();
    }
    assert_eq!(
        world.app.sync_and_wait(&store.token, "FULL").await,
        "SUCCEEDED"
    );
    assert_store_recomputed(&world, &store).await;
}

#[tokio::test]
async fn a_store_with_taxes_in_its_prices_and_no_smaller_unit_equals_its_recomputation() {
    let world = Simulated::start().await;
    let settings = ShopSettings {
        currency: "JPY".parse().unwrap(),
        zone: "Asia/Tokyo".parse().unwrap(),
        tax: "10".parse().unwrap(),
        taxes_included: true,
        ..quick("yen")
    };
    let store = world.register(settings).await;
    store.shop.generate(&generation(400, 4));
    world.sync(&store).await;
    assert_store_recomputed(&world, &store).await;
}

/// Works every job off, however long it takes: half a million lines are more than other tests wait for.
async fn work_off(world: &Simulated) {
    let stop = CancellationToken::new();
    let sync = world.app.app().sync().clone();
    let worker = tokio::spawn(xboard::sync::worker::run(sync, stop.clone()));
    while world.app.database.jobs().await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_real_shop_equals_its_recomputation() {
    let file = Path::new(DATASET);
    if !file.exists() {
        print_lines("skipped: the data set is not beside the repository\n");
        return;
    }
    let world = Simulated::start().await;
    let settings = ShopSettings::new("online-retail");
    let (shop, _) = world
        .app
        .simulator
        .add_filled_shop(settings, |shop| shop.load_dataset(file))
        .unwrap();
    let token = world.app.register_owner(shop.label()).await.token;
    let store = Connected { shop, token };
    work_off(&world).await;
    world.sync(&store).await;
    assert_store_recomputed(&world, &store).await;
}

/// A store whose bucket does not slow a test down.
fn quick(label: &str) -> ShopSettings {
    ShopSettings {
        bucket_size: 20_000,
        restore_rate: 100_000,
        ..ShopSettings::new(label)
    }
}
