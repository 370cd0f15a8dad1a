//! Installing the operator's app: `GET /oauth/install?shop=…` sends a browser to the store to ask, and the store
//! sends it back to `GET /oauth/callback`. Who comes back gets a code, with which an account takes the store
//! over (`claimShop`, `registerInstalled`): these pages know of no account, and make none.

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};

use super::client_address::client_address;
use super::{HttpState, cookies};
use crate::sync::{InstallError, Installed};

/// What a browser keeps while the store asks.
const COOKIE_NAME: &str = "xboard_install";
/// How long it keeps it: as long as the store may take.
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
        put(&mut response, RETRY_AFTER, &wait.0.as_secs().to_string());
        return response;
    }
    let kept = cookies::read(&parts.headers, COOKIE_NAME);
    match state
        .sync
        .ask_for_consent(&fields(&parts), kept.as_ref())
        .await
    {
        Ok(consent) => {
            let mut response = page(
                StatusCode::SEE_OTHER,
                "On to Shopify",
                "Your store asks you now.",
            );
            put(&mut response, LOCATION, &consent.url);
            keep(&mut response, &consent.browser, &state);
            response
        }
        Err(error) => refusal(&error),
    }
}

/// `GET /oauth/callback`.
pub(super) async fn callback(State(state): State<HttpState>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let kept = cookies::read(&parts.headers, COOKIE_NAME);
    match state
        .sync
        .take_consent(&fields(&parts), kept.as_ref())
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

/// The fields of the address, decoded, in their order. None where they cannot be read.
pub(super) fn fields(parts: &Parts) -> Vec<(String, String)> {
    Query::try_from_uri(&parts.uri).map_or_else(|_| Vec::new(), |Query(fields)| fields)
}

/// Has the browser keep what proves later that it is the same one. It comes along when the store sends the
/// browser back, which is another site's page: hence `Lax`.
fn keep(response: &mut Response<Body>, browser: &SecretString, state: &HttpState) {
    let secure = if state.sync.is_public_https() {
        "; Secure"
    } else {
        ""
    };
    let browser = browser.expose_secret();
    let cookie = format!(
        "{COOKIE_NAME}={browser}; Path=/oauth; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
    );
    put(response, SET_COOKIE, &cookie);
}

/// What is put here is made of letters, digits and signs that a header takes.
fn put(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(mut value) = HeaderValue::try_from(value) {
        value.set_sensitive(name != RETRY_AFTER);
        response.headers_mut().insert(name, value);
    }
}

fn refusal(error: &InstallError) -> Response<Body> {
    let (status, sentence) = match error {
        InstallError::Off => (
            StatusCode::NOT_FOUND,
            "No app can be installed here: the operator has not set one up.",
        ),
        InstallError::NoShop => (
            StatusCode::BAD_REQUEST,
            "That is not a store's domain: it reads like my-store.myshopify.com.",
        ),
        InstallError::Unsigned | InstallError::NotAsked => (
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
            "XBoard cannot take you in at present. Start the installation again later.",
        ),
        InstallError::Db(_) | InstallError::Token(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side. Start the installation again.",
        ),
    };
    if status.is_server_error() {
        tracing::error!(error.cause = %error, "an installation failed");
    } else {
        tracing::info!(error.cause = %error, "an installation was refused");
    }
    let mut response = page(status, "Not installed", sentence);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        put(&mut response, RETRY_AFTER, "5");
    }
    response
}

/// A page of a few sentences. Like everything here it is kept by nobody, shown in no frame, runs nothing, and
/// the address that it came from is told to nobody: `layers.rs` sees to that.
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
