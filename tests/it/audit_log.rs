//! The audit log: what was done is in it, what was only tried too, and nothing secret is.

use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use shopify_simulator::ShopSettings;

use crate::support::{Registered, TestApp};

const LOG: &str = "{ auditLog(first: 100) { totalCount nodes { action succeeded actorKind actorEmail subject address } } }";

/// The log in the order in which things happened, one line each.
async fn log(app: &TestApp, token: &str) -> Vec<String> {
    let log = app.field(LOG, json!({}), Some(token)).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut lines: Vec<_> = log["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            format!(
                "{}{} by {} {}: {} from {}",
                text(&entry["action"]),
                if entry["succeeded"] == true {
                    ""
                } else {
                    " refused"
                },
                text(&entry["actorKind"]),
                text(&entry["actorEmail"]),
                text(&entry["subject"]),
                text(&entry["address"]),
            )
        })
        .collect();
    assert_eq!(log["totalCount"], json!(lines.len()));
    lines.reverse();
    lines
}

async fn mutate(app: &TestApp, token: Option<&str>, mutation: &str) -> Value {
    let query = format!("mutation {{ {mutation} }}");
    app.field(&query, json!({}), token).await
}

async fn login(app: &TestApp, user: &Registered, password: &str) -> Value {
    let input = format!(
        "email: {}, password: {}",
        json!(user.email),
        json!(password)
    );
    let mutation = format!("login(input: {{ {input} }}) {{ session {{ token }} }}");
    mutate(app, None, &mutation).await
}

