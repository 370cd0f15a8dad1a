//! The stores of a user: a further one, going over to another, disconnecting one and connecting it again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::{Value, json};
use shopify_simulator::{
    AccessChange, Fault, FaultScript, NewLine, NewOrder, ShopSettings, WebhookPlan,
};
use tracing_subscriber::layer::{self, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use uuid::Uuid;
use xboard::db::shops::ShopStatus;
use xboard::domain::ids::TenantId;

use crate::support::{Connected, ITSELF, REGISTER, Simulated, TestApp, register_input};

const CONNECT: &str =
    "mutation ($shop: ShopCredentialsInput!) { connectShop(input: { shop: $shop }) {
    session { token refreshToken } tenant { id shop { domain status connected } }
    syncRun { mode status trigger } userErrors { field code message } } }";
const SWITCH: &str = "mutation ($id: ID!) { switchTenant(tenantId: $id) {
    session { token } userErrors { field code } } }";
const DISCONNECT: &str = "mutation { disconnectShop {
    tenant { shop { status statusReason connected } } userErrors { field code } } }";
/// The dashboard's operations; the one named `Account` is sent here.
const DASHBOARD: &str = include_str!("../../web/dashboard/src/api/dashboard.graphql");
const STATUS: &str = "{ me { tenant { id shop { domain status } } } }";

fn shop_input(label: &str, token: &str) -> Value {
    register_input("", "", label, token)["shop"].clone()
}

async fn connect(app: &TestApp, session: &str, label: &str, token: &str) -> Value {
    let variables = json!({ "shop": shop_input(label, token) });
    app.field(CONNECT, variables, Some(session)).await
}

fn session_of(payload: &Value) -> String {
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["session"]["token"].as_str().unwrap().to_owned()
}

