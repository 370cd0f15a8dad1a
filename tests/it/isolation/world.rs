//! Two stores in one program: one that attacks, and one in which every word and number can be told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use apollo_compiler::ast::OperationType;
use chrono::{TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use shopify_simulator::ShopSettings;
use sqlx::AssertSqlSafe;
use uuid::Uuid;
use xboard::domain::ids::{CustomerId, ProductId, TenantId};
use xboard::domain::money::Currency;
use xboard::domain::record::{CustomerRecord, ProductRecord, Record};

use super::detector::Detector;
use super::operations::{Operation, Operations};
use super::words::Words;
use crate::support::{Beside, Entry, REGISTER, Simulated, deliver, instant, register_input, sign};

/// Begins every word of the store that is attacked; part of no other word.
pub(super) const MARK: &str = "zqbert";
/// Begins every word of the store that attacks.
pub(super) const OWN_MARK: &str = "qwovex";
/// Every number that its store gave an object begins with this.
const NUMBERS: i64 = 7_700_000_000_000;

/// A store and its owner.
#[derive(Clone)]
pub(super) struct Party {
    pub(super) label: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) token: String,
    pub(super) refresh_token: String,
    /// Signs the webhooks of its app.
    pub(super) secret: String,
    pub(super) tenant: TenantId,
    pub(super) user: Uuid,
    pub(super) words: Words,
}

/// Both stores, and the program.
pub(super) struct World {
    pub(super) simulated: Simulated,
    pub(super) ours: Party,
    pub(super) theirs: Party,
    pub(super) detector: Detector,
}

/// An answer, as it came.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Whether the operation was carried out, with or without errors of single fields.
    pub(super) fn was_carried_out(&self) -> bool {
        self.json().get("data").is_some()
    }
}

impl World {
    /// Registers both stores, brings their books in, and learns what their answers hold.
    pub(super) async fn start(seed: u64) -> Self {
        let simulated = Simulated::start_with(|config| {
            // What a caller may spend has tests of its own; here it would only hide answers.
            config.limits.budget = None;
        })
        .await;
        let mut ours = register(
            &simulated,
            &format!("{OWN_MARK}-engines"),
            "green lanterns over the harbour",
        )
        .await;
        let label = format!("{MARK}-looms");
        let mut theirs = register(&simulated, &label, "seven quiet mills by the river").await;
        simulated.app.work().await;
        set_shop(&simulated, &ours, "EUR", "Europe/Berlin").await;
        set_shop(&simulated, &theirs, "KWD", "Asia/Kuwait").await;
        write(&simulated, &ours, 0..6).await;
        write(&simulated, &theirs, 0..40).await;
        ask_for_privacy(&simulated, &ours, 1).await;
        ask_for_privacy(&simulated, &theirs, NUMBERS + 1).await;
        simulated.app.work().await;
        let mut operations = Operations::new(seed);
        ours.words = harvest(&simulated, &mut operations, &ours).await;
        theirs.words = harvest(&simulated, &mut operations, &theirs).await;
        let detector = detector(&ours, &theirs);
        assert!(detector.len() > 100, "{detector:?}");
        Self {
            simulated,
            ours,
            theirs,
            detector,
        }
    }

    /// What the attacker puts into arguments: everything of the other store, the same forged to look like its
    /// own, and enough of its own to be let in.
    pub(super) fn ammunition(&self) -> Words {
        let (from, to) = (self.theirs.tenant.uuid(), self.ours.tenant.uuid());
        let mut words = self.theirs.words.clone();
        let forged = words.forged(from, to);
        words.ids.extend(forged.ids);
        words.cursors.extend(forged.cursors);
        for id in words.ids.clone() {
            if let Some((_, encoded)) = id.split_once('_') {
                words.ids.insert(format!("ord_{encoded}"));
            }
        }
        words
            .ids
            .extend([from.to_string(), self.theirs.user.to_string()]);
        words
            .ids
            .extend(self.ours.words.ids.iter().take(30).cloned());
        words
            .cursors
            .extend(self.ours.words.cursors.iter().take(30).cloned());
        words.texts.extend([
            self.theirs.email.clone(),
            format!("{}.myshopify.com", self.theirs.label),
        ]);
        words
    }

    /// Sends an operation as a party.
    pub(super) async fn send(&self, operation: &Operation, token: &str) -> Answer {
        send(&self.simulated, operation, token).await
    }

    /// Another program over the same database, with few connections and little patience.
    pub(super) async fn hurried(&self) -> Beside {
        let hurried = self.simulated.app.beside_with(|config| {
            config.connections = 3;
            config.limits.budget = None;
            config.http.operation_timeout = Duration::from_millis(60);
        });
        hurried.await
    }

