//! The files of a page from `web/`, embedded in the program.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::response::{Html, IntoResponse as _};

/// The names and contents of the files. All but `index.html` are compressed. Empty if the page was not built.
pub(super) type Files = &'static [(&'static str, &'static [u8])];

/// A page with its assets.
pub(super) struct StaticPage {
    pub(super) files: Files,
    /// The Content-Security-Policy of the page.
    pub(super) policy: HeaderValue,
    /// The HTML that is served if the page was not built.
    pub(super) fallback: &'static str,
}

impl StaticPage {
    /// The HTML; `None` if the page was not built.
    pub(super) fn html(&self) -> Option<&'static str> {
        std::str::from_utf8(self.file("index.html")?).ok()
    }

    /// The texts of the operations that the page sends.
    pub(super) fn documents(&self) -> Vec<String> {
        self.file("documents.json")
            .and_then(|list| serde_json::from_slice(list).ok())
            .unwrap_or_default()
    }

    /// The response with the HTML, or with the fallback.
    pub(super) fn respond(&self, html: Option<String>) -> Response<Body> {
        let mut response = match html {
            Some(html) => Html(html).into_response(),
            None => (StatusCode::NOT_IMPLEMENTED, Html(self.fallback)).into_response(),
        };
        response
            .headers_mut()
            .insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }

    /// A script or stylesheet. Its name changes with its content, so browsers may cache it for ever.
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
        // All browsers accept gzip, and only the compressed copy is embedded.
        header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        header(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        );
        // A web worker has the policy of its own script.
        header(CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }

    fn file(&self, name: &str) -> Option<&'static [u8]> {
        self.files
            .iter()
            .find(|(file, _)| *file == name)
            .map(|(_, content)| *content)
    }
}
