//! The GraphiQL page, built from `web/graphiql`. Its Content-Security-Policy allows no other host.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderValue, Response};

use super::static_assets::StaticPage;

/// The editor needs inline styles.
const PAGE: StaticPage = StaticPage {
    files: include!(concat!(env!("OUT_DIR"), "/graphiql_files.rs")),
    policy: HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
         style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    fallback: NOT_BUILT,
};

/// The page.
pub(super) async fn page() -> Response<Body> {
    PAGE.respond(PAGE.html().map(str::to_owned))
}

/// A script or stylesheet.
pub(super) async fn asset(Path(name): Path<String>) -> Response<Body> {
    PAGE.asset(&name)
}

const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>GraphiQL was not built</title>
<h1>GraphiQL was not built</h1>
<p>This program was compiled without its GraphiQL page. To add it, install Node.js
(https://nodejs.org), run <code>./run setup</code> and compile again.
The API is at <code>POST /graphql</code>.</p>
</html>
"#;