    /// Sends an operation to it; no answer when the client does not wait for one.
    pub(super) async fn send_to(
        &self,
        program: &Beside,
        operation: &Operation,
        token: &str,
        patience: Duration,
    ) -> Option<Answer> {
        let client = reqwest::Client::new();
        let request = client
            .post(format!("{}/graphql", program.address()))
            .bearer_auth(token)
            .json(&operation.body());
        let sending = async {
            let response = request.send().await.unwrap();
            Answer {
                status: response.status(),
                text: response.text().await.unwrap(),
            }
        };
        tokio::time::timeout(patience, sending).await.ok()
    }

    /// Fails if an answer to the attacker holds anything of the other store.
    pub(super) fn assert_clean(&self, request: &str, answer: &Answer) {
        if let Some(leak) = self.detector.find(request, &answer.text) {
            panic!("{leak:?} is the other store's\n{request}\n{}", answer.text);
        }
    }

    /// More happens in the other store: its figures and lists all change.
    pub(super) async fn let_the_other_store_grow(&self) {
        write(&self.simulated, &self.theirs, 40..90).await;
    }

    /// A new token of the attacker's, when the old one was ended.
    pub(super) async fn sign_in(&self, party: &Party) -> String {
        let query = "mutation ($input: LoginInput!) { login(input: $input) { session { token } userErrors { code } } }";
        let input = json!({ "email": party.email, "password": party.password });
        let payload = self
            .simulated
            .app
            .field(query, json!({ "input": input }), None)
            .await;
        let token = payload["session"]["token"].as_str();
        token.unwrap_or_else(|| panic!("{payload}")).to_owned()
    }

    /// Every row of the other store and of its owner, by table, as text.
    pub(super) async fn their_rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut connection = self.simulated.app.database.connection().await;
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select c.relname::text, a.attname::text from pg_class c \
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
             where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1, 2",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let mut by_table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (table, column) in columns {
            by_table.entry(table).or_default().insert(column);
        }
        let mut rows = BTreeMap::new();
        for (table, columns) in by_table {
            let condition = match table.as_str() {
                "tenants" => "t.id = $1".to_owned(),
                "users" => "t.id = $2".to_owned(),
                "refresh_tokens" => {
                    "t.session_id in (select id from sessions where user_id = $2)".to_owned()
                }
                _ => {
                    let known = [
                        ("tenant_id", "t.tenant_id = $1"),
                        ("user_id", "t.user_id = $2"),
                    ];
                    let parts: Vec<_> = known
                        .iter()
                        .filter(|(name, _)| columns.contains(*name))
                        .collect();
                    if parts.is_empty() {
                        continue;
                    }
                    parts
                        .iter()
                        .map(|(_, part)| *part)
                        .collect::<Vec<_>>()
                        .join(" or ")
                }
            };
            let sql = format!(
                "select t::text from {table} t where ($1::uuid is null or $2::uuid is not null) and ({condition}) order by 1"
            );
            let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(self.theirs.tenant.uuid())
                .bind(self.theirs.user)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            rows.insert(table, found);
        }
        for table in [
            "tenants",
            "users",
            "sessions",
            "orders",
            "customers",
            "shop_credentials",
        ] {
            assert!(!rows[table].is_empty(), "{table}");
        }
        rows
    }
}

async fn send(simulated: &Simulated, operation: &Operation, token: &str) -> Answer {
    let request = simulated
        .app
        .post()
        .bearer_auth(token)
        .json(&operation.body());
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        text: response.text().await.unwrap(),
    }
}

async fn register(simulated: &Simulated, label: &str, password: &str) -> Party {
    simulated.app.simulator.add_shop(ShopSettings::new(label));
    let (email, secret) = (
        format!("owner@{label}.example"),
        format!("app-secret-of-{label}"),
    );
    let mut input = register_input(&email, password, label, &format!("shpat_{label}"));
    input["shop"]["credentials"]["accessToken"]["apiSecret"] = json!(secret);
    let payload = simulated
        .app
        .field(REGISTER, json!({ "input": input }), None)
        .await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    let text = |name: &str| {
        let text = payload["session"][name].as_str();
        text.unwrap_or_else(|| panic!("{payload}")).to_owned()
    };
    let mut connection = simulated.app.database.connection().await;
    let (tenant, user): (Uuid, Uuid) = sqlx::query_as(
        "select m.tenant_id, m.user_id from memberships m join users u on u.id = m.user_id where u.email = $1",
    )
    .bind(&email)
    .fetch_one(&mut connection)
    .await
    .unwrap();
    Party {
        label: label.to_owned(),
        password: password.to_owned(),
        token: text("token"),
        refresh_token: text("refreshToken"),
        secret,
        tenant: serde_json::from_value(json!(tenant)).unwrap(),
        user,
        words: Words::default(),
        email,
    }
}

