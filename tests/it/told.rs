//! What is told of a change brings what a process remembers to the new version: the next dashboard asks the database
//! nothing, and is the one that a process gives which knows nothing.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use shopify_simulator::{
    CustomerChange, NewLine, NewOrder, OrderChange, RefundLine, RefundRequest, ShopSettings,
};
use sqlx::Connection as _;
use sqlx::postgres::PgListener;

use crate::support::{Connected, Simulated, enter_tenant};

/// With a comment, a question that was never asked before.
fn dashboard(number: usize) -> String {
    format!(
        "# {number}
        {{ overview(range: {{ preset: LAST_7_DAYS }}, compareTo: PREVIOUS_PERIOD) {{
            metrics {{ orders unitsSold totalSales {{ amount }} returns {{ amount }} customers newCustomers }}
            previous {{ metrics {{ orders }} }} totalCustomers ordersInOtherCurrencies }}
        ordersByDate(range: {{ preset: LAST_7_DAYS }}) {{ date metrics {{ orders netSales {{ amount }} customers }} }}
        topCustomers(first: 3, range: {{ preset: LAST_7_DAYS }}) {{
            totalSpent {{ amount }} orders customer {{ displayName totalSpent {{ amount }} ordersCount lastOrderAt }} }}
        recentOrders(first: 3) {{ nodes {{
            name processedAt test financialStatus tags totalPrice {{ amount }} netPayment {{ amount }}
            customer {{ displayName email tags ordersCount }} }} }} }}"
    )
}

