//! `GET /`: the page that a merchant keeps open. It is built from `web/dashboard` and asks the same GraphQL
//! that any frontend would; this room knows nothing of what it shows.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Response};

use super::HttpState;
use super::built::BuiltPage;

/// The addresses that the page shows something of its own at.
pub(super) const ADDRESSES: [&str; 6] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/connect",
    "/claim",
    "/settings",
];

/// Neither a script nor a style is taken from the page's text, nothing from another host, and no text is ever
/// turned into a script.
const PAGE: BuiltPage = BuiltPage {
    files: include!(concat!(env!("OUT_DIR"), "/dashboard_files.rs")),
    policy: HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    absent: NOT_BUILT,
};

/// What the page's text says of the explorer.
const EXPLORER: &str = r#"name="xboard-explorer" content="on""#;
const NO_EXPLORER: &str = r#"name="xboard-explorer" content="off""#;

/// The page, at each of its addresses.
pub(super) async fn page(State(state): State<HttpState>) -> Response<Body> {
    let html = PAGE.html().map(|html| {
        if state.options.graphiql {
            html.to_owned()
        } else {
            html.replace(EXPLORER, NO_EXPLORER)
        }
    });
    let mut response = PAGE.respond(html);
    // Asked about each time: it names the files of this very build.
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// What the page asks: part of this program, like the page itself.
pub(super) fn documents() -> Vec<String> {
    PAGE.documents()
}

/// A script or style of the page.
pub(super) async fn asset(Path(name): Path<String>) -> Response<Body> {
    PAGE.asset(&name)
}

const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>XBoard</title>
<h1>XBoard</h1>
<p>A gateway between Shopify stores and their numbers. This program was compiled without its dashboard page. To
have it, install Node.js (https://nodejs.org), then run <code>./run setup</code> and compile again.</p>
<ul>
<li><code>POST /graphql</code>: the API</li>
<li><a href="/health">/health</a>: the program is alive</li>
<li><a href="/dbtest">/dbtest</a>: the database answers</li>
</ul>
</html>
"#;
