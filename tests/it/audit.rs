//! GraphQL over HTTP to the letter: the audit of the npm package `graphql-http`, all of it.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::support::TestApp;

#[tokio::test]
async fn the_audit_of_graphql_over_http_is_passed_61_of_61() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http-audit");
    if !directory.join("node_modules/graphql-http").is_dir() {
        let installed = Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&directory)
            .stdin(Stdio::null())
            .output()
            .await;
        let installed = installed.expect("Node.js is needed for this test: https://nodejs.org");
        let stderr = String::from_utf8_lossy(&installed.stderr);
        assert!(installed.status.success(), "npm ci: {stderr}");
    }
    let app = TestApp::start().await;
    let url = app.get("/graphql").build().unwrap().url().to_string();
    let audit = Command::new("node")
        .args(["audit.mjs", &url])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let lines = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success(), "{lines}");
    assert!(lines.ends_with("\n61 of 61\n"), "{lines}");
    println!("{lines}");
}
