//! The middleware of every request: request id, log, limits, CORS, compression and security headers. Only the
//! method and the path are logged, because queries, headers and bodies may contain secrets.

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

use super::content_negotiation::MediaType;
use super::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};
use super::response::HttpError;
use super::{AllowedOrigins, HttpOptions};

/// The longest pause of a client while it sends a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The Content-Security-Policy of responses that are not pages: nothing is loaded or framed.
const DENY_ALL: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Browsers use only HTTPS for a year. Subdomains may belong to other programs.
const HSTS: &str = "max-age=31536000";

/// The id of a request, in logs and responses.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Headers of every response that does not set them itself.
static DEFAULT_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(DENY_ALL)),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Adds the middleware to the routes.
pub(super) fn apply(routes: Router, options: &HttpOptions) -> Router {
    let over_https = options.over_https;
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_request(())
        .on_response(log_response)
        .on_failure(());
    // One combined layer, the outermost first: the router boxes each layer that it gets.
    let layers = ServiceBuilder::new()
        .map_request(with_request_id)
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(trace)
        .layer(cors(&options.allowed_origins))
        .map_response(move |response| with_headers(response, over_https))
        .layer(CompressionLayer::new())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
        .layer(DefaultBodyLimit::max(options.max_body_bytes));
    routes.layer(layers)
}

fn with_headers<B>(mut response: Response<B>, over_https: bool) -> Response<B> {
    let headers = response.headers_mut();
    for (name, value) in &DEFAULT_HEADERS {
        headers.entry(name).or_insert_with(|| value.clone());
    }
    if over_https {
        let hsts = HeaderValue::from_static(HSTS);
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(hsts);
    }
    response
}

/// Sets the request id: the valid id that the caller sent, so that logs of several services can be joined, or a
/// new one. The response contains it too.
fn with_request_id<B>(mut request: Request<B>) -> Request<B> {
    let sent = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let id = sent
        .filter(|id| is_valid_id(id))
        .map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
    if let Ok(value) = HeaderValue::try_from(id.as_str()) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    request.extensions_mut().insert(RequestId(id));
    request
}

fn is_valid_id(id: &str) -> bool {
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

fn log_response<B>(response: &Response<B>, latency: Duration, _: &Span) {
    let status = response.status().as_u16();
    let duration = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        http.response.status_code = status,
        duration_ms = duration,
        "response sent"
    );
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    // The panic message is on standard error. It may contain secrets, so it is not logged.
    tracing::error!("request handler panicked");
    HttpError::internal().into_response(MediaType::Json, "")
}

fn cors(origins: &AllowedOrigins) -> CorsLayer {
    let allowed = match origins {
        AllowedOrigins::Any => AllowOrigin::any(),
        AllowedOrigins::Only(list) => AllowOrigin::list(list.iter().cloned()),
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
    async fn a_panic_becomes_a_response_without_its_message() {
        let options = HttpOptions {
            allowed_origins: AllowedOrigins::Any,
            graphiql: false,
            behind_proxy: false,
            operation_timeout: Duration::from_secs(1),
            max_body_bytes: 1024,
            response_cache_bytes: 0,
            figures_cache_bytes: 0,
            document_cache_bytes: 0,
            persisted_documents: None,
            session_check_interval: Duration::from_secs(1),
            over_https: false,
            keep_alive_interval: Duration::from_secs(1),
        };
        let mut site = apply(Router::new().route("/", get(fails)), &options);
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
    fn only_ids_that_are_safe_in_a_log_are_accepted() {
        for good in ["a", "order-66_a.b", &"a".repeat(64)] {
            assert!(is_valid_id(good), "{good}");
        }
        for wrong in ["", "a b", "a\"b", "ä", &"a".repeat(65)] {
            assert!(!is_valid_id(wrong), "{wrong}");
        }
    }
}
