//! Secrets never come out: a whole run of the program is logged as chattily as it can be, and searched for
//! every secret that was used in it; so are what it prints of its settings, and a dump of its database.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args as _, Command as Cli, FromArgMatches as _};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use shopify_simulator::{AccessChange, Fault, NewCustomer, ShopSettings, Simulator};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use xboard::app::AppConfig;
use xboard::config::Settings;

use crate::support::{REGISTER, Socket, TestDatabase, register_input, sign};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xboard");
const JWT_SECRET: &str = "walnut-canoe-signs-the-tokens-of-this-run";
/// base64 of `an encryption key of 32 bytes!!!`.
const ENCRYPTION_KEY: &str = "YW4gZW5jcnlwdGlvbiBrZXkgb2YgMzIgYnl0ZXMhISE=";
const APP_SECRET: &str = "walnut-canoe-signs-for-the-operators-app";
/// Where Shopify would reach the program, if anything listened there.
const PUBLIC_URL: &str = "https://127.0.0.1:1";
const DATABASE_PASSWORD: &str = "walnut-canoe-opens-the-database";
/// Everything that can be said by the program's own crates and those that see its secrets.
const CHATTY: &str = "debug,xboard=trace,simulator=off,sqlx=trace,tower_http=trace,async_graphql=trace,\
                      hyper=debug,h2=debug,rustls=debug,reqwest=debug";

/// The secrets of a run, by what they are.
#[derive(Default)]
struct Secrets(BTreeMap<String, String>);

impl Secrets {
    fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() > 7, "{what} is too short to be searched for");
        self.0.insert(what.to_owned(), secret.to_owned());
    }

    /// What of them is in a text, as it is or encoded.
    fn found_in(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (what, secret) in &self.0 {
            let hex = secret
                .bytes()
                .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
            let base64 = STANDARD.encode(&secret.as_bytes()[..secret.len() / 3 * 3]);
            for written in [secret.clone(), hex, base64, secret.replace('"', "\\\"")] {
                if let Some(at) = text.find(&written) {
                    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
                    let end = text[at..].find('\n').map_or(text.len(), |line| at + line);
                    found.push(format!("{what}: {}", &text[start..end]));
                    break;
                }
            }
        }
        found
    }
}

/// The running program, and what it has said so far.
struct Run {
    database: TestDatabase,
    simulator: Simulator,
    client: reqwest::Client,
    log: Arc<Mutex<String>>,
    secrets: Secrets,
    address: String,
    child: Option<Child>,
}

fn url_of(database: &TestDatabase) -> String {
    let mut url = reqwest::Url::parse(&database.url()).unwrap();
    url.set_password(Some(DATABASE_PASSWORD)).unwrap();
    url.into()
}

fn keep(log: &Arc<Mutex<String>>, from: impl AsyncRead + Unpin + Send + 'static) {
    let log = Arc::clone(log);
    let mut lines = BufReader::new(from).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = log.lock().unwrap();
            *log += &line;
            log.push('\n');
        }
    });
}

