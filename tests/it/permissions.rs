//! Every field of the schema's roots in every role, against the one table that says who may use it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use pretty_assertions::assert_eq;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use xboard::domain::principal::Role;
use xboard::graphql::permissions::TABLE;

use crate::support::{Registered, TestApp};

const SCHEMA: &str = "{ __schema { types { name kind
    fields { name args { name defaultValue type { ...T } } type { ...T } }
    inputFields { name defaultValue type { ...T } } enumValues { name } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

const LOGIN: &str = "mutation ($email: String!, $password: String!) {
    login(input: { email: $email, password: $password }) { session { token } } }";

/// The schema, as far as it is needed to ask for anything in it.
struct Schema {
    types: BTreeMap<String, Value>,
}

impl Schema {
    async fn read(app: &TestApp) -> Self {
        let schema = app.field(SCHEMA, json!({}), None).await;
        let types = schema["types"].as_array().unwrap().iter();
        Self {
            types: types
                .map(|of| (of["name"].as_str().unwrap().to_owned(), of.clone()))
                .collect(),
        }
    }

    fn fields(&self, root: &str) -> &[Value] {
        self.types[root]["fields"].as_array().unwrap()
    }

    /// Something that fits the type.
    fn value(&self, of: &Value) -> String {
        let inner = &of["ofType"];
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(inner),
            "LIST" => format!("[{}]", self.value(inner)),
            "ENUM" => {
                let values = &self.types[of["name"].as_str().unwrap()]["enumValues"];
                // The last role is the one that the fewest rights are needed for.
                let last = values.as_array().unwrap().last().unwrap();
                last["name"].as_str().unwrap().to_owned()
            }
            "INPUT_OBJECT" => self.input(of["name"].as_str().unwrap()),
            _ => match of["name"].as_str().unwrap() {
                "Int" => "1".to_owned(),
                "Boolean" => "false".to_owned(),
                "Date" => "\"2026-11-01\"".to_owned(),
                _ => "\"x\"".to_owned(),
            },
        }
    }

    /// An input with what it must have; with its first field where it must have nothing, for that may be
    /// one of which exactly one is to be given.
    fn input(&self, name: &str) -> String {
        let fields = self.types[name]["inputFields"].as_array().unwrap();
        let mut given: Vec<_> = fields.iter().filter(|field| is_needed(field)).collect();
        if given.is_empty() {
            given.extend(fields.first());
        }
        format!("{{ {} }}", self.pairs(&given))
    }

    fn pairs(&self, of: &[&Value]) -> String {
        let pair = |field: &&Value| {
            let name = field["name"].as_str().unwrap();
            format!("{name}: {}", self.value(&field["type"]))
        };
        of.iter().map(pair).collect::<Vec<_>>().join(", ")
    }

    /// The operation that asks for one field of a root.
    fn operation(&self, root: &str, field: &Value) -> String {
        let arguments: Vec<_> = field["args"].as_array().unwrap().iter().collect();
        let needed: Vec<_> = arguments.into_iter().filter(|arg| is_needed(arg)).collect();
        let arguments = if needed.is_empty() {
            String::new()
        } else {
            format!("({})", self.pairs(&needed))
        };
        let mut result = &field["type"];
        while result["name"].is_null() {
            result = &result["ofType"];
        }
        let selection = match &self.types[result["name"].as_str().unwrap()]["fields"] {
            Value::Array(fields) if fields.iter().any(|field| field["name"] == "userErrors") => {
                "{ userErrors { code } }"
            }
            Value::Array(_) => "{ __typename }",
            _ => "",
        };
        let name = field["name"].as_str().unwrap();
        format!(
            "{} {{ {name}{arguments} {selection} }}",
            root.to_lowercase()
        )
    }
}

fn is_needed(field: &Value) -> bool {
    field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null()
}

/// A store with a member of each role.
struct Members {
    app: TestApp,
    users: [(Role, Registered); 3],
}

impl Members {
    async fn gather() -> Self {
        let app = TestApp::start().await;
        let owner = app.register_shop("engines").await;
        let admin = app.register_shop("looms").await;
        let viewer = app.register_shop("lamps").await;
        app.database.leaves_jobs(3);
        Self {
            app,
            users: [
                (Role::Owner, owner),
                (Role::Admin, admin),
                (Role::Viewer, viewer),
            ],
        }
    }

