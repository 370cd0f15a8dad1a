//! A question about figures is answered from the news of its store, in one exchange with the database; one that turns
//! out to ask for more is answered as of one moment all the same.

use serde_json::{Value, json};
use shopify_simulator::ShopSettings;
use sqlx::Connection as _;

use crate::support::{Connected, Simulated};

const DASHBOARD: &str = "{
    overview(range: { preset: LAST_7_DAYS }, compareTo: PREVIOUS_PERIOD) {
        metrics { orders customers totalSales { amount } } previous { metrics { orders } } totalCustomers }
    ordersByDate(range: { preset: LAST_7_DAYS }) { date metrics { orders } }
    topCustomers(first: 2, range: { preset: LAST_7_DAYS }) { totalSpent { amount } orders customer { displayName } }
    recentOrders(first: 2) { nodes { name customer { displayName email } } } }";

async fn ask(world: &Simulated, store: &Connected, query: &str) -> Value {
    let answer = world
        .app
        .graphql(query, json!({}), Some(&store.token))
        .await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}

/// The last statement of each connection on which the news were read last, and what it does now.
async fn read_news_last(world: &Simulated) -> Vec<(i32, Option<String>)> {
    let mut connection = world.app.database.connection().await;
    sqlx::query_as(
        "select pid, wait_event_type from pg_stat_activity \
         where datname = current_database() and query like '%from store_news(%' and pid <> pg_backend_pid()",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_dashboard_after_a_change_that_has_to_be_read_is_one_statement_and_no_transaction() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("foreseen")).await;
    world.app.work().await;
    let (ann, ben, eve) = (
        store.create_customer("Ann"),
        store.create_customer("Ben"),
        store.create_customer("Eve"),
    );
    store.sell_lamp(Some(ann), "50.00");
    store.sell_lamp(Some(ben), "40.00");
    store.sell_lamp(None, "1.00");
    world.sync(&store).await;
    for _ in 0..2 {
        ask(&world, &store, DASHBOARD).await;
    }
    // Who was not among the first is now, and neither was asked for before. A deletion is not told.
    store.sell_lamp(Some(eve), "45.00");
    world.sync(&store).await;
    let orders = store.shop.orders();
    let guests = orders.iter().find(|order| order.customer.is_none());
    world.delete_order(&store, guests.unwrap().id).await;
    let mut connection = world.app.database.connection().await;
    let mut lock = connection.begin().await.unwrap();
    sqlx::query("lock table orders in access exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let (answer, waiting) = tokio::join!(ask(&world, &store, DASHBOARD), async {
        world.app.database.waits_for_locks(1).await;
        let seen = read_news_last(&world).await.into_iter();
        lock.rollback().await.unwrap();
        seen.filter(|(_, waits_for)| waits_for.as_deref() == Some("Lock"))
            .map(|(process, _)| process)
            .collect::<Vec<_>>()
    });
    let last = read_news_last(&world).await;
    // A transaction would have been rolled back, and other things read before.
    let is_last = |process| last.iter().any(|(other, _)| *other == process);
    assert!(
        waiting.len() == 1 && is_last(waiting[0]),
        "{waiting:?}: {last:?}"
    );
    assert_eq!(answer["overview"]["metrics"]["orders"], 3);
    let names = |list: &Value| -> Vec<Value> {
        let ones = list.as_array().unwrap().iter();
        ones.map(|one| one["customer"]["displayName"].clone())
            .collect()
    };
    assert_eq!(names(&answer["topCustomers"]), ["Ann", "Eve"]);
    assert_eq!(names(&answer["recentOrders"]["nodes"]), ["Eve", "Ben"]);
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn an_answer_that_needs_more_than_the_news_is_of_one_moment() {
    let world = Simulated::start().await;
    let store = world.register(ShopSettings::new("moved")).await;
    world.app.work().await;
    let ann = store.create_customer("Ann");
    store.sell_lamp(Some(ann), "50.00");
    world.sync(&store).await;
    ask(&world, &store, DASHBOARD).await;
    let tenant = world.tenant(&store).await;
    // Changed while the news are being read: these show what was there when they were asked for, and the
    // transaction that is begun for the rest shows the change.
    let mut connection = world.app.database.connection().await;
    let mut change = connection.begin().await.unwrap();
    sqlx::query("lock table shops in access exclusive mode")
        .execute(&mut *change)
        .await
        .unwrap();
    let query = "{ overview { totalCustomers } customers(first: 1) { totalCount } }";
    let (answer, ()) = tokio::join!(ask(&world, &store, query), async {
        world.app.database.waits_for_locks(1).await;
        for statement in [
            "insert into customers (tenant_id, id, display_name, tags, content_hash, synced_at) \
             values ($1, 77, 'Ben', '{}', 0, now())",
            "insert into customer_totals (tenant_id, customer_id, orders, total_spent, version) \
             select $1, 77, 0, 0, data_version + 1 from shops where tenant_id = $1",
            "update shops set customers = customers + 1, data_version = data_version + 1 where tenant_id = $1",
        ] {
            sqlx::query(statement)
                .bind(tenant.uuid())
                .execute(&mut *change)
                .await
                .unwrap();
        }
        change.commit().await.unwrap();
    });
    assert_eq!(answer["overview"]["totalCustomers"], 2);
    assert_eq!(answer["customers"]["totalCount"], 2);
}
