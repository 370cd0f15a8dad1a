//! What happens to every request: an id, a line in the log, limits, and headers that keep browsers careful.
//! Nothing that is sent is logged but the method and the path: queries, headers and bodies hold secrets.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, Request, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::PropagateRequestIdLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_http::trace::TraceLayer;
use tracing::Span;
use uuid::Uuid;

use super::answer::Refusal;
use super::media::Media;
use super::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use super::{HttpOptions, Origins};

/// How long a client may pause while it sends its body.
const BODY_PAUSE: Duration = Duration::from_secs(10);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is no page of ours loads nothing and is shown nowhere; pages bring a policy of their own.
const NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Browsers that came by https once come by nothing else for a year. Subdomains are not ours to speak for.
const ONE_YEAR: &str = "max-age=31536000";

/// What the logs and the client call a request.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// What every answer says to browsers where it says nothing else itself.
static HEADERS: [(HeaderName, HeaderValue); 5] = [
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING)),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Puts the layers around the routes.
pub(super) fn wrap(routes: Router, options: &HttpOptions) -> Router {
    let over_https = options.over_https;
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_request(())
        .on_response(finished)
        .on_failure(());
    // One layer of many, the outermost first: the router puts each that it is given into a box of its own.
    let layers = ServiceBuilder::new()
        .map_request(with_request_id)
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(trace)
        .layer(cors(&options.origins))
        .map_response(move |response| with_headers(response, over_https))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(DefaultBodyLimit::max(options.largest_body));
    routes.layer(layers)
}

fn with_headers<B>(mut response: Response<B>, over_https: bool) -> Response<B> {
    let headers = response.headers_mut();
    for (name, value) in &HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if over_https {
        let year = HeaderValue::from_static(ONE_YEAR);
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}

/// Gives the request its id: that of the caller, if it is a sensible one, so that a chain of services can be
/// followed. It goes back with the answer.
fn with_request_id<B>(mut request: Request<B>) -> Request<B> {
    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let id = given
        .filter(|id| is_sensible(id))
        .map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
    if let Ok(value) = HeaderValue::try_from(id.as_str()) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    request.extensions_mut().insert(RequestId(id));
    request
}

fn is_sensible(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn span<B>(request: &Request<B>) -> Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .map_or("", |id| id.0.as_str());
    tracing::info_span!(
        "request",
        request.id = id,
        http.request.method = %request.method(),
        url.path = request.uri().path(),
    )
}

fn finished<B>(response: &Response<B>, latency: Duration, _: &Span) {
    let status = response.status().as_u16();
    let duration = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        http.response.status_code = status,
        duration_ms = duration,
        "answered"
    );
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    // What the panic said is already on standard error; it may hold anything, so it is not repeated.
    tracing::error!("a handler panicked");
    Refusal::internal().in_media(Media::Json, "")
}

fn cors(origins: &Origins) -> CorsLayer {
    let allowed = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Only(list) => AllowOrigin::list(list.iter().cloned()),
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_NONE_MATCH,
            REQUEST_ID,
        ])
        .expose_headers([ETAG, REQUEST_ID, RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER])
        .max_age(Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::routing::get;
    use tower::Service as _;

    use super::*;

    async fn fails() {
        panic!("a secret");
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_saying_why() {
        let options = HttpOptions {
            origins: Origins::Any,
            graphiql: false,
            behind_proxy: false,
            operation_timeout: Duration::from_secs(1),
            largest_body: 1024,
            kept_answers: 0,
            kept_figures: 0,
            persisted_queries: 0,
            trusted_documents: None,
            session_check: Duration::from_secs(1),
            over_https: false,
            keep_alive: Duration::from_secs(1),
        };
        let mut site = wrap(Router::new().route("/", get(fails)), &options);
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = site.call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key(REQUEST_ID));
        let body = axum::body::to_bytes(response.into_body(), 1000)
            .await
            .unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let error = &body["errors"][0];
        assert_eq!(error["message"], "Something went wrong on our side.");
        assert_eq!(error["extensions"]["code"], "INTERNAL");
    }

    #[test]
    fn an_id_is_taken_over_only_if_it_is_harmless_in_a_log() {
        for good in ["a", "order-66_a.b", &"a".repeat(64)] {
            assert!(is_sensible(good), "{good}");
        }
        for wrong in ["", "a b", "a\"b", "ä", &"a".repeat(65)] {
            assert!(!is_sensible(wrong), "{wrong}");
        }
    }
}
