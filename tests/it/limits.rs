//! The limits of operations and callers: one test for each limit.

use std::fmt::Write as _;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use serde_json::{Value, json};
use xboard::graphql::{BucketConfig, Limits};

use crate::support::TestApp;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    settings: xboard::config::Settings,
}

#[test]
fn each_limit_is_a_setting() {
    let directory = tempfile::tempdir().unwrap();
    let mut arguments = vec![
        "xboard".to_owned(),
        "--database-url=postgres://nowhere/xboard".to_owned(),
        format!("--jwt-secret={}", crate::support::JWT_SECRET),
        "--encryption-key=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
        format!("--xboard-data-dir={}", directory.path().display()),
        "--xboard-persisted-documents=/documents".to_owned(),
    ];
    let names = [
        "limit-body",
        "limit-characters",
        "limit-tokens",
        "limit-depth",
        "limit-complexity",
        "limit-fields",
        "limit-aliases",
        "limit-root-fields",
        "limit-directives",
        "limit-duplicate-fields",
        "operation-seconds",
        "operations-at-once",
        "budget",
        "budget-per-second",
        "document-cache",
        "limit-subscriptions",
    ];
    arguments.extend(
        (101..)
            .zip(names)
            .map(|(n, name)| format!("--xboard-{name}={n}")),
    );
    let settings = <Cli as clap::Parser>::parse_from(arguments).settings;
    let config = settings.resolve().unwrap();
    let config = xboard::app::AppConfig::new(config, "postgres://nowhere/xboard".into());
    let (limits, http) = (config.limits, config.http);
    let budget = limits.budget.unwrap();
    assert_eq!(
        [
            http.max_body_bytes,
            limits.characters,
            limits.tokens,
            limits.depth,
            limits.complexity,
            limits.fields,
            limits.aliases,
            limits.root_fields,
            limits.directives,
            limits.duplicate_fields,
        ],
        [101, 102, 103, 104, 105, 106, 107, 108, 109, 110]
    );
    assert_eq!(http.operation_timeout, Duration::from_secs(111));
    assert_eq!(limits.concurrent_operations.get(), 112);
    assert_eq!(
        (budget.capacity.get(), budget.refill_rate.get()),
        (113, 114)
    );
    assert_eq!(http.document_cache_bytes, 115);
    assert_eq!(limits.subscriptions, 116);
    assert_eq!(
        http.persisted_documents.unwrap().to_str(),
        Some("/documents")
    );
}

async fn with_limits(change: impl FnOnce(&mut Limits)) -> TestApp {
    TestApp::start_with(|config| change(&mut config.limits)).await
}

/// The limit that refuses an operation, and its maximum; null if none does.
async fn refused(app: &TestApp, query: &str) -> Value {
    let (_, body) = app.try_graphql(query, json!({}), None).await;
    let error = &body["errors"][0]["extensions"];
    if error["code"] == "LIMIT_EXCEEDED" {
        assert_eq!(body.get("data"), None, "{body}");
        json!([error["limit"], error["maximum"]])
    } else {
        Value::Null
    }
}

#[tokio::test]
async fn the_text_is_limited_in_characters_tokens_directives_and_nesting() {
    let app = with_limits(|limits| {
        (limits.characters, limits.tokens, limits.directives) = (300, 100, 3);
    })
    .await;
    let padded = |length: usize| format!("{:<length$}", "{ __typename }");
    assert_eq!(refused(&app, &padded(300)).await, Value::Null);
    assert_eq!(
        refused(&app, &padded(301)).await,
        json!(["characters", 300])
    );
    let tokens = |count: usize| format!("{{ {}}}", "a ".repeat(count - 2));
    assert_ne!(refused(&app, &tokens(100)).await, json!(["tokens", 100]));
    assert_eq!(refused(&app, &tokens(101)).await, json!(["tokens", 100]));
    let directives = |count: usize| format!("{{ __typename {} }}", "@a ".repeat(count));
    assert_eq!(refused(&app, &directives(3)).await, Value::Null);
    assert_eq!(
        refused(&app, &directives(4)).await,
        json!(["directives", 3])
    );
    let brackets = format!(
        "{{ node(id: {}{}) {{ id }} }}",
        "[".repeat(80),
        "]".repeat(80)
    );
    let app = TestApp::start().await;
    assert_eq!(refused(&app, &brackets).await, json!(["nesting", 64]));
}