async fn set_shop(simulated: &Simulated, party: &Party, currency: &str, zone: &str) {
    sqlx::query("update shops set currency = $2, time_zone = $3 where tenant_id = $1")
        .bind(party.tenant.uuid())
        .bind(currency)
        .bind(zone)
        .execute(&mut simulated.app.database.connection().await)
        .await
        .unwrap();
}

/// Writes a store's books: small and plain for the attacker, large and marked for the other one.
async fn write(simulated: &Simulated, party: &Party, numbers: std::ops::Range<i64>) {
    let marked = party.label.starts_with(MARK);
    let (base, word, currency) = if marked {
        (NUMBERS, MARK, "KWD")
    } else {
        (0, OWN_MARK, "EUR")
    };
    let past = instant("2025-01-01T00:00:47Z");
    let (mut others, mut entries) = (Vec::new(), Vec::new());
    for n in numbers {
        let number = base + n + 1;
        others.push(Record::Customer(CustomerRecord {
            id: CustomerId::new(number),
            display_name: format!("{word} customer {n}"),
            email: Some(format!("{word}.{n}@{word}.example")),
            tags: vec![format!("{word}-tag-{n}")],
            created_at: past,
            updated_at: past,
        }));
        others.push(Record::Product(ProductRecord {
            id: ProductId::new(number),
            title: format!("{word} product {n}"),
            status: "ACTIVE".to_owned(),
            vendor: format!("{word} vendor"),
            product_type: format!("{word} type"),
            created_at: past,
            updated_at: past,
        }));
        let at = if n % 2 == 0 {
            (Utc::now() - TimeDelta::days(n % 25))
                .format("%Y-%m-%dT%H:%M:47Z")
                .to_string()
        } else {
            format!("2023-05-{:02}T10:{:02}:47Z", n % 28 + 1, n % 60)
        };
        let (total, back, quantity) = if marked {
            (
                format!("{}.131", 7_013 + n),
                format!("{}.031", 1_003 + n),
                1_009,
            )
        } else {
            (format!("{}.50", 10 + n), format!("{}.25", n + 1), 2)
        };
        let entry = Entry::placed(number, &at, Some(number))
            .line(number, quantity, &total, "0", "0")
            .returned(&at, 1, &back, "0", "0")
            .with(|order| {
                order.currency = Currency::parse(currency).unwrap();
                order.source_name = Some(format!("{word}-channel"));
                order.discount_codes = vec![format!("{word}-code")];
                order.tags = vec![format!("{word}-order-tag")];
            });
        entries.push(entry);
    }
    simulated
        .app
        .database
        .write_books(party.tenant, &others, &entries)
        .await;
}

/// A customer of the store asks what is held of them.
async fn ask_for_privacy(simulated: &Simulated, party: &Party, customer: i64) {
    let domain = format!("{}.myshopify.com", party.label);
    let body = json!({ "shop_domain": domain, "customer": { "id": customer }, "orders_requested": [customer] });
    let body = body.to_string().into_bytes();
    let signature = sign(&party.secret, &body);
    let topic = "customers/data_request";
    let status = deliver(
        &simulated.app,
        &party.label,
        topic,
        "privacy",
        &signature,
        body,
    )
    .await;
    assert_eq!(status, StatusCode::OK);
}

/// Asks a store everything, with its own words, again and again, until they are many.
async fn harvest(simulated: &Simulated, operations: &mut Operations, party: &Party) -> Words {
    let mut words = Words::default();
    for round in 0..4 {
        let number = if round == 0 { 90 } else { 150 };
        for _ in 0..number {
            let operation = operations.next(OperationType::Query, &words);
            let answer = send(simulated, &operation, &party.token).await;
            assert!(
                answer.status.is_success(),
                "{} {}",
                operation.text,
                answer.text
            );
            words.learn(&answer.json()["data"]);
        }
    }
    let enough = words.ids.len().min(words.cursors.len());
    assert!(enough > 5, "{words:?}");
    words
}

fn detector(ours: &Party, theirs: &Party) -> Detector {
    let (tenant, user) = (theirs.tenant.uuid(), theirs.user);
    let marks = [
        MARK.to_owned(),
        NUMBERS.to_string()[..7].to_owned(),
        "KWD".to_owned(),
        "Asia/Kuwait".to_owned(),
        tenant.to_string(),
        user.to_string(),
    ];
    let written = [tenant.to_string(), user.to_string()];
    let hidden = [
        tenant.as_bytes().as_slice(),
        user.as_bytes(),
        written[0].as_bytes(),
        written[1].as_bytes(),
    ];
    Detector::new(&marks, &hidden, &theirs.words, &ours.words)
}
