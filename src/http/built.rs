//! A page that was built from `web/` and is part of the program, so that it needs no other host.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::{Html, IntoResponse as _};

/// The files of a page: names and contents, compressed but for `index.html`. Empty when it was not built.
pub(super) type Files = &'static [(&'static str, &'static [u8])];

/// A page and what it may do.
pub(super) struct BuiltPage {
    pub(super) files: Files,
    /// Its Content-Security-Policy.
    pub(super) policy: HeaderValue,
    /// What to say instead of it when the program was built without it.
    pub(super) absent: &'static str,
}

impl BuiltPage {
    /// The page's HTML; `None` when it was not built.
    pub(super) fn html(&self) -> Option<&'static str> {
        std::str::from_utf8(self.file("index.html")?).ok()
    }

    /// The operations that the page sends, each as its exact text.
    pub(super) fn documents(&self) -> Vec<String> {
        self.file("documents.json")
            .and_then(|list| serde_json::from_slice(list).ok())
            .unwrap_or_default()
    }

    /// The page, or the words that say why it is not there.
    pub(super) fn respond(&self, html: Option<String>) -> Response<Body> {
        let mut response = match html {
            Some(html) => Html(html).into_response(),
            None => (StatusCode::NOT_IMPLEMENTED, Html(self.absent)).into_response(),
        };
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }

    /// A script or style of the page. Its name changes with its content, so browsers may keep it.
    pub(super) fn asset(&self, name: &str) -> Response<Body> {
        let kind = match name.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        let Some(content) = self.file(&format!("{name}.gz")) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let mut response = Response::new(Body::from(content));
        let mut header = |name: HeaderName, value| {
            response.headers_mut().insert(name, value);
        };
        header(CONTENT_TYPE, HeaderValue::from_static(kind));
        // Every browser reads it; a compressed copy is the only one there is.
        header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        header(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        // A worker obeys the policy that it comes with.
        header(CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }

    fn file(&self, name: &str) -> Option<&'static [u8]> {
        self.files
            .iter()
            .find(|(of_file, _)| *of_file == name)
            .map(|(_, content)| *content)
    }
}
