//! Unreadable objects are skipped: their stored version stays, others are fetched, and the run lists them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shopify_simulator::ShopSettings;

use crate::support::{Connected, Simulated, deliver, sign};

/// The secret of the shop's app.
const SECRET: &str = "hush";

/// A response or a line of a file that contains this text gets garbled.
type Odd = Arc<Mutex<String>>;

/// A proxy between the program and the shops. It makes the currencies invalid in every response and line of a file that
/// contains the text.
fn garbling(stores: &str, odd: Odd) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (beyond, rest) = stores.split_at(stores.find("/shops").unwrap());
    let (beyond, here) = (beyond.to_owned(), format!("{address}{rest}"));
    let client = reqwest::Client::new();
    let forward = async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let url = format!("{beyond}{}", parts.uri);
        let mut headers = parts.headers;
        headers.remove("accept-encoding");
        headers.remove("host");
        let answer = client
            .request(parts.method, url)
            .headers(headers)
            .body(body)
            .send()
            .await
            .unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        // The files of bulk operations come this way too.
        let body = answer.text().await.unwrap().replace(&beyond, &address);
        let odd = odd.lock().unwrap().clone();
        let garbled = |line: &str| {
            if line.contains(&odd) {
                line.replace(r#""currencyCode":""#, r#""currencyCode":"?"#)
            } else {
                line.to_owned()
            }
        };
        let body: String = body.split_inclusive('\n').map(garbled).collect();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        for name in ["content-type", "x-shopify-api-version"] {
            if let Some(value) = headers.get(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    };
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(forward)).await });
    here
}

/// A shop with three orders, behind the proxy.
async fn world() -> (Simulated, Connected, Odd) {
    let odd = Odd::new(Mutex::new("nothing yet".to_owned()));
    let text = Arc::clone(&odd);
    let world = Simulated::start_with(|config| {
        let stores = config.shopify.base_url.take().unwrap();
        config.shopify.base_url = Some(garbling(&stores, text));
    })
    .await;
    let shop = world.app.simulator.add_shop(ShopSettings::new("odd"));
    let store = world.register_signing(shop, SECRET).await;
    for _ in 0..3 {
        store.sell_lamp(None, "20.00");
    }
    (world, store, odd)
}

fn newest(store: &Connected, number: usize) -> Vec<u64> {
    let mut ids: Vec<u64> = store.shop.orders().iter().map(|order| order.id).collect();
    ids.sort_unstable();
    ids.split_off(ids.len() - number)
}

fn make_odd(odd: &Odd, id: u64) {
    *odd.lock().unwrap() = format!("gid://shopify/Order/{id}");
}

async fn orders(world: &Simulated, store: &Connected) -> i64 {
    let query = "{ overview(range: { preset: ALL_TIME }) { metrics { orders } } }";
    let overview = world.app.field(query, json!({}), Some(&store.token)).await;
    overview["metrics"]["orders"].as_i64().unwrap()
}

/// How the newest run ended, and the orders that it skipped.
async fn newest_run(world: &Simulated, store: &Connected) -> (Value, Value) {
    let query = "{ syncRuns(first: 1) { nodes { status error progress { kind leftOut } } } }";
    let runs = world.app.field(query, json!({}), Some(&store.token)).await;
    let run = &runs["nodes"][0];
    let progress = run["progress"].as_array().unwrap();
    let orders = progress.iter().find(|kind| kind["kind"] == "ORDERS");
    let skipped = orders.map_or(Value::Null, |orders| orders["leftOut"].clone());
    (json!([run["status"], run["error"]]), skipped)
}

#[tokio::test]
async fn a_run_skips_unreadable_objects_and_lists_them() {
    let (world, store, odd) = world().await;
    world.sync(&store).await;
    assert_eq!(
        newest_run(&world, &store).await,
        (json!(["SUCCEEDED", null]), json!([]))
    );
    for _ in 0..4 {
        store.sell_lamp(None, "20.00");
    }
    let placed = newest(&store, 4);
    make_odd(&odd, placed[1]);
    world.sync(&store).await;
    assert_eq!(orders(&world, &store).await, 6);
    let named = json!([placed[1].to_string()]);
    assert_eq!(
        newest_run(&world, &store).await,
        (json!(["SUCCEEDED", null]), named)
    );

    // An unreadable object that is the only change does not stop later runs.
    store.sell_lamp(None, "20.00");
    let alone = newest(&store, 1);
    make_odd(&odd, alone[0]);
    world.sync(&store).await;
    world.sync(&store).await;

    // The daily reconciliation finds both, once they are readable.
    *odd.lock().unwrap() = "nothing any more".to_owned();
    let tenant = world.tenant(&store).await;
    world
        .app
        .app()
        .sync()
        .queue_maintenance(tenant)
        .await
        .unwrap();
    world.app.work().await;
    assert_eq!(orders(&world, &store).await, 8);
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn an_initial_backfill_skips_unreadable_objects_and_lists_them() {
    let (world, store, odd) = world().await;
    let first = newest(&store, 3)[0];
    make_odd(&odd, first);
    world.sync(&store).await;
    assert_eq!(orders(&world, &store).await, 2);
    let (ended, skipped) = newest_run(&world, &store).await;
    assert_eq!(ended, json!(["SUCCEEDED", null]));
    assert_eq!(skipped, json!([first.to_string()]));
    world.assert_verified(&store).await;
}

#[tokio::test]
async fn a_run_without_readable_objects_fails_and_the_next_one_catches_up() {
    let (world, store, odd) = world().await;
    world.sync(&store).await;
    for _ in 0..2 {
        store.sell_lamp(None, "20.00");
    }
    *odd.lock().unwrap() = "gid://shopify/Order/".to_owned();
    let ended = world.app.sync_and_wait(&store.token, "INCREMENTAL").await;
    assert_eq!(ended, "FAILED");
    let (ended, _) = newest_run(&world, &store).await;
    let said =
        "none of the shop's orders can be read; this version of XBoard may be too old for the shop";
    assert_eq!(ended, json!(["FAILED", said]));
    *odd.lock().unwrap() = "nothing any more".to_owned();
    world.sync(&store).await;
    assert_eq!(orders(&world, &store).await, 5);
}

#[tokio::test]
async fn a_refetch_skips_an_unreadable_object_and_stores_the_others() {
    let (world, store, odd) = world().await;
    world.sync(&store).await;
    for _ in 0..7 {
        store.sell_lamp(None, "20.00");
    }
    let placed = newest(&store, 7);
    make_odd(&odd, placed[3]);
    for id in &placed {
        let body = format!("{{\"id\":{id}}}").into_bytes();
        let signature = sign(SECRET, &body);
        let delivery = format!("d{id}");
        let status = deliver(
            &world.app,
            "odd",
            "orders/create",
            &delivery,
            &signature,
            body,
        );
        assert_eq!(status.await, StatusCode::OK);
    }
    world.app.work().await;
    assert_eq!(orders(&world, &store).await, 9);
    let counts = world.app.database.row_counts().await;
    assert!(
        counts.contains(&("pending_refetches".to_owned(), 0)),
        "{counts:?}"
    );
}