#[tokio::test]
async fn what_members_do_is_told_to_owners_with_who_and_from_where() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let other = app.register_shop("looms").await;
    app.work().await;
    login(&app, &owner, "not the password").await;
    // That is written after the answer was given.
    while log(&app, &owner.token).await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let second = login(&app, &owner, &owner.password).await["session"]["token"].clone();
    let second = second.as_str().unwrap();
    mutate(&app, Some(second), "logout { userErrors { code } }").await;
    let token = Some(owner.token.as_str());
    mutate(
        &app,
        token,
        "sync(input: { mode: FULL }) { userErrors { code } }",
    )
    .await;
    app.work().await;
    let invited = mutate(
        &app,
        token,
        "inviteMember(input: { email: \"mary@example.com\", role: VIEWER }) { token }",
    )
    .await;
    let accept = format!(
        "acceptInvitation(input: {{ token: {}, password: \"violets by the river\" }}) {{ userErrors {{ code }} }}",
        invited["token"]
    );
    mutate(&app, None, &accept).await;
    let members = app.field("{ members { userId } }", json!({}), token).await;
    let mary = &members[1]["userId"];
    let change = format!(
        "changeMemberRole(input: {{ userId: {mary}, role: ADMIN }}) {{ userErrors {{ code }} }}"
    );
    mutate(&app, token, &change).await;
    let remove = format!("removeMember(userId: {mary}) {{ userErrors {{ code }} }}");
    mutate(&app, token, &remove).await;
    let wrong = "changePassword(input: { currentPassword: \"wrong\", newPassword: \"another passphrase\" }) { userErrors { code } }";
    mutate(&app, token, wrong).await;
    mutate(&app, token, "endOtherSessions { ended }").await;
    mutate(
        &app,
        token,
        "updateShopCredentials(input: { credentials: { accessToken: { token: \"shpat_engines\" } } }) { userErrors { code } }",
    )
    .await;
    app.work().await;
    mutate(&app, token, "disconnectShop { userErrors { code } }").await;
    app.work().await;

    let user = "USER owner@engines.example";
    assert_eq!(
        log(&app, &owner.token).await,
        [
            format!("STORE_CONNECTED by {user}: engines.myshopify.com from 127.0.0.1"),
            format!("SIGNED_IN refused by {user}: - from 127.0.0.1"),
            format!("SIGNED_IN by {user}: - from 127.0.0.1"),
            format!("SIGNED_OUT by {user}: - from 127.0.0.1"),
            format!("SYNC_REQUESTED by {user}: FULL from 127.0.0.1"),
            format!("MEMBER_INVITED by {user}: mary@example.com (VIEWER) from 127.0.0.1"),
            "INVITATION_ACCEPTED by USER mary@example.com: mary@example.com (VIEWER) from 127.0.0.1"
                .to_owned(),
            format!("ROLE_CHANGED by {user}: mary@example.com (ADMIN) from 127.0.0.1"),
            format!("MEMBER_REMOVED by {user}: mary@example.com (ADMIN) from 127.0.0.1"),
            format!("PASSWORD_CHANGED refused by {user}: - from 127.0.0.1"),
            format!("SESSIONS_ENDED by {user}: 0 from 127.0.0.1"),
            format!("CREDENTIALS_CHANGED by {user}: ACCESS_TOKEN from 127.0.0.1"),
            format!("STORE_DISCONNECTED by {user}: - from 127.0.0.1"),
        ]
    );
    // Each store has its own.
    assert_eq!(
        log(&app, &other.token).await,
        ["STORE_CONNECTED by USER owner@looms.example: looms.myshopify.com from 127.0.0.1"]
    );
    let kept: String =
        sqlx::query_scalar("select string_agg(row_to_json(a)::text, ' ') from audit_log a")
            .fetch_one(&mut app.database.connection().await)
            .await
            .unwrap();
    for secret in [
        owner.password.as_str(),
        "not the password",
        "shpat_",
        "xbi_",
        "xbr_",
        "violets",
        "another passphrase",
    ] {
        assert!(!kept.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_change_that_is_refused_or_rolled_back_is_not_told_as_done() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let token = Some(owner.token.as_str());
    app.simulator.add_shop(ShopSettings::new("lamps"));
    mutate(&app, token, "leaveShop { userErrors { code } }").await;
    mutate(
        &app,
        token,
        "inviteMember(input: { email: \"no address\", role: VIEWER }) { token }",
    )
    .await;
    mutate(
        &app,
        token,
        "connectShop(input: { shop: { domain: \"lamps.myshopify.com\", credentials: { accessToken: { token: \"wrong\" } } } }) { userErrors { code } }",
    )
    .await;
    assert_eq!(log(&app, &owner.token).await.len(), 1);
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn a_long_log_is_paged_through_and_old_entries_go() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    for _ in 0..4 {
        login(&app, &owner, &owner.password).await;
    }
    let mut after = Value::Null;
    let mut seen = Vec::new();
    loop {
        let query = "query ($after: String) { auditLog(first: 2, after: $after) {
            nodes { id at } pageInfo { hasNextPage endCursor } } }";
        let page = app
            .field(query, json!({ "after": after }), Some(&owner.token))
            .await;
        seen.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 5);
    let times: Vec<_> = seen
        .iter()
        .map(|entry| entry["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");

    // The daily maintenance deletes what is older than a year.
    let tenant = sqlx::query_scalar(
        "update audit_log set at = now() - interval '366 days' where action = 'STORE_CONNECTED' returning tenant_id",
    )
    .fetch_one(&mut app.database.connection().await)
    .await
    .map(|id: uuid::Uuid| serde_json::from_value(json!(id)).unwrap())
    .unwrap();
    app.app().sync().queue_maintenance(tenant).await.unwrap();
    app.work().await;
    let left = log(&app, &owner.token).await;
    assert_eq!(left.len(), 4, "{left:?}");
}