async fn domain_of(app: &TestApp, session: &str) -> String {
    let me = app.field(STATUS, json!({}), Some(session)).await;
    me["tenant"]["shop"]["domain"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_further_store_belongs_to_the_same_user_and_is_switched_to() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    app.simulator.add_shop(ShopSettings::new("looms"));
    let payload = connect(&app, &user.token, "looms", "shpat_looms").await;
    let looms = session_of(&payload);
    let id = payload["tenant"]["id"].clone();
    assert_eq!(
        payload["tenant"]["shop"],
        json!({ "domain": "looms.myshopify.com", "status": "CONNECTED", "connected": true })
    );
    assert_eq!(
        payload["syncRun"],
        json!({ "mode": "FULL", "status": "QUEUED", "trigger": "REGISTER" })
    );
    assert_eq!(domain_of(&app, &looms).await, "looms.myshopify.com");
    assert_eq!(domain_of(&app, &user.token).await, "engines.myshopify.com");
    let query = "{ me { memberships { role tenant { id shop { domain } } } } }";
    let me = app.field(query, json!({}), Some(&user.token)).await;
    let domains: Vec<_> = me["memberships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|membership| {
            assert_eq!(membership["role"], "OWNER");
            membership["tenant"]["shop"]["domain"].as_str().unwrap()
        })
        .collect();
    assert_eq!(domains, ["engines.myshopify.com", "looms.myshopify.com"]);
    let switched = app
        .field(SWITCH, json!({ "id": id }), Some(&user.token))
        .await;
    assert_eq!(
        domain_of(&app, &session_of(&switched)).await,
        "looms.myshopify.com"
    );
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn nobody_switches_to_a_store_that_is_not_theirs() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let other = app.register_shop("looms").await;
    let theirs = app.field(STATUS, json!({}), Some(&other.token)).await["tenant"]["id"].clone();
    let before = app.database.row_counts().await;
    let unknown = "ten_AAAAAAAAAAAAAAAAAAAAAA";
    for id in [theirs, json!(unknown), json!("ten_"), json!("x"), json!("")] {
        let payload = app
            .field(SWITCH, json!({ "id": id }), Some(&user.token))
            .await;
        assert_eq!(
            payload,
            json!({ "session": null, "userErrors": [{ "field": ["tenantId"], "code": "INVALID" }] })
        );
    }
    assert_eq!(app.database.row_counts().await, before);
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn going_from_store_to_store_makes_no_session_live_longer() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let mut connection = app.database.connection().await;
    sqlx::query("update sessions set signed_in_at = now() - interval '89 days'")
        .execute(&mut connection)
        .await
        .unwrap();
    let id = app.field(STATUS, json!({}), Some(&user.token)).await["tenant"]["id"].clone();
    let switched = app
        .field(SWITCH, json!({ "id": id }), Some(&user.token))
        .await;
    session_of(&switched);
    let within_a_day: Vec<bool> = sqlx::query_scalar(
        "select expires_at <= now() + interval '1 day' from sessions order by created_at",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert_eq!(within_a_day, [false, true]);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_store_that_is_connected_or_does_not_prove_itself_is_refused_and_leaves_nothing() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    let other = app.register_shop("looms").await;
    assert_ne!(user.token, other.token);
    app.simulator.add_shop(ShopSettings::new("lamps"));
    let before = app.database.row_counts().await;
    for (label, token, field, code) in [
        (
            "engines",
            "shpat_engines",
            "domain",
            "SHOP_ALREADY_CONNECTED",
        ),
        ("looms", "shpat_looms", "domain", "SHOP_ALREADY_CONNECTED"),
        (
            "lamps",
            "shpat_guessed",
            "credentials",
            "ACCESS_TOKEN_REJECTED",
        ),
        ("nowhere", "shpat_nowhere", "domain", "SHOP_NOT_FOUND"),
    ] {
        let payload = connect(&app, &user.token, label, token).await;
        assert_eq!(payload["session"], Value::Null);
        let error = &payload["userErrors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(["input", "shop", field]), &json!(code)),
            "{label}"
        );
    }
    assert_eq!(app.database.row_counts().await, before);
    app.database.leaves_jobs(2);
}

/// The program with an address that stores can reach, and a store that it listens to, with an order.
async fn listening() -> (Simulated, Connected) {
    let world = Simulated::start_with(|config| config.public_url = Some(ITSELF.to_owned())).await;
    let shop = world.app.simulator.add_shop(ShopSettings::new("heard"));
    shop.set_webhook_plan(WebhookPlan {
        allow_http: true,
        ..WebhookPlan::default()
    });
    let line = NewLine {
        title: Some("Lamp".to_owned()),
        price: Some("20.00".parse().unwrap()),
        quantity: 1,
        ..NewLine::default()
    };
    let order = NewOrder {
        lines: vec![line],
        ..NewOrder::default()
    };
    shop.place_order(&order).unwrap();
    let mut input = register_input(
        "owner@heard.example",
        "a passphrase, long enough",
        "heard",
        "shpat_heard",
    );
    input["shop"]["credentials"]["accessToken"]["apiSecret"] = json!("hush");
    let payload = world
        .app
        .field(REGISTER, json!({ "input": input }), None)
        .await;
    let token = session_of(&payload);
    let store = Connected { shop, token };
    world.sync(&store).await;
    assert_eq!(store.shop.subscriptions().len(), 16);
    (world, store)
}

/// Whether anything is kept that lets this program into the store.
async fn has_token(world: &Simulated, tenant: TenantId) -> bool {
    let mut transaction = world.app.database.db().tenant(tenant).await.unwrap();
    let sealed = transaction.lock_credentials().await.unwrap().unwrap();
    // Key id, nonce and tag around the JSON: a token of this test makes it longer than an empty one.
    let empty = r#"{"kind":"access_token","token":"","api_secret":"hush"}"#.len() + 29;
    assert!(sealed.sealed.len() >= empty);
    sealed.sealed.len() > empty
}

async fn shop(world: &Simulated, store: &Connected) -> Value {
    let query = "{ me { tenant { shop { status connected } } } }";
    let me = world.app.field(query, json!({}), Some(&store.token)).await;
    me["tenant"]["shop"].clone()
}

async fn orders(world: &Simulated, store: &Connected) -> Value {
    let orders = world
        .app
        .field("{ orders { totalCount } }", json!({}), Some(&store.token))
        .await;
    orders["totalCount"].clone()
}

async fn disconnect(world: &Simulated, store: &Connected) {
    let payload = world
        .app
        .field(DISCONNECT, json!({}), Some(&store.token))
        .await;
    assert_eq!(
        payload,
        json!({ "userErrors": [], "tenant": { "shop": {
            "status": "DISCONNECTED", "connected": false,
            "statusReason": "an owner disconnected the shop; connect it again to go on" } } })
    );
}

#[tokio::test]
async fn a_disconnected_store_is_left_alone_and_its_data_stays() {
    let (world, store) = listening().await;
    let tenant = world.tenant(&store).await;
    // A sync is waiting.
    let sync = "mutation { sync { syncRun { id } userErrors { code } } }";
    world.app.field(sync, json!({}), Some(&store.token)).await;
    disconnect(&world, &store).await;
    assert!(has_token(&world, tenant).await);
    world.app.work().await;
    assert_eq!(store.shop.subscriptions(), Vec::new());
    assert!(!has_token(&world, tenant).await);
    assert_eq!(orders(&world, &store).await, 1);
    let runs = world
        .app
        .field(
            "{ syncRuns(first: 1) { nodes { status } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(runs["nodes"][0]["status"], "CANCELLED");
    let payload = world.app.field(sync, json!({}), Some(&store.token)).await;
    assert_eq!(
        payload,
        json!({ "syncRun": null, "userErrors": [{ "code": "SHOP_DISCONNECTED" }] })
    );
    store.shop.reset_statistics();
    assert_eq!(world.app.app().sync().queue_due_syncs().await.unwrap(), 0);
    // What a sync that was under way says at its end changes nothing.
    let mut transaction = world.app.database.db().tenant(tenant).await.unwrap();
    transaction
        .set_shop_status(ShopStatus::ReauthorisationNeeded, "refused")
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(shop(&world, &store).await["status"], "DISCONNECTED");
    assert_eq!(store.shop.statistics().requests, 0);
    // Once more is no harm.
    disconnect(&world, &store).await;
    world.app.work().await;
}

#[tokio::test]
async fn a_disconnected_store_is_connected_again_with_all_that_was_kept() {
    let (world, store) = listening().await;
    disconnect(&world, &store).await;
    world.app.work().await;
    let payload = world
        .app
        .field(
            "mutation { updateShopCredentials(input: { credentials: { accessToken: { token: \"shpat_heard\", apiSecret: \"hush\" } } }) {
                tenant { shop { status } } syncRun { mode } userErrors { code } } }",
            json!({}),
            Some(&store.token),
        )
        .await;
    assert_eq!(
        payload,
        json!({ "tenant": { "shop": { "status": "CONNECTED" } }, "syncRun": { "mode": "INCREMENTAL" }, "userErrors": [] })
    );
    world.app.work().await;
    assert_eq!(store.shop.subscriptions().len(), 16);
    assert_eq!(orders(&world, &store).await, 1);
    // It is in the schedules again.
    let connected: bool = sqlx::query_scalar("select status = 'CONNECTED' from tenants")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap();
    assert!(connected);
}