#[tokio::test]
async fn depth_is_limited_through_fragments() {
    let app = with_limits(|limits| limits.depth = 4).await;
    let fits = "{ orders { nodes { customer { id } } } }";
    assert_eq!(refused(&app, fits).await, Value::Null);
    let deep = "{ orders { nodes { ...F } } }
        fragment F on Order { customer { orders { totalCount } } }";
    assert_eq!(refused(&app, deep).await, json!(["depth", 4]));
}

#[tokio::test]
async fn complexity_is_limited() {
    let app = TestApp::start().await;
    for (query, fits) in [
        (
            "{ orders(first: 100) { nodes { lineItems(first: 20) { nodes { id } } } } }",
            true,
        ),
        (
            "{ orders(first: 100) { nodes { lineItems(first: 100) { nodes { id } } } } }",
            false,
        ),
    ] {
        let expected = if fits {
            Value::Null
        } else {
            json!(["complexity", 10_000])
        };
        assert_eq!(refused(&app, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn aliases_root_fields_duplicates_and_fields_are_limited() {
    let app = with_limits(|limits| {
        (limits.aliases, limits.root_fields) = (3, 5);
        (limits.duplicate_fields, limits.fields) = (2, 12);
    })
    .await;
    let names = |count: usize, of_one: &dyn Fn(usize) -> String| {
        (0..count).fold(String::new(), |text, n| text + &of_one(n) + " ")
    };
    let aliases = |count| format!("{{ {}}}", names(count, &|n| format!("a{n}: __typename")));
    assert_eq!(refused(&app, &aliases(3)).await, Value::Null);
    assert_eq!(refused(&app, &aliases(4)).await, json!(["aliases", 3]));
    let roots = "{ __typename me { id } a: me { id } b: me { id } c: me { id } }";
    assert_eq!(refused(&app, roots).await, Value::Null);
    let roots = "{ __typename me { id } ...F } fragment F on Query {
        a: me { id } b: me { id } c: me { id } nodes(ids: []) { id } }";
    assert_eq!(refused(&app, roots).await, json!(["rootFields", 5]));
    let duplicates = |count| format!("{{ __typename {}}}", names(count, &|_| "__typename".into()));
    assert_eq!(refused(&app, &duplicates(2)).await, Value::Null);
    assert_eq!(
        refused(&app, &duplicates(3)).await,
        json!(["duplicateFields", 2])
    );
    let fields = "{ orders { nodes { ...F } edges { node { ...F } } } }
        fragment F on Order { id name tags test }";
    assert_eq!(refused(&app, fields).await, Value::Null);
    let fields = "{ orders { nodes { ...F } edges { node { ...F } } } }
        fragment F on Order { id name tags test shopifyId }";
    assert_eq!(refused(&app, fields).await, json!(["fields", 12]));
}

#[tokio::test]
async fn pages_hold_at_most_100() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    for (query, field) in [
        ("{ orders(first: 101) { totalCount } }", "first"),
        ("{ orders(last: 101) { totalCount } }", "last"),
        ("{ customers(first: 0) { totalCount } }", "first"),
        ("{ topCustomers(first: 101) { rank } }", "first"),
    ] {
        let body = app.graphql(query, json!({}), Some(&user.token)).await;
        let error = &body["errors"][0]["extensions"];
        assert_eq!(error["code"], "BAD_USER_INPUT", "{query}");
        assert_eq!(error["field"], field, "{query}");
    }
    app.database.leaves_jobs(1);
}

/// The CPU time of this process in milliseconds, measured in ticks of 10 ms.
fn cpu_milliseconds() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok());
    10 * (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0))
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "--nocapture shows the measurements")]
async fn attacks_are_refused_cheaply() {
    let app = TestApp::start().await;
    let wide = |of_one: &dyn Fn(usize) -> String, count: usize| {
        (0..count).fold(String::from("{ "), |text, n| text + &of_one(n) + " ") + "}"
    };
    let mut billion = "{ ...F0 }".to_owned();
    for n in 0..30 {
        let next = n + 1;
        write!(
            billion,
            " fragment F{n} on Query {{ ...F{next} ...F{next} }}"
        )
        .unwrap();
    }
    billion += " fragment F30 on Query { __typename }";
    let circular = "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }";
    let mut chain = "{ ...F0 }".to_owned();
    for n in 0..600 {
        write!(chain, " fragment F{n} on Query {{ ...F{} }}", n + 1).unwrap();
    }
    chain += " fragment F600 on Query { __typename }";
    for (name, query) in [
        (
            "10,000 aliases",
            wide(&|n| format!("a{n}: __typename"), 10_000),
        ),
        (
            "1,000 aliases",
            wide(&|n| format!("a{n}: __typename"), 1_000),
        ),
        (
            "100,000 directives",
            format!("{{ __typename {} }}", "@a".repeat(100_000)),
        ),
        ("a 5 MB query", wide(&|_| "__typename".to_owned(), 450_000)),
        (
            "10,000 fields deep",
            "{a".repeat(10_000) + &"}".repeat(10_000),
        ),
        ("fragments for 2^30 fields", billion),
        ("circular fragments", circular.to_owned()),
        ("a chain of 600 fragments", chain),
        (
            "10,000 open lists",
            format!("{{ node(id: {}", "[".repeat(10_000)),
        ),
        (
            "500 copies of a field",
            wide(&|_| "__typename".to_owned(), 500),
        ),
    ] {
        let (cpu, clock) = (cpu_milliseconds(), Instant::now());
        let (_, body) = app.try_graphql(&query, json!({}), None).await;
        let (cpu, clock) = (cpu_milliseconds() - cpu, clock.elapsed());
        println!(
            "{name}: {} bytes, {cpu} ms CPU, {clock:?}, {}",
            query.len(),
            body["errors"][0]
        );
        assert_eq!(body.get("data"), None, "{name}");
        let code = &body["errors"][0]["extensions"]["code"];
        assert!(
            code == "LIMIT_EXCEEDED" || code == "BAD_USER_INPUT",
            "{name}: {body}"
        );
    }
}

