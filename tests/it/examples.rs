//! The example queries of `docs/api.md` and GraphiQL are executed.

use std::path::Path;

use serde_json::{Value, json};
use shopify_simulator::ShopSettings;

use crate::oauth::{self, Browser};
use crate::support::{ITSELF, Registered, Simulated, TestApp, register_input};

async fn shop() -> (Simulated, Registered) {
    let world =
        Simulated::start_with(|config| oauth::install_from(config, ITSELF.to_owned())).await;
    let user = world.app.register_shop("engines").await;
    world.app.work().await;
    (world, user)
}

/// Executes each operation of a document.
async fn execute(app: &TestApp, query: &str, variables: &Value, token: &str, place: &str) {
    let document = async_graphql::parser::parse_query(query);
    let document = document.unwrap_or_else(|error| panic!("{place}: {error}\n{query}"));
    for (name, _) in document.operations.iter() {
        let mut body = json!({ "query": query, "variables": variables });
        if let Some(name) = name {
            body["operationName"] = json!(name);
        }
        let response = app
            .post()
            .bearer_auth(token)
            .json(&body)
            .send()
            .await
            .unwrap();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer.get("errors"), None, "{place}: {answer}\n{query}");
        for payload in answer["data"].as_object().unwrap().values() {
            if let Some(errors) = payload.get("userErrors") {
                assert_eq!(errors, &json!([]), "{place}");
            }
        }
    }
}

/// Replaces the example values by values of this test.
async fn replace_variables(
    world: &Simulated,
    query: &str,
    variables: &mut Value,
    user: &Registered,
) {
    let app = &world.app;
    if variables.pointer("/input/shop").is_some() {
        // A new user with a new shop each time.
        let label = format!("new-{}", uuid::Uuid::now_v7().simple());
        app.simulator.add_shop(ShopSettings::new(&label));
        let email = format!("owner@{label}.example");
        let password = variables["input"]["password"].as_str().unwrap().to_owned();
        let token = format!("shpat_{label}");
        variables["input"] = register_input(&email, &password, &label, &token);
    } else if variables.pointer("/input/password").is_some() {
        variables["input"]["email"] = json!(user.email);
        variables["input"]["password"] = json!(user.password);
    }
    if query.contains("$refreshToken: String!") {
        variables["refreshToken"] = json!(user.refresh_token);
    }
    if query.contains("switchTenant(") {
        let me = app
            .field("{ me { tenant { id } } }", json!({}), Some(&user.token))
            .await;
        variables["id"] = me["tenant"]["id"].clone();
    }
    if query.contains("connectShop(") {
        app.simulator.add_shop(ShopSettings::new("further"));
        variables["shop"] = register_input("", "", "further", "shpat_further")["shop"].clone();
    }
    if query.contains("claimShop(") {
        oauth::open(world, "installed");
        variables["code"] = json!(Browser::default().install(world, "installed").await);
    }
    if query.contains("inviteMember(") {
        variables["email"] = json!("mary@example.com");
    }
    if query.contains("acceptInvitation(") {
        // The shop of another user.
        let owner = app.register_shop("inviting").await;
        let invite = "mutation ($email: String!) { inviteMember(input: { email: $email, role: VIEWER }) { token } }";
        let variables_of_owner = json!({ "email": user.email });
        let payload = app
            .field(invite, variables_of_owner, Some(&owner.token))
            .await;
        variables["token"] = payload["token"].clone();
    }
}

/// A new session of the same user, because an example may end its session.
async fn sign_in(app: &TestApp, user: &Registered) -> Registered {
    let query = "mutation ($input: LoginInput!) {
        login(input: $input) { session { token refreshToken } } }";
    let input = json!({ "email": user.email, "password": user.password });
    let payload = app.field(query, json!({ "input": input }), None).await;
    let text = |name: &str| payload["session"][name].as_str().unwrap().to_owned();
    Registered {
        token: text("token"),
        refresh_token: text("refreshToken"),
        ..user.clone()
    }
}

#[tokio::test]
async fn the_tabs_of_graphiql_run() {
    let (world, user) = shop().await;
    let app = &world.app;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/graphiql/examples");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "graphql")
        {
            continue;
        }
        let query = std::fs::read_to_string(&path).unwrap();
        let mut variables = std::fs::read_to_string(path.with_extension("json"))
            .map_or(json!({}), |text| serde_json::from_str(&text).unwrap());
        replace_variables(&world, &query, &mut variables, &user).await;
        execute(
            app,
            &query,
            &variables,
            &user.token,
            &path.display().to_string(),
        )
        .await;
        count += 1;
    }
    assert_eq!(count, 5);
    app.work().await;
}

/// The fenced blocks of a page: language and content.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let parts: Vec<_> = page.split("```").collect();
    parts
        .chunks(2)
        .filter_map(|pair| pair.get(1)?.split_once('\n'))
        .collect()
}

#[tokio::test]
async fn the_queries_of_the_api_guide_run() {
    let (world, user) = shop().await;
    let app = &world.app;
    let page = include_str!("../../docs/api.md");
    let blocks = blocks(page);
    let mut count = 0;
    for (index, (language, query)) in blocks.iter().enumerate() {
        if *language != "graphql" {
            continue;
        }
        // The JSON blocks after an operation are alternative sets of variables.
        let behind = blocks[index + 1..].iter();
        let mut choices: Vec<Value> = behind
            .take_while(|(language, _)| *language == "json")
            .map(|(_, text)| serde_json::from_str(text).unwrap())
            .collect();
        if choices.is_empty() {
            choices.push(json!({}));
        }
        for mut variables in choices {
            let user = sign_in(app, &user).await;
            replace_variables(&world, query, &mut variables, &user).await;
            execute(app, query, &variables, &user.token, "docs/api.md").await;
            count += 1;
        }
    }
    assert!(count >= 10, "{count}");
    app.work().await;
}