#[tokio::test]
async fn what_a_role_does_not_allow_is_told_once_an_hour() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    app.work().await;
    let token = Some(owner.token.as_str());
    let become_a = async |role: &str| {
        sqlx::query("update memberships set role = $1")
            .bind(role)
            .execute(&mut app.database.connection().await)
            .await
            .unwrap();
        app.tell_of_changed_access().await;
    };
    // They are written after the answer was given.
    let refusals = async |number: i64| {
        loop {
            let written: i64 =
                sqlx::query_scalar("select count(*) from audit_log where action = 'NOT_ALLOWED'")
                    .fetch_one(&mut app.database.connection().await)
                    .await
                    .unwrap();
            if written >= number {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    become_a("VIEWER").await;
    for (mutation, written) in [
        ("disconnectShop { userErrors { code } }", 1),
        ("disconnectShop { userErrors { code } }", 1),
        ("disconnectShop { userErrors { code } }", 1),
        ("sync { userErrors { code } }", 2),
    ] {
        let payload = mutate(&app, token, mutation).await;
        assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED");
        refusals(written).await;
    }
    // Admins may invite, but not everybody.
    become_a("ADMIN").await;
    let invite =
        "inviteMember(input: { email: \"mary@example.com\", role: OWNER }) { userErrors { code } }";
    let payload = mutate(&app, token, invite).await;
    assert_eq!(payload["userErrors"][0]["code"], "NOT_ALLOWED");
    refusals(3).await;
    become_a("OWNER").await;
    let user = "USER owner@engines.example";
    assert_eq!(
        log(&app, &owner.token).await[1..],
        [
            format!("NOT_ALLOWED refused by {user}: disconnectShop (VIEWER) from 127.0.0.1"),
            format!("NOT_ALLOWED refused by {user}: sync (VIEWER) from 127.0.0.1"),
            format!("NOT_ALLOWED refused by {user}: inviteMember (ADMIN) from 127.0.0.1"),
        ]
    );
    // An hour later it is told again.
    sqlx::query("update audit_log set at = at - interval '61 minutes'")
        .execute(&mut app.database.connection().await)
        .await
        .unwrap();
    become_a("VIEWER").await;
    mutate(&app, token, "disconnectShop { userErrors { code } }").await;
    refusals(4).await;
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_is_told_once() {
    let app = TestApp::start().await;
    let owner = app.register_shop("engines").await;
    let refresh = async |token: &str| {
        let mutation =
            format!("refreshSession(refreshToken: \"{token}\") {{ userErrors {{ code }} }}");
        mutate(&app, None, &mutation).await["userErrors"].clone()
    };
    assert_eq!(refresh(&owner.refresh_token).await, json!([]));
    for token in [&*owner.refresh_token, &*owner.refresh_token, "xbr_unknown"] {
        assert_eq!(refresh(token).await[0]["code"], "INVALID");
    }
    let session = login(&app, &owner, &owner.password).await["session"]["token"].clone();
    let user = "USER owner@engines.example";
    assert_eq!(
        log(&app, session.as_str().unwrap()).await,
        [
            format!("STORE_CONNECTED by {user}: engines.myshopify.com from 127.0.0.1"),
            format!("REFRESH_TOKEN_REUSED refused by {user}: - from 127.0.0.1"),
            format!("SIGNED_IN by {user}: - from 127.0.0.1"),
        ]
    );
    app.database.leaves_jobs(1);
}

#[tokio::test]
async fn what_is_old_goes_from_disconnected_stores_too_and_nothing_is_asked_of_them() {
    let app = TestApp::start_with(|config| {
        config.sync.maintenance_interval = Some(Duration::from_hours(24));
    })
    .await;
    let owner = app.register_shop("engines").await;
    app.work().await;
    let disconnect = "disconnectShop { userErrors { code } }";
    mutate(&app, Some(&owner.token), disconnect).await;
    app.work().await;
    let shop = app.simulator.shop("engines").unwrap();
    shop.reset_statistics();
    let mut connection = app.database.connection().await;
    for statement in [
        "update audit_log set at = now() - interval '366 days' where action = 'STORE_CONNECTED'",
        "insert into webhook_deliveries (tenant_id, id, topic, received_at) \
         select id, 'old', 'orders/create', now() - interval '31 days' from tenants",
        "update tenants set next_maintenance_at = now() - interval '1 minute'",
    ] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    assert_eq!(app.app().sync().queue_due_maintenance().await.unwrap(), 1);
    app.work().await;
    let left = log(&app, &owner.token).await;
    let user = "USER owner@engines.example";
    assert_eq!(
        left,
        [format!("STORE_DISCONNECTED by {user}: - from 127.0.0.1")]
    );
    let deliveries: i64 = sqlx::query_scalar("select count(*) from webhook_deliveries")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(deliveries, 0);
    assert_eq!(shop.statistics().requests, 0);
    // The next one is due in a day.
    assert_eq!(app.app().sync().queue_due_maintenance().await.unwrap(), 0);
}