impl Run {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        let simulator = Simulator::start().await.unwrap();
        let mut run = Self {
            database,
            simulator,
            client: reqwest::Client::new(),
            log: Arc::default(),
            secrets: Secrets::default(),
            address: String::new(),
            child: None,
        };
        run.secrets.add("signing secret", JWT_SECRET);
        run.secrets.add("encryption key", ENCRYPTION_KEY);
        run.secrets.add(
            "encryption key, decoded",
            "an encryption key of 32 bytes!!!",
        );
        run.secrets.add("database password", DATABASE_PASSWORD);
        run.secrets.add("the app's secret", APP_SECRET);
        let mut command = run.command();
        let mut child = command.args(["serve", "--port", "0"]).spawn().unwrap();
        keep(&run.log, child.stdout.take().unwrap());
        keep(&run.log, child.stderr.take().unwrap());
        run.child = Some(child);
        let began = Instant::now();
        run.address = loop {
            let said = run.log.lock().unwrap().clone();
            let address = said
                .split("server.address=")
                .nth(1)
                .and_then(|rest| rest.split_whitespace().next());
            if let Some(address) = address {
                break format!("http://{address}");
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        run
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("DATABASE_URL", url_of(&self.database))
            .env("JWT_SECRET", JWT_SECRET)
            .env("ENCRYPTION_KEY", ENCRYPTION_KEY)
            .env("BCRYPT_COST", "4")
            .env("SHOPIFY_BASE_URL", self.simulator.shopify_base_url())
            .env("PUBLIC_URL", PUBLIC_URL)
            .env("SHOPIFY_API_KEY", "the-operators-app")
            .env("SHOPIFY_API_SECRET", APP_SECRET)
            .env("SYNC_INTERVAL_SECONDS", "3600")
            .env("RUST_LOG", CHATTY)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command of the program beside it; what it says is kept too.
    async fn beside(&self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> bool {
        let mut command = self.command();
        change(&mut command);
        let output = command.args(arguments).output().await.unwrap();
        let mut log = self.log.lock().unwrap();
        for said in [&output.stdout, &output.stderr] {
            *log += &String::from_utf8_lossy(said);
        }
        output.status.success()
    }

    async fn ask(&self, query: &str, variables: Value, token: Option<&str>) -> Value {
        let mut request = self
            .client
            .post(format!("{}/graphql", self.address))
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Takes the secrets of a session in, and gives its access token and its refresh token.
    fn session(&mut self, what: &str, payload: &Value) -> (String, String) {
        let text = |name: &str| {
            let text = payload["session"][name].as_str();
            text.unwrap_or_else(|| panic!("{payload}")).to_owned()
        };
        let (token, refresh_token) = (text("token"), text("refreshToken"));
        self.secrets.add(&format!("{what}: access token"), &token);
        self.secrets.add(
            &format!("{what}: its signature"),
            token.split('.').nth(2).unwrap(),
        );
        self.secrets
            .add(&format!("{what}: refresh token"), &refresh_token);
        (token, refresh_token)
    }

    async fn register(&mut self, label: &str, credentials: Value) -> (String, String) {
        let email = format!("owner@{label}.example");
        let password = format!("walnut canoe of {label} at dawn");
        self.secrets.add(&format!("{label}: email"), &email);
        self.secrets.add(&format!("{label}: password"), &password);
        let mut input = register_input(&email, &password, label, "");
        input["shop"]["credentials"] = credentials;
        let answer = self.ask(REGISTER, json!({ "input": input }), None).await;
        self.session(label, &answer["data"]["register"])
    }

    async fn deliver(
        &mut self,
        label: &str,
        secret: &str,
        topic: &str,
        body: &Value,
    ) -> StatusCode {
        let body = body.to_string();
        let signature = sign(secret, body.as_bytes());
        self.secrets
            .add(&format!("signature of {topic} with {secret}"), &signature);
        let request = self
            .client
            .post(format!("{}/webhooks", self.address))
            .header("x-shopify-topic", topic)
            .header("x-shopify-shop-domain", format!("{label}.myshopify.com"))
            .header(
                "x-shopify-webhook-id",
                format!("{label}-{}", self.secrets.0.len()),
            )
            .header("x-shopify-hmac-sha256", signature)
            .body(body);
        request.send().await.unwrap().status()
    }

    /// Opens a page in a browser that keeps this cookie; the status, the text, where it is sent and what it keeps.
    async fn browse(&self, url: &str, cookie: &str) -> (StatusCode, String, String, String) {
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let response = browser
            .get(url)
            .header(COOKIE, cookie)
            .send()
            .await
            .unwrap();
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        let (location, kept) = (header(LOCATION), header(SET_COOKIE));
        let kept = kept.split(';').next().unwrap_or_default().to_owned();
        (
            response.status(),
            response.text().await.unwrap(),
            location,
            kept,
        )
    }

    /// Installs the operator's app, and signs up with the store; the owner's access token.
    async fn install(&mut self, label: &str) -> String {
        let shop = self.simulator.add_shop(ShopSettings::new(label));
        let redirect = format!("{PUBLIC_URL}/oauth/callback");
        shop.offer_app("the-operators-app", APP_SECRET, &[&redirect]);
        let begin = format!("{}/oauth/install?shop={label}.myshopify.com", self.address);
        let (_, _, consent, kept) = self.browse(&begin, "").await;
        let (_, browser) = kept.split_once('=').unwrap();
        self.secrets.add("install: browser", browser);
        let (_, _, back, _) = self.browse(&consent, "").await;
        let fields = reqwest::Url::parse(&back).unwrap();
        for (name, value) in fields.query_pairs() {
            if ["code", "hmac", "state"].contains(&name.as_ref()) {
                self.secrets.add(&format!("install: {name}"), &value);
            }
        }
        let query = fields.query().unwrap();
        // Forged, then as it came, then once more.
        for (query, status) in [
            (query.replace("code=", "code=walnut"), StatusCode::FORBIDDEN),
            (query.to_owned(), StatusCode::OK),
            (query.to_owned(), StatusCode::FORBIDDEN),
        ] {
            let url = format!("{}/oauth/callback?{query}", self.address);
            let (answered, text, _, _) = self.browse(&url, &kept).await;
            assert_eq!(answered, status, "{text}");
            if let Some((_, rest)) = text.split_once("<code id=\"claim\">") {
                let claim = rest.split('<').next().unwrap();
                self.secrets.add("install: claim", claim);
            }
        }
        let claim = self.secrets.0["install: claim"].clone();
        let password = "walnut canoe that was installed";
        self.secrets.add("install: password", password);
        let input =
            json!({ "email": "owner@installed.example", "password": password, "token": claim });
        let sign_up =
            "mutation ($input: RegisterInstalledInput!) { registerInstalled(input: $input) {
            session { token refreshToken } userErrors { code } } }";
        for bad in ["xbc_walnutwalnut", "walnut-no-claim"] {
            self.secrets.add(bad, bad);
            let mut input = input.clone();
            input["token"] = json!(bad);
            self.ask(sign_up, json!({ "input": input }), None).await;
        }
        let answer = self.ask(sign_up, json!({ "input": input }), None).await;
        let (token, _) = self.session("install", &answer["data"]["registerInstalled"]);
        self.idle().await;
        // The pair is refreshed.
        shop.change_access(AccessChange {
            expire_tokens: true,
            ..AccessChange::default()
        });
        shop.push_fault_for("access_token", Fault::LoseAnswer);
        let sync = "mutation { sync { syncRun { id } } }";
        self.ask(sync, json!({}), Some(&token)).await;
        self.idle().await;
        assert!(shop.statistics().tokens_issued > 2);
        token
    }

    /// Somebody is invited, comes, forgets the password, and gets another.
    async fn invite(&mut self, token: &str) {
        let invite = "mutation { inviteMember(input: { email: \"walnut.guest@static.example\", role: VIEWER }) { token } }";
        let answer = self.ask(invite, json!({}), Some(token)).await;
        let invitation = answer["data"]["inviteMember"]["token"]
            .as_str()
            .unwrap()
            .to_owned();
        self.secrets.add("invitation", &invitation);
        let accept = "mutation ($token: String!, $password: String) {
            acceptInvitation(input: { token: $token, password: $password }) {
                session { token refreshToken } userErrors { code } } }";
        for (token, password, holds) in [
            ("xbi_walnutwalnut", "walnut canoe of a guest", false),
            (&*invitation, "walnut", false),
            (&*invitation, "walnut canoe of a guest", true),
            (&*invitation, "walnut canoe of a second guest", false),
        ] {
            self.secrets.add(token, token);
            if password.len() > 7 {
                self.secrets.add(password, password);
            }
            let variables = json!({ "token": token, "password": password });
            let answer = self.ask(accept, variables, None).await;
            let errors = &answer["data"]["acceptInvitation"]["userErrors"];
            assert_eq!(*errors == json!([]), holds, "{answer}");
        }
        // The token is for the operator to read, so what the command prints is no log.
        let mut command = self.command();
        let output = command
            .args(["user", "reset-password", "walnut.guest@static.example"])
            .output();
        let output = output.await.unwrap();
        *self.log.lock().unwrap() += &String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8(output.stdout).unwrap();
        let reset = printed
            .split_whitespace()
            .find(|word| word.starts_with("xbp_"));
        let reset = reset.unwrap_or_else(|| panic!("{printed}")).to_owned();
        self.secrets.add("reset", &reset);
        let renew = "mutation ($token: String!, $password: String!) {
            resetPassword(input: { token: $token, newPassword: $password }) { userErrors { code } } }";
        for (token, password, holds) in [
            ("xbp_walnutwalnut", "walnut canoe, remembered", false),
            (&*reset, "walnut canoe, remembered", true),
            (&*reset, "walnut canoe, forgotten anew", false),
        ] {
            self.secrets.add(token, token);
            self.secrets.add(password, password);
            let variables = json!({ "token": token, "password": password });
            let answer = self.ask(renew, variables, None).await;
            let errors = &answer["data"]["resetPassword"]["userErrors"];
            assert_eq!(*errors == json!([]), holds, "{answer}");
        }
    }

