//! The dashboard page in a real browser: `web/dashboard/tests/dashboard.mjs` says what is done and expected.

use std::path::Path;

use reqwest::StatusCode;
use shopify_simulator::{Generation, ShopSettings, WebhookPlan};
use tokio_util::sync::CancellationToken;
use xboard::shopify::InstallableApp;

use crate::support::{ITSELF, Simulated, TestApp, node};

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the lines are shown with --nocapture")]
async fn a_merchant_keeps_the_dashboard_open_all_day() {
    let directory = node::project("web/dashboard", "playwright-core").await;
    let world = Simulated::start_with(|config| {
        config.public_url = Some(ITSELF.to_owned());
        config.shopify.app = Some(InstallableApp {
            client_id: "the-operators-app".to_owned(),
            client_secret: "shpss_the_operators_secret".into(),
            scopes: "read_orders,read_customers,read_products".to_owned(),
        });
    })
    .await;
    let settings = ShopSettings {
        name: "Mill Lane Goods".to_owned(),
        static_token: Some("shpat_mill".to_owned()),
        client_secret: "shpss_mill".to_owned(),
        // Slow enough for its progress to be seen.
        bulk_running: std::time::Duration::from_millis(1500),
        ..ShopSettings::new("mill-lane")
    };
    let shop = world.app.simulator.add_shop(settings);
    shop.set_webhook_plan(WebhookPlan {
        allow_http: true,
        ..WebhookPlan::default()
    });
    let today = chrono::Utc::now().date_naive();
    shop.generate(&Generation {
        seed: 7,
        ..Generation::of(600, today - chrono::Days::new(1))
    });
    let settings = ShopSettings::new("installed-store");
    let back = format!("{}/oauth/callback", world.app.address());
    world.app.simulator.add_shop(settings).offer_app(
        "the-operators-app",
        "shpss_the_operators_secret",
        &[&back],
    );
    let over = CancellationToken::new();
    let worker = tokio::spawn(xboard::sync::worker::run(
        world.app.app().sync().clone(),
        over.clone(),
    ));
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    let control = format!("{}/control/shops/mill-lane", world.app.simulator.base_url());
    let arguments = [
        "tests/dashboard.mjs",
        world.app.address(),
        &control,
        "mill-lane",
        "shpat_mill",
        "shpss_mill",
        shots.to_str().unwrap(),
    ];
    let lines = node::run(&directory, "node", &arguments).await;
    println!("{lines}screenshots: {}", shots.display());
    // Where no browser can be had, `./run test` has said so.
    let done = lines.ends_with("\nall of it\n") || lines.contains("\nskipped: ");
    assert!(done, "{lines}");
    over.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn the_page_is_served_at_each_of_its_addresses_under_a_strict_policy() {
    let app = TestApp::start().await;
    let mut pages = Vec::new();
    for address in [
        "/",
        "/sign-in",
        "/sign-up",
        "/connect",
        "/claim",
        "/settings",
    ] {
        let response = app.get(address).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{address}");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "),
            "{policy}"
        );
        for hole in ["unsafe", "http", "*", "blob:"] {
            assert!(!policy.contains(hole), "{policy}");
        }
        pages.push(response.text().await.unwrap());
    }
    assert!(pages.iter().all(|page| page == &pages[0]));
    let assets: Vec<_> = pages[0]
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    assert_eq!(assets.len(), 2, "{assets:?}");
    for asset in assets {
        let response = app.get(asset).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{asset}");
        assert_eq!(
            response.headers()["cache-control"],
            "public, max-age=31536000, immutable"
        );
    }
    for wrong in [
        "/assets/none.js",
        "/assets/index.html",
        "/sign-in/more",
        "/dashboard",
    ] {
        let response = app.get(wrong).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{wrong}");
    }
}