/// The points that the `RateLimit` header says are left.
fn available_points(response: &reqwest::Response) -> u64 {
    let header = response.headers()["ratelimit"].to_str().unwrap();
    let rest = header.strip_prefix("\"points\";r=").unwrap();
    rest.strip_suffix(";t=1").unwrap().parse().unwrap()
}

async fn cost_of(app: &TestApp, query: &str, token: Option<&str>) -> Value {
    let mut request = app.post().json(&json!({ "query": query }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    body["extensions"]["cost"].clone()
}

#[tokio::test]
async fn a_response_contains_its_cost() {
    let app = TestApp::start().await;
    let user = app.register_shop("engines").await;
    app.work().await;
    for (query, requested, actual) in [
        ("{ __typename }", 1, 1),
        ("{ me { email } }", 2, 2),
        ("{ overview { totalCustomers } }", 51, 51),
        ("{ ordersByDate { date } }", 101, 101),
        (
            "{ ordersByDate(compareTo: PREVIOUS_YEAR) { date previous { date } } }",
            203,
            203,
        ),
        // Ten for the list and one for the connection. The shop has no orders, so nothing for items.
        ("{ orders(first: 50) { nodes { id } } }", 111, 11),
        (
            "{ orders(first: 50) { nodes { id lineItems(first: 10) { nodes { id } } } } }",
            1161,
            11,
        ),
        (
            "{ topCustomers(first: 10) { rank customer { id } } }",
            81,
            51,
        ),
    ] {
        let cost = cost_of(&app, query, Some(&user.token)).await;
        assert_eq!(cost["requestedQueryCost"], requested, "{query}");
        assert_eq!(cost["actualQueryCost"], actual, "{query}");
    }
    // An operation that is not valid costs nothing.
    let cost = cost_of(&app, "{ nothing }", Some(&user.token)).await;
    assert_eq!(cost, Value::Null);
}

#[tokio::test]
async fn a_tenant_over_its_budget_is_throttled_and_others_are_not() {
    let app = with_limits(|limits| {
        limits.budget = Some(BucketConfig {
            capacity: NonZeroU64::new(250).unwrap(),
            refill_rate: NonZeroU64::new(1).unwrap(),
        });
    })
    .await;
    let first = app.register_shop("engines").await;
    let second = app.register_shop("looms").await;
    let query = "{ ordersByDate { date } }";
    let ask = async || {
        let request = app.post().bearer_auth(&first.token);
        let request = request.json(&json!({ "query": query }));
        request.send().await.unwrap()
    };
    for available in [149, 48] {
        let response = ask().await;
        assert_eq!(
            response.headers()["ratelimit-policy"],
            "\"points\";q=250;w=250"
        );
        let left = available_points(&response);
        assert!((available..available + 10).contains(&left), "{left}");
    }
    for (accept, status) in [
        (
            "application/graphql-response+json",
            StatusCode::TOO_MANY_REQUESTS,
        ),
        ("application/json", StatusCode::OK),
    ] {
        let response = app
            .post()
            .header("accept", accept)
            .bearer_auth(&first.token)
            .json(&json!({ "query": query }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        let header: u64 = response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(available_points(&response) < 60);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body.get("data"), None, "{body}");
        let error = &body["errors"][0]["extensions"];
        assert_eq!(error["code"], "THROTTLED");
        assert_eq!(error["retryAfterSeconds"], header);
        assert!((40..=53).contains(&header), "{header}");
        let cost = &body["extensions"]["cost"];
        assert_eq!(cost["requestedQueryCost"], 101);
        assert_eq!(cost["actualQueryCost"], Value::Null);
    }
    let body = app.graphql(query, json!({}), Some(&second.token)).await;
    assert_eq!(body.get("errors"), None, "{body}");
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn operations_of_a_tenant_wait_for_a_slot_and_are_then_throttled() {
    let app = with_limits(|limits| {
        limits.concurrent_operations = NonZeroU32::MIN;
        limits.slot_timeout = Duration::from_millis(100);
    })
    .await;
    let busy = app.register_shop("engines").await;
    let other = app.register_shop("looms").await;
    // The lock keeps the only slot occupied.
    let mut connection = app.database.connection().await;
    sqlx::raw_sql("begin; lock table sync_runs")
        .execute(&mut connection)
        .await
        .unwrap();
    let waiting = app
        .post()
        .bearer_auth(&busy.token)
        .json(&json!({ "query": "{ syncRuns { nodes { status } } }" }));
    let waiting = tokio::spawn(waiting.send());
    let query = "{ me { email } }";
    let throttled = async {
        loop {
            let body = app.graphql(query, json!({}), Some(&busy.token)).await;
            if body["errors"][0]["extensions"]["code"] == "THROTTLED" {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), throttled)
        .await
        .unwrap();
    let body = app.graphql(query, json!({}), Some(&other.token)).await;
    assert_eq!(body["data"]["me"]["email"], "owner@looms.example");
    sqlx::raw_sql("rollback")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    let body = app.graphql(query, json!({}), Some(&busy.token)).await;
    assert_eq!(body["data"]["me"]["email"], "owner@engines.example");
    app.database.leaves_jobs(2);
}

#[tokio::test]
async fn the_cheapest_operation_without_a_token_costs_a_point_and_takes_a_slot() {
    let app = with_limits(|limits| {
        limits.concurrent_operations = NonZeroU32::MIN;
        limits.slot_timeout = Duration::from_millis(100);
    })
    .await;
    let query = "mutation { __typename }";
    let cost = cost_of(&app, query, None).await;
    assert_eq!(
        cost,
        json!({ "requestedQueryCost": 1, "actualQueryCost": 1 })
    );
    // The lock keeps the only slot of this address occupied.
    let mut connection = app.database.connection().await;
    sqlx::raw_sql("begin; lock table users")
        .execute(&mut connection)
        .await
        .unwrap();
    let login = r#"mutation { login(input: { email: "nobody@nowhere.example", password: "wrong wrong" }) { userErrors { code } } }"#;
    let waiting = tokio::spawn(app.post().json(&json!({ "query": login })).send());
    let throttled = async {
        loop {
            let (_, body) = app.try_graphql(query, json!({}), None).await;
            if body["errors"][0]["extensions"]["code"] == "THROTTLED" {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), throttled)
        .await
        .unwrap();
    sqlx::raw_sql("rollback")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    let (_, body) = app.try_graphql(query, json!({}), None).await;
    assert_eq!(body["data"], json!({ "__typename": "Mutation" }));
}
