//! Installation of the operator's app. `GET /oauth/install?shop=…` redirects a browser to the consent page of the shop,
//! and Shopify redirects it to `GET /oauth/callback`. The merchant gets a code, with which an account claims the shop
//! (`claimShop`, `registerInstalled`). These pages use no account.

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::client_address::client_address;
use super::{HttpState, cookies};
use crate::sync::{InstallError, Installed};

/// The cookie that identifies the browser during the consent.
const COOKIE_NAME: &str = "xboard_install";
/// The lifetime of the cookie: as long as the consent may take.
const COOKIE_SECONDS: u32 = 600;

/// `GET /oauth/install`.
pub(super) async fn install(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let address = client_address(&parts, state.options.behind_proxy);
    if let Err(wait) = state
        .attempts
        .check(address, &format!("install {address:?}"))
    {
        let mut response = page(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            "Wait a minute and try again.",
        );
        set(&mut response, RETRY_AFTER, &wait.0.as_secs().to_string());
        return response;
    }
    let cookie = cookies::read(&parts.headers, COOKIE_NAME);
    match state
        .sync
        .begin_installation(&fields(&parts), cookie.as_ref())
        .await
    {
        Ok(consent) => {
            let mut response = page(
                StatusCode::SEE_OTHER,
                "On to Shopify",
                "Your store asks for your consent now.",
            );
            set(&mut response, LOCATION, &consent.url);
            set_cookie(&mut response, &consent.browser, &state);
            response
        }
        Err(error) => refusal(&error),
    }
}

/// `GET /oauth/callback`.
pub(super) async fn callback(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let cookie = cookies::read(&parts.headers, COOKIE_NAME);
    match state
        .sync
        .finish_installation(&fields(&parts), cookie.as_ref())
        .await
    {
        Ok(Installed::Renewed) => page(
            StatusCode::OK,
            "Your store is connected",
            "Its access was renewed. You can close this page.",
        ),
        Ok(Installed::Waiting(code)) => page(
            StatusCode::OK,
            "One step is left",
            &format!(
                "Your store let XBoard in. Within half an hour, <a href=\"/claim#{code}\">take it over</a> with your \
                 account or a new one. Other programs are given this code: <code id=\"claim\">{code}</code> Give it to \
                 nobody else.",
                code = code.expose_secret()
            ),
        ),
        Err(error) => refusal(&error),
    }
}

/// The decoded query parameters in their order. Empty if they cannot be decoded.
pub(super) fn fields(parts: &Parts) -> Vec<(String, String)> {
    Query::try_from_uri(&parts.uri).map_or_else(|_| Vec::new(), |Query(fields)| fields)
}

/// Sets the cookie. `Lax`, because the browser returns from another site.
fn set_cookie(response: &mut Response<Body>, browser: &SecretString, state: &HttpState) {
    let secure = if state.sync.is_public_https() {
        "; Secure"
    } else {
        ""
    };
    let browser = browser.expose_secret();
    let cookie = format!(
        "{COOKIE_NAME}={browser}; Path=/oauth; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    );
    set(response, SET_COOKIE, &cookie);
}

/// Sets a header. The values consist of characters that a header allows.
fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::try_from(value) {
        value.set_sensitive(name != RETRY_AFTER);
        response.headers_mut().insert(name, value);
    }
}

fn refusal(error: &InstallError) -> Response<Body> {
    let (status, sentence) = match error {
        InstallError::Off => (
            StatusCode::NOT_FOUND,
            "No app can be installed here: the operator has not configured one.",
        ),
        InstallError::NoShop => (
            StatusCode::BAD_REQUEST,
            "That is not a store's domain. A domain looks like my-store.myshopify.com.",
        ),
        InstallError::Unsigned | InstallError::UnknownState => (
            StatusCode::FORBIDDEN,
            "This did not begin here, in this browser, just now. Start the installation again.",
        ),
        InstallError::Refused(_) => (
            StatusCode::FORBIDDEN,
            "Shopify did not confirm the installation. Start it again.",
        ),
        InstallError::Unreachable(_) => (
            StatusCode::BAD_GATEWAY,
            "Shopify does not answer at present. Start the installation again later.",
        ),
        InstallError::Db(error) if error.is_unavailable() || error.is_timeout() => (
            StatusCode::SERVICE_UNAVAILABLE,
            "XBoard is unavailable at present. Start the installation again later.",
        ),
        InstallError::Db(_) | InstallError::Token(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side. Start the installation again.",
        ),
    };
    if status.is_server_error() {
        tracing::error!(error.cause = %error, "installation failed");
    } else {
        tracing::info!(error.cause = %error, "installation refused");
    }
    let mut response = page(status, "Not installed", sentence);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        set(&mut response, RETRY_AFTER, "5");
    }
    response
}

/// A short page. `middleware.rs` adds the headers that forbid caching, frames, scripts and referrers.
fn page(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, html);
    response
}