    /// Waits until the worker has nothing left to do.
    async fn idle(&self) {
        let began = Instant::now();
        while self.database.jobs().await > 0 {
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "there is always something to do"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the program in good order; everything that it said.
    async fn end(&mut self) -> String {
        let mut child = self.child.take().unwrap();
        let pid = child.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        assert!(child.wait().await.unwrap().success());
        self.log.lock().unwrap().clone()
    }
}

const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) { session { token refreshToken } userErrors { code } } }";
const REFRESH: &str = "mutation ($token: String!) {
    refreshSession(refreshToken: $token) { session { token refreshToken } userErrors { code } } }";
const UPDATE: &str = "mutation ($credentials: CredentialsInput!) {
    updateShopCredentials(input: { credentials: $credentials }) { userErrors { code } } }";

/// Everything that goes well in the life of a store.
async fn live(run: &mut Run) -> (String, String) {
    for label in ["static", "traded"] {
        let shop = run.simulator.add_shop(ShopSettings::new(label));
        let email = format!("walnut.customer@{label}.example");
        run.secrets
            .add(&format!("{label}: a customer's email"), &email);
        shop.create_customer(&NewCustomer {
            email: Some(email),
            name: "Walnutina".to_owned(),
            ..NewCustomer::default()
        });
        let (_, secret, token) = shop.credentials();
        run.secrets.add(&format!("{label}: client secret"), &secret);
        run.secrets
            .add(&format!("{label}: access token"), &token.unwrap());
    }
    run.secrets.add("app secret", "walnut-hush-static");
    let (token, _) = run
        .register(
            "static",
            json!({ "accessToken": { "token": "shpat_static", "apiSecret": "walnut-hush-static" } }),
        )
        .await;
    let (other, _) = run
        .register(
            "traded",
            json!({ "clientCredentials": { "clientId": "client-traded", "clientSecret": "shpss_traded" } }),
        )
        .await;
    run.idle().await;
    for (label, secret) in [("static", "walnut-hush-static"), ("traded", "shpss_traded")] {
        let domain = format!("{label}.myshopify.com");
        for (topic, body) in [
            ("orders/create", json!({ "id": 7 })),
            (
                "customers/data_request",
                json!({ "shop_domain": domain, "customer": { "id": 1 } }),
            ),
            (
                "customers/redact",
                json!({ "shop_domain": domain, "customer": { "id": 9 } }),
            ),
        ] {
            assert_eq!(
                run.deliver(label, secret, topic, &body).await,
                StatusCode::OK
            );
        }
    }
    let answer = run
        .ask(LOGIN, json!({ "email": "owner@static.example", "password": "walnut canoe of static at dawn" }), None)
        .await;
    let (_, refresh) = run.session("login", &answer["data"]["login"]);
    let answer = run.ask(REFRESH, json!({ "token": refresh }), None).await;
    let (third, _) = run.session("refreshed", &answer["data"]["refreshSession"]);
    let query = "{ me { email } customers { nodes { displayName email } } orders { totalCount } privacyRequests { document } }";
    let answer = run.ask(query, json!({}), Some(&token)).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let mut socket = Socket::of(&run.address, &token).await;
    socket
        .subscribe("subscription { storeChanged { days } }")
        .await;
    let sync = "mutation { sync { syncRun { id } } }";
    run.ask(sync, json!({}), Some(&other)).await;
    run.idle().await;
    let credentials =
        json!({ "accessToken": { "token": "shpat_static", "apiSecret": "walnut-hush-newer" } });
    run.secrets.add("newer app secret", "walnut-hush-newer");
    run.ask(UPDATE, json!({ "credentials": credentials }), Some(&token))
        .await;
    run.idle().await;
    let logout = "mutation { logout { userErrors { code } } }";
    run.ask(logout, json!({}), Some(&third)).await;
    (token, refresh)
}