#[tokio::test]
async fn a_store_that_is_connected_again_at_once_keeps_its_webhooks_and_its_token() {
    let (world, store) = listening().await;
    let tenant = world.tenant(&store).await;
    disconnect(&world, &store).await;
    let payload = connect(&world.app, &store.token, "heard", "shpat_heard").await;
    let session = session_of(&payload);
    assert_eq!(payload["tenant"]["shop"]["status"], "CONNECTED");
    assert_eq!(payload["syncRun"]["mode"], "INCREMENTAL");
    world.app.work().await;
    assert_eq!(store.shop.subscriptions().len(), 16);
    let mut transaction = world.app.database.db().tenant(tenant).await.unwrap();
    assert!(transaction.lock_credentials().await.unwrap().is_some());
    drop(transaction);
    assert_eq!(
        world.app.sync_and_wait(&session, "INCREMENTAL").await,
        "SUCCEEDED"
    );
}

#[tokio::test]
async fn only_owners_and_admins_connect_a_store_again() {
    let (world, store) = listening().await;
    disconnect(&world, &store).await;
    world.app.work().await;
    let stranger = world.app.register_shop("looms").await;
    world.app.work().await;
    let refused = async || {
        let payload = connect(&world.app, &stranger.token, "heard", "shpat_heard").await;
        payload["userErrors"][0]["code"].clone()
    };
    assert_eq!(refused().await, "SHOP_ALREADY_CONNECTED");
    let join = "insert into memberships (tenant_id, user_id, role, created_at) \
        select t.id, u.id, $1, now() from tenants t, users u \
        where t.shop_domain = 'heard.myshopify.com' and u.email = 'owner@looms.example' \
        on conflict (tenant_id, user_id) do update set role = excluded.role";
    let mut connection = world.app.database.connection().await;
    sqlx::query(join)
        .bind("VIEWER")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(refused().await, "SHOP_ALREADY_CONNECTED");
    assert_eq!(shop(&world, &store).await["status"], "DISCONNECTED");
    sqlx::query(join)
        .bind("ADMIN")
        .execute(&mut connection)
        .await
        .unwrap();
    let payload = connect(&world.app, &stranger.token, "heard", "shpat_heard").await;
    session_of(&payload);
    world.app.work().await;
    assert_eq!(shop(&world, &store).await["status"], "CONNECTED");
}

/// Records the statements that sqlx logs, but for those of the authentication and of the caches' heartbeat.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, _: layer::Context<'_, S>) {
        struct Summary(String);
        impl tracing::field::Visit for Summary {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "summary" {
                    value.clone_into(&mut self.0);
                }
            }
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let mut summary = Summary(String::new());
        event.record(&mut summary);
        let Summary(summary) = summary;
        if !summary.contains("pg_notify") && !summary.contains("s.expires_at") {
            self.0.lock().unwrap().push(summary);
        }
    }
}