    /// A fresh token of the store for somebody in this role, whatever went before.
    async fn token(&self, role: Role) -> String {
        let (_, user) = self.users.iter().find(|(of, _)| *of == role).unwrap();
        sqlx::query(
            "insert into memberships (tenant_id, user_id, role, created_at) \
             select t.id, u.id, $2, '2000-01-01' from tenants t, users u \
             where t.shop_domain = 'engines.myshopify.com' and u.email = $1 \
             on conflict (tenant_id, user_id) do update set role = excluded.role, created_at = excluded.created_at",
        )
        .bind(&user.email)
        .bind(role.code())
        .execute(&mut self.app.database.connection().await)
        .await
        .unwrap();
        let credentials = json!({ "email": user.email, "password": user.password });
        let payload = self.app.field(LOGIN, credentials, None).await;
        payload["session"]["token"].as_str().unwrap().to_owned()
    }

    /// The first answer of an operation.
    async fn ask(&self, root: &str, operation: &str, token: Option<&str>) -> Value {
        if root != "Subscription" {
            return self.app.graphql(operation, json!({}), token).await;
        }
        let mut request = self
            .app
            .post()
            .header(ACCEPT, "text/event-stream")
            .json(&json!({ "query": operation }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let mut chunks = request.send().await.unwrap().bytes_stream();
        let mut text = String::new();
        // A member who is allowed to subscribe receives the next event.
        let mut connection = self.app.database.connection().await;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            assert!(Instant::now() < deadline, "no event came: {text}");
            if let Some(line) = text.lines().find(|line| line.starts_with("data: {")) {
                return serde_json::from_str(&line["data: ".len()..]).unwrap();
            }
            sqlx::query(
                "select pg_notify('xboard_shop', event::text) from ( \
                    select json_build_object('tenant', tenant_id, 'event', 'data_changed', 'version', data_version, \
                       'days', '{}'::text[]) from shops union all \
                    select json_build_object('tenant', tenant_id, 'event', 'sync_progress', 'run', id) \
                    from sync_runs) as e (event)",
            )
            .execute(&mut connection)
            .await
            .unwrap();
            let chunk = tokio::time::timeout(Duration::from_millis(50), chunks.next()).await;
            if let Ok(chunk) = chunk {
                text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
            }
        }
    }
}

/// Whether an answer is one for somebody who may.
fn is_allowed(body: &Value) -> bool {
    let refused = |codes: &[&str], code: &Value| codes.iter().any(|refused| code == refused);
    let errors = body["errors"].as_array().into_iter().flatten();
    let mut codes = errors.map(|error| &error["extensions"]["code"]);
    let mut fields = body["data"].as_object().into_iter().flatten();
    let user_errors = |value: &Value| {
        let errors = value["userErrors"].as_array().into_iter().flatten();
        errors
            .into_iter()
            .any(|error| error["code"] == "NOT_ALLOWED")
    };
    !codes.any(|code| refused(&["UNAUTHENTICATED", "FORBIDDEN", "INTERNAL"], code))
        && !fields.any(|(_, value)| user_errors(value))
}

#[tokio::test]
async fn every_field_is_open_to_the_roles_of_the_table_and_to_nobody_else() {
    let members = Members::gather().await;
    let schema = Schema::read(&members.app).await;
    let table: BTreeMap<_, _> = TABLE.iter().copied().collect();
    let mut seen = Vec::new();
    let mut wrong = Vec::new();
    for root in ["Query", "Mutation", "Subscription"] {
        for field in schema.fields(root) {
            let name = field["name"].as_str().unwrap();
            seen.push(name);
            let Some(access) = table.get(name) else {
                wrong.push(format!("{root}.{name} is not in the table of permissions"));
                continue;
            };
            let operation = schema.operation(root, field);
            for role in [
                None,
                Some(Role::Viewer),
                Some(Role::Admin),
                Some(Role::Owner),
            ] {
                let token = match role {
                    None => None,
                    Some(role) => Some(members.token(role).await),
                };
                let body = members.ask(root, &operation, token.as_deref()).await;
                if is_allowed(&body) != access.allows(role) {
                    wrong.push(format!("{role:?}: {operation} gives {body}"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    seen.sort_unstable();
    assert_eq!(seen, table.into_keys().collect::<Vec<_>>());
}
