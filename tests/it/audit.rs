//! Programs of others against ours: the audit of GraphQL over HTTP, and a client with generated types. Both
//! are Node.js projects.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::support::TestApp;

/// Runs a program in a project of ours; what it printed.
pub(crate) async fn run(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program}: {error}. Install https://nodejs.org"));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {stdout}{stderr}");
    stdout
}

/// The directory of a project, with what it needs installed.
pub(crate) async fn project(path: &str, needs: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if !directory.join("node_modules").join(needs).is_dir() {
        run(&directory, "npm", &["ci", "--no-audit", "--no-fund"]).await;
    }
    directory
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the lines are shown with --nocapture")]
async fn the_audit_of_graphql_over_http_is_passed_61_of_61() {
    let directory = project("tests/http-audit", "graphql-http").await;
    let app = TestApp::start().await;
    let url = app.get("/graphql").build().unwrap().url().to_string();
    let lines = run(&directory, "node", &["audit.mjs", &url]).await;
    assert!(lines.ends_with("\n61 of 61\n"), "{lines}");
    println!("{lines}");
}

#[tokio::test]
async fn a_client_with_types_made_from_the_schema_works() {
    let directory = project("examples/typed-client", "graphql-request").await;
    run(&directory, "npm", &["run", "--silent", "build"]).await;
    let app = TestApp::start().await;
    let user = app.register_shop("typed").await;
    app.work().await;
    let url = app.get("/graphql").build().unwrap().url().to_string();
    let arguments = ["dist/main.js", &url, &user.email, &user.password];
    let lines = run(&directory, "node", &arguments).await;
    assert!(
        lines.ends_with(" 0 orders, 0.00 GBP\n0 orders listed\n"),
        "{lines}"
    );
}