#[tokio::test]
async fn the_dashboards_account_takes_six_statements_however_many_shops_and_runs_there_are() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    app.work().await;
    let statements = Statements::default();
    // The server runs on this thread.
    let _guard = tracing_subscriber::registry()
        .with(statements.clone())
        .set_default();
    let account = async || {
        let body = json!({ "query": DASHBOARD, "operationName": "Account" });
        let response = app
            .post()
            .bearer_auth(&user.token)
            .json(&body)
            .send()
            .await
            .unwrap();
        let mut body: Value = response.json().await.unwrap();
        assert_eq!(body.get("errors"), None, "{body}");
        body["data"].take()
    };
    // The first request also fills the cache of the shop's day.
    let alone = account().await;
    let name = &alone["me"]["tenant"]["shop"]["name"];
    assert_eq!(
        &alone["me"]["memberships"][0]["tenant"]["shop"]["name"],
        name
    );
    statements.take();
    assert_eq!(account().await, alone);
    let with_one = statements.take();
    assert!((1..=6).contains(&with_one.len()), "{with_one:#?}");

    let mut connection = app.database.connection().await;
    for statement in [
        "insert into tenants (id, shop_domain, shop_gid, shop_name, status, created_at) \
         select gen_random_uuid(), 'shop-' || n || '.myshopify.com', 'gid-' || n, 'Shop ' || n, 'CONNECTED', now() \
         from generate_series(1, 19) n",
        "insert into memberships (tenant_id, user_id, role, created_at) \
         select t.id, u.id, 'VIEWER', now() from tenants t, users u \
         where t.shop_name like 'Shop %'",
        "insert into sync_runs (tenant_id, id, mode, trigger, status, queued_at) \
         select tenant_id, gen_random_uuid(), 'INCREMENTAL', 'SCHEDULE', 'SUCCEEDED', now() - make_interval(days => n) \
         from shops, generate_series(1, 50) n",
        "insert into webhook_topics (tenant_id, topic, last_received_at) \
         select tenant_id, topic, now() from shops, unnest(array['orders/create', 'orders/updated', 'refunds/create']) topic",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    statements.take();
    let account = account().await;
    assert_eq!(statements.take(), with_one);
    let memberships = account["me"]["memberships"].as_array().unwrap();
    assert_eq!(memberships.len(), 20);
    assert_eq!(account["syncRuns"]["nodes"].as_array().unwrap().len(), 6);
    let health = &account["me"]["tenant"]["shop"]["health"];
    assert_ne!(health["kinds"][2]["lastHeardAt"], Value::Null);
}

#[tokio::test]
async fn a_renamed_shop_is_listed_by_its_new_name_after_a_sync() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    app.work().await;
    let names = async || {
        let query = "{ me { tenant { shop { name } } memberships { tenant { shop { name } } } } }";
        let data = app.graphql(query, json!({}), Some(&user.token)).await["data"].take();
        let listed = data["me"]["memberships"][0]["tenant"]["shop"]["name"].clone();
        [data["me"]["tenant"]["shop"]["name"].clone(), listed]
    };
    let before = names().await;
    assert_eq!(before[0], before[1]);
    // As if it had had another name until now.
    let mut connection = app.database.connection().await;
    for statement in [
        "update tenants set shop_name = 'Old'",
        "update shops set name = 'Old'",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    assert_eq!(names().await, ["Old", "Old"]);
    let sync = "mutation { sync { userErrors { code } } }";
    app.graphql(sync, json!({}), Some(&user.token)).await;
    app.work().await;
    assert_eq!(names().await, before);
}

#[tokio::test]
async fn giving_up_webhooks_outlives_a_killed_worker_and_an_outage() {
    let (world, store) = listening().await;
    let tenant = world.tenant(&store).await;
    disconnect(&world, &store).await;
    // A worker takes the job and is gone.
    let mut system = world.app.database.db().system().await.unwrap();
    let job = system
        .claim_job(Uuid::now_v7(), Utc::now(), Duration::from_mins(1), false)
        .await
        .unwrap();
    system.commit().await.unwrap();
    assert_eq!(job.unwrap().tenant, tenant);
    // Shopify is down for a while: longer than the retries of one request.
    store.shop.push_fault(FaultScript {
        times: 8,
        ..Fault::ServerError { status: 503 }.into()
    });
    world.app.work().await;
    assert_eq!(store.shop.subscriptions(), Vec::new());
    assert!(!has_token(&world, tenant).await);
}

#[tokio::test]
async fn a_store_that_lets_us_in_no_longer_is_forgotten_all_the_same() {
    let (world, store) = listening().await;
    let tenant = world.tenant(&store).await;
    store.shop.change_access(AccessChange {
        revoke_tokens: true,
        ..AccessChange::default()
    });
    disconnect(&world, &store).await;
    world.app.work().await;
    assert!(!has_token(&world, tenant).await);
    assert_eq!(shop(&world, &store).await["status"], "DISCONNECTED");
    let (status, _) = world
        .app
        .try_graphql("{ me { email } }", json!({}), Some(&store.token))
        .await;
    assert_eq!(status, StatusCode::OK);
}
