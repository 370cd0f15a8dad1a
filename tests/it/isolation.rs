//! The campaign against the walls between stores: operations made from the schema, with everything that
//! another store is known by, sent by somebody who has no business there. Not one byte of the other store may
//! be in an answer, and not one of its rows may change.

mod detector;
pub(crate) mod dice;
mod operations;
mod pooled;
mod pushed;
mod words;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::ast::OperationType;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pretty_assertions::assert_eq;
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_NONE_MATCH};
use serde_json::{Value, json};

use crate::support::{JWT_SECRET, deliver, sign};
use operations::{Operation, Operations};
use world::{Answer, World};

/// Makes the campaign the same in every run.
const SEED: u64 = 20_261_125;
/// How many requests are on their way at once.
const AT_ONCE: usize = 6;

/// Whatever was asked, the program itself has not failed.
fn assert_sane(operation: &Operation, answer: &Answer) {
    let failed = answer.status.is_server_error() || answer.text.contains("\"INTERNAL\"");
    assert!(!failed, "{}\n{}", operation.body(), answer.text);
}

/// An answer without what differs from one time to the next: what it cost, and instants since the campaign
/// began.
fn steady(answer: &Answer, since: DateTime<Utc>) -> Value {
    fn walk(value: &mut Value, since: DateTime<Utc>) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|value| walk(value, since)),
            Value::Array(items) => items.iter_mut().for_each(|value| walk(value, since)),
            Value::String(text)
                if DateTime::parse_from_rfc3339(text).is_ok_and(|at| at >= since) =>
            {
                "lately".clone_into(text);
            }
            _ => {}
        }
    }
    let mut body = answer.json();
    if let Some(fields) = body.as_object_mut() {
        fields.shift_remove("extensions");
    }
    walk(&mut body, since);
    // Fields are read at the same time, so their errors come in any order.
    if let Some(errors) = body["errors"].as_array_mut() {
        errors.sort_by_key(ToString::to_string);
    }
    body
}

fn assert_all_were_used(operations: &Operations, kind: OperationType, used: &BTreeSet<String>) {
    let everything = operations.everything(kind);
    let unused: Vec<_> = everything.difference(used).collect();
    assert_eq!(unused, Vec::<&String>::new(), "never carried out");
}

