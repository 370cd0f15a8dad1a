//! The dashboard page, built from `web/dashboard`. It uses the public GraphQL API like any other client.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Response};

use super::HttpState;
use super::static_assets::StaticPage;

/// The paths that the page routes itself.
pub(super) const PATHS: [&str; 6] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/connect",
    "/claim",
    "/settings",
];

/// The policy allows no inline scripts or styles, no other hosts, and no strings as scripts.
const PAGE: StaticPage = StaticPage {
    files: include!(concat!(env!("OUT_DIR"), "/dashboard_files.rs")),
    policy: HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    fallback: NOT_BUILT,
};

/// The meta tag that shows the link to GraphiQL.
const EXPLORER: &str = r#"name="xboard-explorer" content="on""#;
const NO_EXPLORER: &str = r#"name="xboard-explorer" content="off""#;

/// The page, at each of its paths.
pub(super) async fn page(State(state): State<HttpState>) -> Response<Body> {
    let html = PAGE.html().map(|html| {
        if state.options.graphiql {
            html.to_owned()
        } else {
            html.replace(EXPLORER, NO_EXPLORER)
        }
    });
    let mut response = PAGE.respond(html);
    // Browsers revalidate the page each time, because it names the files of this build.
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The operations that the page sends.
pub(super) fn documents() -> Vec<String> {
    PAGE.documents()
}

/// A script or stylesheet.
pub(super) async fn asset(Path(name): Path<String>) -> Response<Body> {
    PAGE.asset(&name)
}

const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>XBoard</title>
<h1>XBoard</h1>
<p>An analytics gateway for Shopify. This program was compiled without its dashboard page. To add the page, install
Node.js (https://nodejs.org), run <code>./run setup</code> and compile again.</p>
<ul>
<li><code>POST /graphql</code>: the API</li>
<li><a href="/health">/health</a>: the program is alive</li>
<li><a href="/dbtest">/dbtest</a>: the database answers</li>
</ul>
</html>
"#;
