//! Another encryption key while the program runs: everything is sealed anew, and the old key can go.

use pretty_assertions::assert_eq;
use serde_json::json;
use shopify_simulator::ShopSettings;
use xboard::config::EncryptionKeys;
use xboard::sync::Rotation;

use crate::support::{REGISTER, TestApp, register_input};

const OLD: &str = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "2:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// Connects a store by client id and secret, and has a token kept.
async fn with_kept_token(app: &TestApp, label: &str) {
    app.simulator.add_shop(ShopSettings::new(label));
    let mut input = register_input(
        &format!("owner@{label}.example"),
        "a passphrase, long enough",
        label,
        "",
    );
    input["shop"]["credentials"] = json!({ "clientCredentials": {
        "clientId": format!("client-{label}"), "clientSecret": format!("shpss_{label}") } });
    let payload = app.field(REGISTER, json!({ "input": input }), None).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    app.work().await;
}

/// The ids of the keys that everything is sealed with.
async fn key_ids(app: &TestApp) -> Vec<i32> {
    sqlx::query_scalar(
        "select distinct get_byte(v, 0) from shop_credentials, \
         unnest(array[sealed, sealed_access_token, sealed_previous]) v where v is not null order by 1",
    )
    .fetch_all(&mut app.database.connection().await)
    .await
    .unwrap()
}

async fn rotate(app: &TestApp, keys: &str) -> Rotation {
    let keys = EncryptionKeys::parse(keys).unwrap();
    let program = app.another(|config| config.encryption_keys = keys).await;
    program.sync().rotate_keys().await.unwrap()
}

#[tokio::test]
async fn after_a_rotation_the_old_key_can_be_dropped() {
    let app = TestApp::start().await;
    with_kept_token(&app, "engines").await;
    let user = app.register_shop("looms").await;
    app.work().await;
    // Webhooks that are under way are still signed with what was there before.
    let update = "mutation { updateShopCredentials(input: { credentials: { accessToken: { token: \"shpat_looms\" } } }) { userErrors { code } } }";
    app.field(update, json!({}), Some(&user.token)).await;
    app.work().await;
    assert_eq!(key_ids(&app).await, [1]);

    let both = format!("{NEW},{OLD}");
    let expected = Rotation {
        stores: 2,
        reencrypted: 4,
        current: 0,
        unreadable: Vec::new(),
    };
    assert_eq!(rotate(&app, &both).await, expected);
    assert_eq!(key_ids(&app).await, [2]);
    let again = Rotation {
        current: 4,
        ..Rotation::default()
    };
    assert_eq!(rotate(&app, &both).await, again);
    // With the new key alone everything opens: nothing is left to seal anew, and nothing is unreadable.
    assert_eq!(rotate(&app, NEW).await, again);
    let log: Vec<String> = sqlx::query_scalar(
        "select actor_kind || ' ' || subject from audit_log where action = 'KEYS_ROTATED' order by 1",
    )
    .fetch_all(&mut app.database.connection().await)
    .await
    .unwrap();
    assert_eq!(log, ["OPERATOR 2", "OPERATOR 2"]);
}

#[tokio::test]
async fn an_interrupted_rotation_goes_on_and_what_cannot_be_read_is_named() {
    let app = TestApp::start().await;
    with_kept_token(&app, "engines").await;
    with_kept_token(&app, "looms").await;
    let both = format!("{NEW},{OLD}");
    // As if it had been killed after the first store.
    let mut connection = app.database.connection().await;
    // Among the stores' own tables the program would not start with it.
    sqlx::query("create schema aside")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query(
        "create table aside.kept as select * from shop_credentials order by tenant_id limit 1",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    rotate(&app, &both).await;
    sqlx::query(
        "update shop_credentials c set sealed = k.sealed, sealed_access_token = k.sealed_access_token \
         from aside.kept k where k.tenant_id = c.tenant_id",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(key_ids(&app).await, [1, 2]);
    let rest = rotate(&app, &both).await;
    assert_eq!((rest.stores, rest.reencrypted, rest.current), (1, 2, 2));
    assert_eq!(key_ids(&app).await, [2]);
    // The key of one value is gone, which says so itself.
    sqlx::query(
        "update shop_credentials c set sealed = set_byte(sealed, 0, 9) from tenants t \
         where t.id = c.tenant_id and t.shop_domain = 'looms.myshopify.com'",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let rotation = rotate(&app, &both).await;
    assert_eq!(
        (rotation.stores, rotation.reencrypted, rotation.current),
        (0, 0, 3)
    );
    let named: Vec<_> = rotation
        .unreadable
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(named, ["looms.myshopify.com"]);
}