/// So many operations that read, each asked by the attacker with the other store's words; every third is
/// asked by the other store first, so that whatever remembers answers remembers that one.
async fn read_everything(seed: u64, number: usize) {
    let since = Utc::now();
    let world = World::start(seed).await;
    let ammunition = world.ammunition();
    let mut operations = Operations::new(seed);
    let all: Vec<Operation> = (0..number)
        .map(|_| operations.next(OperationType::Query, &ammunition))
        .collect();
    let (mut answers, mut used, mut told) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let mut asking = stream::iter(all.iter().enumerate())
        .map(|(at, operation)| {
            let world = &world;
            async move {
                let first = match at % 3 {
                    0 => Some(world.send(operation, &world.theirs.token).await),
                    _ => None,
                };
                (first, world.send(operation, &world.ours.token).await)
            }
        })
        .buffered(AT_ONCE);
    for operation in &all {
        let (first, answer) = asking.next().await.unwrap();
        assert_sane(operation, &answer);
        world.assert_clean(&operation.body().to_string(), &answer);
        if first.is_some_and(|first| world.detector.find("", &first.text).is_some()) {
            told.extend(operation.roots.iter().cloned());
        }
        if answer.was_carried_out() {
            used.extend(operation.uses.iter().cloned());
        }
        answers.push(answer);
    }
    assert_all_were_used(&operations, OperationType::Query, &used);
    // The detector sees what it is for: the other store's own answers give it away, whichever field they are of.
    let roots: BTreeSet<_> = operations.roots(OperationType::Query).into_iter().collect();
    assert_eq!(
        roots.difference(&told).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );

    // Whatever happens in the other store makes no difference to an answer: not even in a number.
    world.let_the_other_store_grow().await;
    stream::iter(all.iter().zip(&answers))
        .for_each_concurrent(AT_ONCE, |(operation, before)| {
            let world = &world;
            async move {
                let after = world.send(operation, &world.ours.token).await;
                let (after, before) = (steady(&after, since), steady(before, since));
                assert_eq!(after, before, "{}", operation.body());
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_generated_query_shows_one_byte_of_another_store_or_depends_on_it() {
    read_everything(SEED, 1_000).await;
}

/// The longer command: `ISOLATION_SEED=7 ISOLATION_OPERATIONS=50000 ./run test --test it isolation -- --ignored`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; the short ones run always"]
async fn the_campaign_for_longer_with_a_seed_of_your_own() {
    let of = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().unwrap())
    };
    let number = usize::try_from(of("ISOLATION_OPERATIONS", 20_000)).unwrap();
    read_everything(of("ISOLATION_SEED", 7), number).await;
    change_everything(of("ISOLATION_SEED", 7), number / 10).await;
}

/// Tokens of the other store that no longer hold, or never did.
async fn dead_tokens(world: &World) -> Vec<String> {
    let ended = world.sign_in(&world.theirs).await;
    let logout = "mutation { logout { userErrors { code } } }";
    world
        .simulated
        .app
        .field(logout, json!({}), Some(&ended))
        .await;
    let payload = ended.split('.').nth(1).unwrap();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = base64::Engine::decode(&engine, payload).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let signed = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let hour_ago = (Utc::now() - TimeDelta::hours(1)).timestamp();
    vec![
        signed(&|claims| claims["exp"] = json!(hour_ago)),
        signed(&|claims| claims["sub"] = json!(world.ours.user)),
        signed(&|claims| claims["sid"] = json!(world.theirs.user)),
        signed(&|claims| claims["tid"] = json!(world.ours.tenant.uuid())),
        world.theirs.refresh_token.clone(),
        ended,
    ]
}

/// So many operations that would change something, sent by the attacker or with a dead token.
async fn change_everything(seed: u64, number: usize) {
    let world = World::start(seed).await;
    let dead = dead_tokens(&world).await;
    let mut token = world.sign_in(&world.ours).await;
    let before = rows_but_for_failed_sign_ins(&world).await;
    let ammunition = world.ammunition();
    let mut operations = Operations::new(seed);
    let mut used = BTreeSet::new();
    for at in 0..number {
        let operation = operations.next(OperationType::Mutation, &ammunition);
        let request = operation.body().to_string();
        if at % 5 == 0 {
            let answer = world.send(&operation, &dead[at / 5 % dead.len()]).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
            world.assert_clean(&request, &answer);
        }
        let answer = world.send(&operation, &token).await;
        assert_sane(&operation, &answer);
        world.assert_clean(&request, &answer);
        if answer.was_carried_out() {
            used.extend(operation.uses);
        }
        let probe = world
            .simulated
            .app
            .try_graphql("{ __typename }", json!({}), Some(&token))
            .await;
        if probe.0 == StatusCode::UNAUTHORIZED {
            token = world.sign_in(&world.ours).await;
        }
    }
    assert_all_were_used(&operations, OperationType::Mutation, &used);
    assert_eq!(rows_but_for_failed_sign_ins(&world).await, before);
    world.simulated.app.work().await;
    assert_eq!(rows_but_for_failed_sign_ins(&world).await, before);
}

/// The other store's rows. That somebody tried to sign in with its owner's address and failed is what its audit
/// log is for, and all that a stranger can write there.
async fn rows_but_for_failed_sign_ins(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut rows = world.their_rows().await;
    if let Some(log) = rows.get_mut("audit_log") {
        log.retain(|row| !row.contains(",SIGNED_IN,f,USER,"));
    }
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_generated_mutation_changes_a_row_of_another_store() {
    change_everything(SEED, 400).await;
}

const TOPICS: [&str; 16] = [
    "orders/create",
    "orders/updated",
    "orders/delete",
    "orders/edited",
    "refunds/create",
    "customers/create",
    "customers/update",
    "customers/delete",
    "products/update",
    "products/delete",
    "customers/data_request",
    "customers/redact",
    "shop/redact",
    "shop/update",
    "app/uninstalled",
    "bulk_operations/finish",
];

#[tokio::test]
async fn a_delivery_that_another_store_signed_changes_nothing_and_says_nothing() {
    let world = World::start(SEED).await;
    let before = world.their_rows().await;
    let (ours, theirs) = (&world.ours, &world.theirs);
    let domain = format!("{}.myshopify.com", theirs.label);
    let about_them = json!({
        "id": 7_700_000_000_001_i64, "shop_domain": domain, "myshopify_domain": domain, "shop_id": 1,
        "customer": { "id": 7_700_000_000_001_i64 }, "order_id": 7_700_000_000_001_i64,
        "order_edit": { "order_id": 7_700_000_000_001_i64 },
        "orders_to_redact": [7_700_000_000_001_i64], "orders_requested": [7_700_000_000_001_i64],
    });
    let body = about_them.to_string().into_bytes();
    for (number, topic) in TOPICS.iter().enumerate() {
        for (who, label, secret) in [
            (
                "our signature under their name",
                &theirs.label,
                &ours.secret,
            ),
            (
                "their signature under our name",
                &ours.label,
                &theirs.secret,
            ),
        ] {
            let id = format!("{number}-{who}");
            let signature = sign(secret, &body);
            let status = deliver(
                &world.simulated.app,
                label,
                topic,
                &id,
                &signature,
                body.clone(),
            )
            .await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{topic}: {who}");
        }
        // Our own app may say what it likes about our own store, even with their numbers in it.
        let signature = sign(&ours.secret, &body);
        let id = number.to_string();
        let status = deliver(
            &world.simulated.app,
            &ours.label,
            topic,
            &id,
            &signature,
            body.clone(),
        )
        .await;
        assert!(
            status == StatusCode::OK || status == StatusCode::UNAUTHORIZED,
            "{topic}: {status}"
        );
    }
    assert_eq!(world.their_rows().await, before);
    world.simulated.app.work().await;
    assert_eq!(world.their_rows().await, before);
}

#[tokio::test]
async fn an_answer_that_another_store_was_given_is_nobody_elses_to_revalidate() {
    let world = World::start(SEED).await;
    let app = &world.simulated.app;
    let get = async |token: &str, tag: Option<&str>| {
        let query =
            "{ orders(first: 3) { totalCount nodes { id name } } overview { totalCustomers } }";
        let mut url = app.get("/graphql").build().unwrap().url().clone();
        url.query_pairs_mut().append_pair("query", query);
        let mut request = app
            .get(&format!("/graphql?{}", url.query().unwrap()))
            .bearer_auth(token);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        request.send().await.unwrap()
    };
    let theirs = get(&world.theirs.token, None).await;
    let tag = theirs
        .headers()
        .get(ETAG)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let again = get(&world.theirs.token, Some(&tag)).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let ours = get(&world.ours.token, Some(&tag)).await;
    assert_eq!(ours.status(), StatusCode::OK);
    assert_ne!(ours.headers().get(ETAG).unwrap().to_str().unwrap(), tag);
    let answer = Answer {
        status: ours.status(),
        text: ours.text().await.unwrap(),
    };
    world.assert_clean("", &answer);
}