async fn ask(address: &str, store: &Connected, query: &str) -> Value {
    let request = reqwest::Client::new()
        .post(format!("{address}/graphql"))
        .bearer_auth(&store.token)
        .json(&json!({ "query": query }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

/// The answer that is given while nobody can read anything of a store.
async fn ask_without_database(
    world: &Simulated,
    address: &str,
    store: &Connected,
    query: &str,
) -> Option<Value> {
    let mut connection = world.app.database.connection().await;
    let mut lock = connection.begin().await.unwrap();
    sqlx::query(
        "lock table shops, orders, customers, customer_totals, customer_days, daily_sales, first_customers, \
         returning_customers, sessions in access exclusive mode",
    )
    .execute(&mut *lock)
    .await
    .unwrap();
    let asked = ask(address, store, query);
    let answer = tokio::time::timeout(Duration::from_secs(2), asked).await;
    lock.rollback().await.unwrap();
    answer.ok()
}

/// Syncs what changed, and reads nothing of the store afterwards.
async fn bring_in(world: &Simulated, store: &Connected) {
    let sync = "mutation { sync(input: { mode: INCREMENTAL }) { userErrors { code } } }";
    ask(world.app.address(), store, sync).await;
    world.app.work().await;
}

/// Has a process hear all that was told: a mutation is answered after that.
async fn hear(address: &str, store: &Connected) {
    ask(address, store, "mutation { __typename }").await;
}

fn sell(store: &Connected, customer: Option<u64>, test: bool) -> shopify_simulator::Order {
    let new = NewOrder {
        customer,
        test,
        lines: vec![NewLine {
            title: Some("Lamp".to_owned()),
            price: Some("45.00".parse().unwrap()),
            quantity: 2,
            ..NewLine::default()
        }],
        ..NewOrder::default()
    };
    store.shop.place_order(&new).unwrap()
}

#[tokio::test]
async fn a_dashboard_after_changes_that_were_told_asks_the_database_nothing() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("told")).await;
    world.app.work().await;
    let (ann, ben) = (store.create_customer("Ann"), store.create_customer("Ben"));
    let first = sell(&store, Some(ann), false);
    store.sell_lamp(Some(ben), "40.00");
    world.sync(&store).await;
    // Another process hears of the changes only.
    let other = world.app.beside().await;
    let processes = [world.app.address(), other.address()];
    for number in 0..3 {
        for address in processes {
            ask(address, &store, &dashboard(number)).await;
        }
    }
    let shop = &store.shop;
    let changes: [(&str, &dyn Fn()); 9] = [
        ("an order of a known customer", &|| {
            sell(&store, Some(ben), false);
        }),
        ("one of a new customer", &|| {
            let eve = store.create_customer("Eve");
            sell(&store, Some(eve), false);
        }),
        ("a guest's", &|| {
            sell(&store, None, false);
        }),
        ("a test", &|| {
            sell(&store, Some(ann), true);
        }),
        ("a refund", &|| {
            let lines = vec![RefundLine {
                line: first.line_items[0].id,
                quantity: 1,
            }];
            let refund = RefundRequest {
                lines,
                ..RefundRequest::default()
            };
            shop.refund_order(first.id, &refund).unwrap();
        }),
        ("a cancellation", &|| {
            let last = shop.orders().into_iter().max_by_key(|order| order.id);
            shop.cancel_order(last.unwrap().id).unwrap();
        }),
        ("another customer of an order, and tags", &|| {
            let change = OrderChange {
                customer: Some(ann),
                tags: Some(vec!["moved".to_owned()]),
                ..OrderChange::default()
            };
            shop.change_order(first.id + 1, &change).unwrap();
        }),
        ("another name of a customer", &|| {
            let change = CustomerChange {
                name: Some("Anna".to_owned()),
                tags: Some(vec!["vip".to_owned()]),
                ..CustomerChange::default()
            };
            shop.update_customer(ann, &change).unwrap();
        }),
        ("many at once, one after the other", &|| {
            for _ in 0..4 {
                sell(&store, Some(ben), false);
            }
        }),
    ];
    for (number, (what, change)) in changes.into_iter().enumerate() {
        change();
        bring_in(&world, &store).await;
        let query = dashboard(100 + number);
        let ignorant = world.app.beside().await;
        let read = ask(ignorant.address(), &store, &query).await;
        for address in processes {
            hear(address, &store).await;
            let told = ask_without_database(&world, address, &store, &query).await;
            assert_eq!(told.as_ref(), Some(&read), "{what}");
        }
    }
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn a_change_that_is_not_told_is_read() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("untold")).await;
    world.app.work().await;
    let address = world.app.address();
    let ann = store.create_customer("Ann");
    let order = sell(&store, Some(ann), false);
    world.sync(&store).await;
    for number in 0..3 {
        ask(address, &store, &dashboard(number)).await;
    }
    hear(address, &store).await;
    assert!(
        ask_without_database(&world, address, &store, &dashboard(3))
            .await
            .is_some()
    );
    world.delete_order(&store, order.id).await;
    hear(address, &store).await;
    assert_eq!(
        ask_without_database(&world, address, &store, &dashboard(4)).await,
        None
    );
    let answer = ask(address, &store, &dashboard(5)).await;
    assert_eq!(answer["overview"]["metrics"]["orders"], 0);
    assert_eq!(
        ask_without_database(&world, address, &store, &dashboard(6)).await,
        Some(answer)
    );
}

#[tokio::test]
async fn what_is_told_says_nothing_to_whoever_else_listens() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("overheard")).await;
    world.app.work().await;
    let mut listener = PgListener::connect(&world.app.database.url())
        .await
        .unwrap();
    listener.listen("xboard_live").await.unwrap();
    let eve = store.create_customer("Evelyn Unmistakable");
    sell(&store, Some(eve), false);
    bring_in(&world, &store).await;
    let mut told = 0;
    while told < 2 {
        let message = listener.recv().await.unwrap();
        let message: Value = serde_json::from_str(message.payload()).unwrap();
        // Of the customer and of the order.
        let Some(change) = message["change"].as_str() else {
            continue;
        };
        told += 1;
        let (_, sealed) = change.split_once('.').unwrap();
        let sealed = STANDARD_NO_PAD.decode(sealed).unwrap();
        let name = b"Unmistakable";
        assert!(sealed.len() > name.len());
        assert!(!sealed.windows(name.len()).any(|bytes| bytes == name));
    }
    // Statements about a store cannot read the key either.
    let mut connection = world.app.database.connection().await;
    let tenant = world.tenant(&store).await;
    let mut transaction = connection.begin().await.unwrap();
    enter_tenant(&mut transaction, tenant.uuid()).await;
    let read = sqlx::query("select key from change_key").execute(&mut *transaction);
    let error = read.await.unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}