/// And everything that goes wrong.
#[expect(clippy::too_many_lines, reason = "a list")]
async fn fail(run: &mut Run, token: &str, used: &str) {
    for wrong in ["walnut wrong password", "walnut short"] {
        run.secrets.add(wrong, wrong);
        run.ask(
            LOGIN,
            json!({ "email": "owner@static.example", "password": wrong }),
            None,
        )
        .await;
    }
    run.secrets
        .add("an unknown email", "walnut.stranger@nowhere.example");
    let stranger =
        json!({ "email": "walnut.stranger@nowhere.example", "password": "walnut wrong password" });
    run.ask(LOGIN, stranger, None).await;
    for bad in [used, "xbr_walnutwalnutwalnut", "walnut-no-token"] {
        run.secrets.add("a bad refresh token", bad);
        run.ask(REFRESH, json!({ "token": bad }), None).await;
    }
    // Secrets where none belong: in the text of documents, in names, in the address.
    run.secrets
        .add("a secret in a document", "walnut-secret-in-the-text");
    for text in [
        "mutation { login(input: { email: \"walnut-secret-in-the-text\", password: \"walnut-secret-in-the-text\" }) { nothing } }",
        "mutation { login(input: { email: \"walnut-secret-in-the-text\" }",
        "query walnut_secret { node(id: \"walnut-secret-in-the-text\") { id } }",
        "{ orders(after: \"walnut-secret-in-the-text\") { totalCount } }",
    ] {
        run.ask(text, json!({}), Some(token)).await;
        let url = format!("{}/graphql", run.address);
        let mut url = reqwest::Url::parse(&url).unwrap();
        url.query_pairs_mut().append_pair("query", text);
        run.client.get(url).send().await.unwrap();
    }
    let forged = format!("{token}walnut");
    run.secrets.add("a forged token", &forged);
    run.ask("{ me { email } }", json!({}), Some(&forged)).await;
    run.secrets.add("another scheme", "d2FsbnV0OndhbG51dA==");
    let request = run.client.post(format!("{}/graphql", run.address));
    let request = request.header("authorization", "Basic d2FsbnV0OndhbG51dA==");
    request
        .header(ACCEPT, "text/event-stream")
        .body("{")
        .send()
        .await
        .unwrap();
    let refused = run
        .deliver(
            "static",
            "walnut-wrong-app-secret",
            "orders/create",
            &json!({ "id": 1 }),
        )
        .await;
    assert_eq!(refused, StatusCode::UNAUTHORIZED);
    let malformed = json!({ "customer": "walnut-in-a-body" });
    run.secrets.add("a body", "walnut-in-a-body");
    run.deliver("static", "walnut-hush-newer", "orders/create", &malformed)
        .await;
    // Shopify refuses, and fails with words of its own.
    run.secrets
        .add("a wrong access token", "shpat_walnut_wrong");
    let wrong = json!({ "accessToken": { "token": "shpat_walnut_wrong" } });
    run.ask(UPDATE, json!({ "credentials": wrong }), Some(token))
        .await;
    let shop = run.simulator.shop("static").unwrap();
    for fault in [
        Fault::ServerError { status: 502 },
        Fault::InternalServerError,
        Fault::DropConnection,
    ] {
        shop.push_fault(fault);
    }
    run.ask(
        "mutation { sync { syncRun { id } } }",
        json!({}),
        Some(token),
    )
    .await;
    run.idle().await;
    // The database cuts every connection in the middle of it all.
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity \
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&mut run.database.connection().await)
    .await
    .unwrap();
    run.ask("{ me { email } }", json!({}), Some(token)).await;
    // And it does not start with settings that are wrong.
    assert!(
        run.beside(&["sync", "--shop", "static.myshopify.com"], |_| {})
            .await
    );
    assert!(run.beside(&["verify"], |_| {}).await);
    assert!(run.beside(&["jobs", "list"], |_| {}).await);
    for (name, value) in [
        (
            "DATABASE_URL",
            format!("postgres://walnut:{DATABASE_PASSWORD}@127.0.0.1:1/nothing"),
        ),
        (
            "DATABASE_URL",
            format!("mysql://walnut:{DATABASE_PASSWORD}@127.0.0.1:1/nothing"),
        ),
        (
            "DATABASE_URL",
            format!("postgres://walnut:{DATABASE_PASSWORD}@127.0.0.1:port/nothing"),
        ),
        ("JWT_SECRET", JWT_SECRET[..20].to_owned()),
        (
            "ENCRYPTION_KEY",
            format!("7:{ENCRYPTION_KEY},7:{ENCRYPTION_KEY}"),
        ),
        ("ENCRYPTION_KEY", ENCRYPTION_KEY[..30].to_owned()),
    ] {
        run.secrets
            .add(&format!("a wrong {name} of {}", value.len()), &value);
        assert!(
            !run.beside(&["serve", "--port", "0"], |command| {
                command.env(name, &value);
            })
            .await,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_whole_run_is_in_its_logs_or_in_a_dump_of_its_database() {
    let mut run = Run::start().await;
    let (token, used) = live(&mut run).await;
    run.invite(&token).await;
    run.install("installed").await;
    fail(&mut run, &token, &used).await;
    let dump = Command::new("pg_dump")
        .arg(format!("--dbname={}", run.database.url()))
        .output()
        .await
        .unwrap();
    assert!(
        dump.status.success(),
        "{}",
        String::from_utf8_lossy(&dump.stderr)
    );
    let dump = String::from_utf8(dump.stdout).unwrap();
    let log = run.end().await;

    // It was chatty, and the search finds what is there.
    for said in ["TRACE", "DEBUG", "answered", "static.myshopify.com"] {
        assert!(
            log.contains(said) || said == "TRACE",
            "{said} is not in the log"
        );
    }
    let mut planted = Secrets::default();
    planted.add("a domain", "static.myshopify.com");
    assert_eq!(planted.found_in(&log).len(), 1);
    assert_eq!(planted.found_in(&dump).len(), 1);

    assert!(run.secrets.0.len() > 40);
    assert_eq!(run.secrets.found_in(&log), Vec::<String>::new());
    for prefix in [
        "shpat_",
        "shpss_",
        "shpca_",
        "shprt_",
        "xbr_",
        "xbi_",
        "xbp_",
        "xbs_",
        "xbb_",
        "xbc_",
        "eyJ",
        "Bearer ",
        "Walnutina",
        "walnut.customer",
    ] {
        let line = log.lines().find(|line| line.contains(prefix));
        assert_eq!(line, None, "{prefix}");
    }
    // Addresses and names are what the database is for; secrets are sealed or hashed.
    run.secrets.0.retain(|what, _| !what.contains("email"));
    assert_eq!(run.secrets.found_in(&dump), Vec::<String>::new());
    for prefix in [
        "shpat_", "shpss_", "shpca_", "shprt_", "xbr_", "xbi_", "xbp_", "xbs_", "xbb_", "xbc_",
        "eyJ",
    ] {
        let line = dump.lines().find(|line| line.contains(prefix));
        assert_eq!(line, None, "{prefix}");
    }
}

#[tokio::test]
async fn what_the_program_shows_of_its_settings_holds_no_secret() {
    let mut secrets = Secrets::default();
    let url = format!("postgres://walnut:{DATABASE_PASSWORD}@127.0.0.1:1/nothing");
    for (what, secret) in [
        ("database password", DATABASE_PASSWORD),
        ("signing secret", JWT_SECRET),
        ("encryption key", ENCRYPTION_KEY),
        (
            "encryption key, decoded",
            "an encryption key of 32 bytes!!!",
        ),
        ("the app's secret", APP_SECRET),
    ] {
        secrets.add(what, secret);
    }
    let flags = [
        "xboard",
        "--database-url",
        &url,
        "--jwt-secret",
        JWT_SECRET,
        "--encryption-key",
        ENCRYPTION_KEY,
        "--public-url",
        PUBLIC_URL,
        "--shopify-api-key",
        "the-operators-app",
        "--shopify-api-secret",
        APP_SECRET,
    ];
    let matches = Settings::augment_args(Cli::new("xboard"))
        .try_get_matches_from(flags)
        .unwrap();
    let settings = Settings::from_arg_matches(&matches).unwrap();
    assert_eq!(
        secrets.found_in(&format!("{settings:?}")),
        Vec::<String>::new()
    );
    let config = settings.resolve().unwrap();
    let shown = format!("{config:?}");
    assert!(shown.contains("shopify_api_version"), "{shown}");
    assert_eq!(secrets.found_in(&shown), Vec::<String>::new());
    let config = AppConfig::new(config, url.into());
    assert_eq!(
        secrets.found_in(&format!("{config:?} {config:#?}")),
        Vec::<String>::new()
    );
    // `an encryption` as a list of bytes.
    let bytes = "97, 110, 32, 101, 110, 99, 114, 121, 112, 116, 105, 111, 110";
    assert!(!format!("{config:?}").contains(bytes), "the key's bytes");
}
