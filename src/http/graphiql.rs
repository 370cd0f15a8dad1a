//! `GET /graphiql`: the API's explorer. The page is built from `web/graphiql` and is part of the program, so
//! that it needs no other host, and its Content-Security-Policy allows none.

use axum::body::Body;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::{Html, IntoResponse as _};

/// The built page: names and contents, compressed but for `index.html`. Empty when it was not built.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/graphiql_files.rs"));

/// The editor writes styles of its own; everything else comes from this host or not at all.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
     style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page.
pub(super) async fn page() -> Response<Body> {
    let (status, body) = match file("index.html") {
        Some(page) => (StatusCode::OK, page),
        None => (StatusCode::NOT_IMPLEMENTED, NOT_BUILT.as_bytes()),
    };
    let mut response = (status, Html(body)).into_response();
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// A script or style of the page. Its name changes with its content, so browsers may keep it.
pub(super) async fn asset(Path(name): Path<String>) -> Response<Body> {
    let kind = match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let Some(content) = file(&format!("{name}.gz")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut response = Response::new(Body::from(content));
    let mut header = |name: HeaderName, value| {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    };
    header(CONTENT_TYPE, kind);
    // Every browser reads it; a compressed copy is the only one there is.
    header(CONTENT_ENCODING, "gzip");
    header(CACHE_CONTROL, "public, max-age=31536000, immutable");
    // A worker obeys the policy that it comes with.
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}

fn file(name: &str) -> Option<&'static [u8]> {
    FILES
        .iter()
        .find(|(of_file, _)| *of_file == name)
        .map(|(_, content)| *content)
}

const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>GraphiQL was not built</title>
<h1>GraphiQL was not built</h1>
<p>This program was compiled without its GraphiQL page. To have it, install Node.js
(https://nodejs.org), then run <code>./run setup</code> and compile again.
The API itself is here: <code>POST /graphql</code>.</p>
</html>
"#;
