//! The pages for people.

use axum::extract::State;
use axum::response::{Html, IntoResponse};

use super::HttpState;

/// `GET /`: what is here.
pub(super) async fn welcome(State(state): State<HttpState>) -> impl IntoResponse {
    let explorer = if state.options.graphiql { EXPLORER } else { "" };
    Html(WELCOME.replace("{explorer}", explorer))
}

const EXPLORER: &str = "<li><a href=\"/graphiql\">GraphiQL</a>: explore the API</li>\n";

const WELCOME: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>XBoard</title>
<h1>XBoard</h1>
<p>A gateway between Shopify stores and their numbers.</p>
<ul>
{explorer}<li><code>POST /graphql</code>: the API</li>
<li><a href="/health">/health</a>: the program is alive</li>
<li><a href="/dbtest">/dbtest</a>: the database answers</li>
</ul>
</html>
"#;
