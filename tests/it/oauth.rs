//! Installing the operator's app: a merchant agrees at their store, comes back, and an account takes the store
//! over. What is forged, late, used or somebody else's is refused, and a refresh loses nothing.

use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use chrono::Utc;
use pretty_assertions::assert_eq;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};
use shopify_simulator::{AccessChange, Fault, Shop, ShopSettings};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use xboard::app::AppConfig;
use xboard::domain::ids::TenantId;
use xboard::shopify::InstallableApp;
use xboard::sync::worker;

use crate::support::{ITSELF, JWT_SECRET, Registered, Simulated, deliver, sign};

const CLIENT_ID: &str = "the-operators-app";
const SECRET: &str = "shpss_the_operators_secret";
/// What the tests' own program seals with.
const ENCRYPTION_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const CLAIM: &str = "mutation ($token: String!) { claimShop(token: $token) {
    session { token } tenant { shop { domain status } } syncRun { mode trigger } userErrors { field code } } }";

/// The program with an app, and where it listens.
async fn world() -> Simulated {
    Simulated::start_with(|config| install_from(config, ITSELF.to_owned())).await
}

/// Sets the operator's app up, which comes back to this address.
pub(crate) fn install_from(config: &mut AppConfig, address: String) {
    config.public_url = Some(address);
    config.shopify.app = Some(InstallableApp {
        client_id: CLIENT_ID.to_owned(),
        client_secret: SECRET.into(),
        scopes: "read_orders,read_customers,read_products".to_owned(),
    });
}

/// A store whose merchant may install the app.
pub(crate) fn open(world: &Simulated, label: &str) -> Arc<Shop> {
    let shop = world.app.simulator.add_shop(ShopSettings::new(label));
    offer(world, &shop);
    shop
}

/// Offers the app to a store, in place of the one that it has.
fn offer(world: &Simulated, shop: &Shop) {
    let redirect = format!("{}/oauth/callback", world.app.address());
    shop.offer_app(CLIENT_ID, SECRET, &[&redirect]);
}

/// A browser that keeps its cookie.
#[derive(Default)]
pub(crate) struct Browser {
    cookie: Option<String>,
}

impl Browser {
    /// Opens an address of the program; status, text and where it is sent.
    async fn open(&mut self, world: &Simulated, path: &str) -> (StatusCode, String, Option<Url>) {
        let mut request = world.app.get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        let response = request.send().await.unwrap();
        if let Some(cookie) = response.headers().get(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly"), "{cookie}");
            assert!(cookie.contains("; SameSite=Lax"), "{cookie}");
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        let status = response.status();
        assert_eq!(response.headers()["referrer-policy"], "no-referrer");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let location = response.headers().get(LOCATION).map(|location| {
            let location = location.to_str().unwrap();
            Url::parse(location).unwrap()
        });
        let text = response.text().await.unwrap();
        for secret in [SECRET, "shpat_", "shprt_"] {
            assert!(!text.contains(secret), "{text}");
            let sent_on = location.as_ref().map_or("", Url::as_str);
            assert!(!sent_on.contains(secret), "{sent_on}");
        }
        (status, text, location)
    }

    /// Begins at the program and agrees at the store; the fields that the store sends the browser back with.
    async fn agree(&mut self, world: &Simulated, label: &str) -> Vec<(String, String)> {
        let path = format!("/oauth/install?shop={label}.myshopify.com");
        let (status, _, consent) = self.open(world, &path).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let consent = consent.unwrap();
        assert!(
            consent
                .as_str()
                .contains(&format!("/shops/{label}/admin/oauth/authorize?")),
            "{consent}"
        );
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let agreed = client.get(consent).send().await.unwrap();
        assert_eq!(agreed.status(), StatusCode::FOUND);
        let back = Url::parse(agreed.headers()[LOCATION].to_str().unwrap()).unwrap();
        assert_eq!(back.path(), "/oauth/callback");
        let pairs = back.query_pairs();
        pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    async fn come_back(
        &mut self,
        world: &Simulated,
        fields: &[(String, String)],
    ) -> (StatusCode, String) {
        let query = Url::parse_with_params("http://x/", fields).unwrap();
        let path = format!("/oauth/callback?{}", query.query().unwrap());
        let (status, text, _) = self.open(world, &path).await;
        (status, text)
    }

    /// The whole way; the code that is left.
    pub(crate) async fn install(&mut self, world: &Simulated, label: &str) -> String {
        let fields = self.agree(world, label).await;
        let (status, text) = self.come_back(world, &fields).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let (_, rest) = text.split_once("<code id=\"claim\">").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    }
}

/// The fields with others in place of some, signed anew.
fn signed(fields: &[(String, String)], change: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields
        .iter()
        .filter(|(name, _)| name != "hmac")
        .cloned()
        .collect();
    for (name, value) in change {
        for field in fields.iter_mut().filter(|(known, _)| known == name) {
            (*value).clone_into(&mut field.1);
        }
    }
    fields.sort();
    let line: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, line.join("&").as_bytes());
    let mut hex = String::new();
    for byte in tag.as_ref() {
        write!(hex, "{byte:02x}").unwrap();
    }
    fields.push(("hmac".to_owned(), hex));
    fields
}

async fn claim(world: &Simulated, user: &Registered, token: &str) -> Value {
    world
        .app
        .field(CLAIM, json!({ "token": token }), Some(&user.token))
        .await
}

async fn sign_up(world: &Simulated, email: &str, code: &str) -> Value {
    let input = json!({ "email": email, "password": "a passphrase, long enough", "token": code });
    world
        .app
        .field(
            "mutation ($input: RegisterInstalledInput!) { registerInstalled(input: $input) {
                session { token } user { email } syncRun { mode trigger } userErrors { field code } } }",
            json!({ "input": input }),
            None,
        )
        .await
}

/// Installs a store and signs its owner up with it; their token.
async fn installed(world: &Simulated, label: &str) -> String {
    let code = Browser::default().install(world, label).await;
    let payload = sign_up(world, &format!("owner@{label}.example"), &code).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["session"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_merchant_installs_the_app_signs_up_and_the_store_is_fetched() {
    let world = world().await;
    let shop = open(&world, "engines");
    let token = installed(&world, "engines").await;
    assert_eq!(world.app.sync_and_wait(&token, "FULL").await, "SUCCEEDED");
    assert_eq!(shop.statistics().tokens_issued, 1);
    let kept: (String, Vec<u8>) = sqlx::query_as("select kind, sealed from shop_credentials")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(kept.0, "OAUTH");
    assert!(!String::from_utf8_lossy(&kept.1).contains("shp"));
}

#[tokio::test]
async fn a_signed_in_user_takes_the_store_over_once() {
    let world = world().await;
    open(&world, "engines");
    let (ada, mary) = (
        world.app.register_shop("looms").await,
        world.app.register_shop("lamps").await,
    );
    let code = Browser::default().install(&world, "engines").await;
    let payload = claim(&world, &ada, &code).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    assert_eq!(
        payload["tenant"]["shop"],
        json!({ "domain": "engines.myshopify.com", "status": "CONNECTED" })
    );
    assert_eq!(
        payload["syncRun"],
        json!({ "mode": "FULL", "trigger": "REGISTER" })
    );
    let expired = json!([{ "field": ["token"], "code": "EXPIRED" }]);
    for wrong in [code.as_str(), "", "xbc_", "nonsense"] {
        let payload = claim(&world, &mary, wrong).await;
        assert_eq!(payload["userErrors"], expired, "{wrong}");
    }
    // Who installs it once more does not get it.
    let code = Browser::default()
        .install_or_renewed(&world, "engines")
        .await;
    assert_eq!(code, None);
    let late = {
        open(&world, "late");
        Browser::default().install(&world, "late").await
    };
    sqlx::query("update install_claims set expires_at = now() - interval '1 second'")
        .execute(&mut world.app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(claim(&world, &mary, &late).await["userErrors"], expired);
    world.app.work().await;
}

impl Browser {
    /// The whole way where the store may be known already: no code is left then.
    async fn install_or_renewed(&mut self, world: &Simulated, label: &str) -> Option<String> {
        let fields = self.agree(world, label).await;
        let (status, text) = self.come_back(world, &fields).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let (_, rest) = text.split_once("<code id=\"claim\">")?;
        Some(rest.split_once('<')?.0.to_owned())
    }
}

#[tokio::test]
async fn whatever_is_forged_late_used_or_anothers_is_refused_before_the_code_is_traded() {
    let world = world().await;
    let shop = open(&world, "engines");
    open(&world, "looms");
    let refused = async |browser: &mut Browser, fields: &[(String, String)]| {
        let (status, text) = browser.come_back(&world, fields).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
    };
    let mut browser = Browser::default();
    let good = browser.agree(&world, "engines").await;

    // What Shopify did not sign so.
    let mut forged = good.clone();
    forged
        .iter_mut()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1 = "guessed".to_owned();
    refused(&mut browser, &forged).await;
    let unsigned: Vec<_> = good
        .iter()
        .filter(|(name, _)| name != "hmac")
        .cloned()
        .collect();
    refused(&mut browser, &unsigned).await;
    // What it signed long ago, or will.
    for away in [-91, 91] {
        let then = (Utc::now().timestamp() + away).to_string();
        refused(&mut browser, &signed(&good, &[("timestamp", &then)])).await;
    }
    // None of these used the state up, or had the code traded.
    let waiting: i64 = sqlx::query_scalar("select count(*) from install_states")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(waiting, 1);
    // A state that nobody made, in whatever form.
    for state in [
        "",
        "xbs_",
        "xbs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        refused(&mut browser, &signed(&good, &[("state", state)])).await;
    }
    // Fields that are there twice are believed in neither of their values.
    let mut twice = good.clone();
    twice.push(("shop".to_owned(), "looms.myshopify.com".to_owned()));
    let (status, _) = browser.come_back(&world, &signed(&twice, &[])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    // With a second cookie, which somebody planted.
    let mut planted = Browser {
        cookie: browser
            .cookie
            .clone()
            .map(|cookie| format!("{cookie}; {cookie}")),
    };
    refused(&mut planted, &good).await;
    // In another browser, or in one without a cookie: the state is used up by that.
    let mut other = Browser::default();
    other.agree(&world, "engines").await;
    refused(&mut other, &good).await;
    refused(&mut browser, &good).await;
    let second = browser.agree(&world, "engines").await;
    refused(&mut Browser::default(), &second).await;
    // For another store than the one that was asked for.
    let third = browser.agree(&world, "engines").await;
    let swapped = signed(&third, &[("shop", "looms.myshopify.com")]);
    refused(&mut browser, &swapped).await;
    // Too late.
    let fourth = browser.agree(&world, "engines").await;
    sqlx::query("update install_states set expires_at = now() - interval '1 second'")
        .execute(&mut world.app.database.connection().await)
        .await
        .unwrap();
    refused(&mut browser, &fourth).await;
    let trades = shop.statistics().by_operation;
    assert_eq!(trades.get("access_token"), None);
    // Twice.
    let fifth = browser.agree(&world, "engines").await;
    let (status, _) = browser.come_back(&world, &fifth).await;
    assert_eq!(status, StatusCode::OK);
    refused(&mut browser, &fifth).await;
    assert_eq!(shop.statistics().tokens_issued, 1);
    // With a code that Shopify does not know.
    let sixth = browser.agree(&world, "engines").await;
    refused(&mut browser, &signed(&sixth, &[("code", "guessed")])).await;
    assert_eq!(shop.statistics().tokens_issued, 1);
    // While Shopify fails: the state is used up all the same.
    let seventh = browser.agree(&world, "engines").await;
    shop.push_fault_for("access_token", Fault::ServerError { status: 503 });
    let (status, _) = browser.come_back(&world, &seventh).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    refused(&mut browser, &seventh).await;
    let kept: (i64, i64) = sqlx::query_as(
        "select (select count(*) from install_claims), (select count(*) from tenants)",
    )
    .fetch_one(&mut world.app.database.connection().await)
    .await
    .unwrap();
    assert_eq!(kept, (1, 0));
}

#[tokio::test]
async fn a_store_that_another_account_reads_stays_as_it_is() {
    let world = world().await;
    let owner = world.app.register_shop("engines").await;
    world.app.work().await;
    offer(&world, &world.app.simulator.shop("engines").unwrap());
    let kept = async || -> Vec<(String, Vec<u8>)> {
        sqlx::query_as("select kind, sealed from shop_credentials order by tenant_id")
            .fetch_all(&mut world.app.database.connection().await)
            .await
            .unwrap()
    };
    let before = kept().await;
    let code = Browser::default().install(&world, "engines").await;
    assert_eq!(kept().await, before);
    let stranger = world.app.register_shop("looms").await;
    world.app.work().await;
    let payload = claim(&world, &stranger, &code).await;
    assert_eq!(
        payload["userErrors"],
        json!([{ "field": ["token"], "code": "SHOP_ALREADY_CONNECTED" }])
    );
    let signed_up = sign_up(&world, "new@example.com", &code).await;
    assert_eq!(
        signed_up["userErrors"],
        json!([{ "field": ["input", "token"], "code": "SHOP_ALREADY_CONNECTED" }])
    );
    // Its owner has it already, by other credentials; to change that they disconnect it first.
    let payload = claim(&world, &owner, &code).await;
    assert_eq!(payload["userErrors"][0]["code"], "SHOP_ALREADY_CONNECTED");
    assert_eq!(kept().await.len(), 2);
    assert!(kept().await.contains(&before[0]));
    let disconnect = "mutation { disconnectShop { userErrors { code } } }";
    world
        .app
        .field(disconnect, json!({}), Some(&owner.token))
        .await;
    let payload = claim(&world, &owner, &code).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    let users: i64 = sqlx::query_scalar("select count(*) from users")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap();
    assert_eq!(users, 2);
    world.app.work().await;
}

#[tokio::test]
async fn of_two_who_claim_a_store_at_once_one_gets_it() {
    let world = world().await;
    open(&world, "engines");
    let (ada, mary) = (
        world.app.register_shop("looms").await,
        world.app.register_shop("lamps").await,
    );
    let code = Browser::default().install(&world, "engines").await;
    let (first, second) = tokio::join!(claim(&world, &ada, &code), claim(&world, &mary, &code));
    let codes = |payload: &Value| payload["userErrors"][0]["code"].clone();
    let mut answers = [codes(&first), codes(&second)];
    answers.sort_by_key(Value::is_null);
    assert_eq!(answers, [json!("EXPIRED"), Value::Null]);
    world.app.work().await;
}

#[tokio::test]
async fn no_domain_steers_a_browser_or_a_request_to_another_host() {
    let world = world().await;
    for shop in [
        "engines",
        "engines.myshopify.com.evil.example",
        "evil.example%2F.myshopify.com",
        "engines.myshopify.com%0A",
        "evil.example%23.myshopify.com",
        "a%40evil.example",
        "",
    ] {
        let path = format!("/oauth/install?shop={shop}x");
        let (status, _, location) = Browser::default().open(&world, &path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{shop}");
        assert_eq!(location, None, "{shop}");
    }
    let (status, _, location) = Browser::default()
        .open(&world, "/oauth/install?shop=ENGINES.myshopify.com")
        .await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let location = location.unwrap();
    assert!(location.path().starts_with("/shops/engines/"), "{location}");
    // Signed by somebody: then by Shopify, and now.
    let path = "/oauth/install?shop=engines.myshopify.com&timestamp=1&hmac=00";
    let (status, _, location) = Browser::default().open(&world, path).await;
    assert_eq!((status, location), (StatusCode::FORBIDDEN, None));
}

#[tokio::test]
async fn what_shopify_signs_for_a_store_that_nobody_took_over_is_acknowledged() {
    let world = world().await;
    open(&world, "engines");
    Browser::default().install(&world, "engines").await;
    let body = json!({ "shop_domain": "engines.myshopify.com" }).to_string();
    let deliver = async |secret: &str| {
        let signature = sign(secret, body.as_bytes());
        let body = body.clone().into_bytes();
        deliver(&world.app, "engines", "shop/redact", "1", &signature, body).await
    };
    assert_eq!(deliver(SECRET).await, StatusCode::OK);
    assert_eq!(deliver("another secret").await, StatusCode::UNAUTHORIZED);
    world.app.database.leaves_jobs(0);
}

#[tokio::test]
async fn without_an_app_there_is_nothing_to_install() {
    let world = Simulated::start().await;
    let mut browser = Browser::default();
    for path in [
        "/oauth/install?shop=engines.myshopify.com",
        "/oauth/callback?shop=engines.myshopify.com",
    ] {
        let (status, _, _) = browser.open(&world, path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

/// Shopify's side of an hour gone by: the program finds out when its token is refused.
fn expire(shop: &Shop) {
    shop.change_access(AccessChange {
        expire_tokens: true,
        ..AccessChange::default()
    });
}

/// A store that was installed and fetched, whose access token has ended since; with the token of its owner's
/// session. Nothing is counted yet of what the store is asked.
async fn an_hour_later() -> (Simulated, Arc<Shop>, String) {
    let world = world().await;
    let shop = open(&world, "engines");
    let token = installed(&world, "engines").await;
    world.app.work().await;
    expire(&shop);
    shop.reset_statistics();
    (world, shop, token)
}

/// The store's tenant, of which there is one.
async fn tenant(world: &Simulated) -> TenantId {
    let id: Uuid = sqlx::query_scalar("select id from tenants")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap();
    serde_json::from_value(json!(id)).unwrap()
}

/// Asks for a sync, which waits for a worker.
async fn ask_for_a_sync(world: &Simulated, token: &str) {
    let sync = "mutation { sync { syncRun { status } userErrors { code } } }";
    let asked = world.app.field(sync, json!({}), Some(token)).await;
    assert_eq!(asked["syncRun"]["status"], "QUEUED", "{asked}");
}

/// What became of the newest sync.
async fn newest_sync(world: &Simulated) -> String {
    sqlx::query_scalar("select status from sync_runs order by queued_at desc limit 1")
        .fetch_one(&mut world.app.database.connection().await)
        .await
        .unwrap()
}

/// The program's worker as a process of its own, which can be killed.
fn process(world: &Simulated) -> Child {
    Command::new(env!("CARGO_BIN_EXE_xboard"))
        .arg("worker")
        .env_clear()
        .env("DATABASE_URL", world.app.database.url())
        .env("JWT_SECRET", JWT_SECRET)
        .env("ENCRYPTION_KEY", ENCRYPTION_KEY)
        .env("SHOPIFY_BASE_URL", world.app.simulator.shopify_base_url())
        .env("PUBLIC_URL", world.app.address())
        .env("SHOPIFY_API_KEY", CLIENT_ID)
        .env("SHOPIFY_API_SECRET", SECRET)
        .env("SYNC_INTERVAL_SECONDS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_token_that_ended_is_refreshed_once_though_two_processes_need_it_at_once() {
    let (world, shop, token) = an_hour_later().await;
    shop.push_fault_for("access_token", Fault::Slow { millis: 1_500 });
    let address = world.app.address().to_owned();
    let beside = world.app.beside_with(|config| {
        install_from(config, address);
        // It has its hands full with the sync, so that the upkeep is the other's.
        config.sync.concurrency = 1;
    });
    let beside = beside.await;
    ask_for_a_sync(&world, &token).await;
    let shutdown = CancellationToken::new();
    let first = tokio::spawn(worker::run(beside.app().sync().clone(), shutdown.clone()));
    until("the first was refused", async || {
        shop.statistics().unauthorized == 1
    })
    .await;
    let upkeep = world.app.app().sync();
    upkeep
        .queue_maintenance(tenant(&world).await)
        .await
        .unwrap();
    let mut looking = world.app.database.connection().await;
    let second_waits = until("the second waits for the first", async || {
        let waiting = "select exists(select from pg_stat_activity \
                       where wait_event_type = 'Lock' and query like '%from shop_credentials%')";
        sqlx::query_scalar(waiting)
            .fetch_one(&mut looking)
            .await
            .unwrap()
    });
    tokio::join!(second_waits, world.app.work());
    shutdown.cancel();
    first.await.unwrap();
    let statistics = shop.statistics();
    assert_eq!(
        (statistics.unauthorized, statistics.tokens_issued),
        (1, 1),
        "{statistics:?}"
    );
    assert_eq!(newest_sync(&world).await, "SUCCEEDED");
}

#[tokio::test]
async fn a_process_that_dies_before_the_next_pair_is_kept_loses_nothing() {
    let (world, shop, token) = an_hour_later().await;
    // Whoever keeps a pair waits for this lock, which the test has.
    let mut gate = world.app.database.connection().await;
    for statement in [
        "create function wait_at_the_gate() returns trigger language plpgsql \
         as $$ begin perform pg_advisory_xact_lock(20261125); return new; end $$",
        "create trigger gate before update on shop_credentials for each row execute function wait_at_the_gate()",
        "select pg_advisory_lock(20261125)",
    ] {
        sqlx::raw_sql(statement).execute(&mut gate).await.unwrap();
    }
    ask_for_a_sync(&world, &token).await;
    let mut process = process(&world);
    let waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
    let mut looking = world.app.database.connection().await;
    until("the next pair is about to be kept", async || {
        let waiting: i64 = sqlx::query_scalar(waiting)
            .fetch_one(&mut looking)
            .await
            .unwrap();
        waiting == 1
    })
    .await;
    assert_eq!(shop.statistics().tokens_issued, 1);
    process.kill().await.unwrap();
    sqlx::raw_sql("select pg_advisory_unlock(20261125)")
        .execute(&mut gate)
        .await
        .unwrap();
    // The pair is lost that nobody kept; the refresh token before it is good for another.
    world.app.work().await;
    assert_eq!(newest_sync(&world).await, "SUCCEEDED");
    assert_eq!(shop.statistics().tokens_issued, 2);
}

#[tokio::test]
async fn a_process_that_dies_before_the_next_pair_is_used_leaves_it_to_the_next_one() {
    let (world, shop, token) = an_hour_later().await;
    let kept = async || {
        sqlx::query_scalar::<_, Vec<u8>>("select sealed from shop_credentials")
            .fetch_one(&mut world.app.database.connection().await)
            .await
            .unwrap()
    };
    let before = kept().await;
    // The first request is refused for its token, and the one with the next takes too long for the process.
    shop.push_fault_for("ShopRecord", Fault::Slow { millis: 0 });
    shop.push_fault_for("ShopRecord", Fault::Slow { millis: 60_000 });
    ask_for_a_sync(&world, &token).await;
    let mut process = process(&world);
    until("the next pair is kept", async || kept().await != before).await;
    process.kill().await.unwrap();
    shop.clear_faults();
    world.app.work().await;
    assert_eq!(newest_sync(&world).await, "SUCCEEDED");
    assert_eq!(shop.statistics().tokens_issued, 1);
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_is_made_again_with_the_old_token() {
    let (world, shop, token) = an_hour_later().await;
    let before = shop.statistics().tokens_issued;
    shop.push_fault_for("access_token", Fault::LoseAnswer);
    assert_eq!(
        world.app.sync_and_wait(&token, "INCREMENTAL").await,
        "SUCCEEDED"
    );
    // The one that was lost, and the one that was kept.
    assert_eq!(shop.statistics().tokens_issued, before + 2);
    assert_eq!(
        world.app.sync_and_wait(&token, "INCREMENTAL").await,
        "SUCCEEDED"
    );
    assert_eq!(shop.statistics().tokens_issued, before + 2);
}

#[tokio::test]
async fn a_merchant_who_took_access_away_installs_again_and_the_store_goes_on() {
    let world = world().await;
    let shop = open(&world, "engines");
    let token = installed(&world, "engines").await;
    world.app.work().await;
    shop.change_access(AccessChange {
        revoke_tokens: true,
        ..AccessChange::default()
    });
    assert_eq!(
        world.app.sync_and_wait(&token, "INCREMENTAL").await,
        "FAILED"
    );
    let status = "{ me { tenant { shop { status statusReason } } } }";
    let me = world.app.field(status, json!({}), Some(&token)).await;
    assert_eq!(me["tenant"]["shop"]["status"], "REAUTHORISATION_NEEDED");
    assert_eq!(
        me["tenant"]["shop"]["statusReason"],
        "the app no longer has access to the shop (invalid_request); install it again"
    );
    let code = Browser::default()
        .install_or_renewed(&world, "engines")
        .await;
    assert_eq!(code, None);
    assert_eq!(
        world.app.sync_and_wait(&token, "INCREMENTAL").await,
        "SUCCEEDED"
    );
    let log = "{ auditLog(first: 3) { nodes { action actorKind subject } } }";
    let log = world.app.field(log, json!({}), Some(&token)).await;
    assert!(
        log["nodes"].as_array().unwrap().contains(&json!({
            "action": "CREDENTIALS_CHANGED", "actorKind": "SHOPIFY", "subject": "OAUTH"
        })),
        "{log}"
    );
    // Disconnected by its owner, it waits for its members.
    let disconnect = "mutation { disconnectShop { userErrors { code } } }";
    world.app.field(disconnect, json!({}), Some(&token)).await;
    world.app.work().await;
    let code = Browser::default().install(&world, "engines").await;
    let stranger = world.app.register_shop("looms").await;
    let payload = claim(&world, &stranger, &code).await;
    assert_eq!(payload["userErrors"][0]["code"], "SHOP_ALREADY_CONNECTED");
    let payload = world
        .app
        .field(CLAIM, json!({ "token": code }), Some(&token))
        .await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    world.app.work().await;
}
