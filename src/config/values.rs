//! Settings that need more than parsing a number: validated and normalised, or an error with the
//! name of the setting.

use axum::http::HeaderValue;
use reqwest::Url;

use super::{CorsOrigins, SettingsError};

/// An HTTP URL to append paths to. May contain `{shop}`.
pub(super) fn base_url(
    name: &'static str,
    value: Option<&str>,
) -> Result<Option<String>, SettingsError> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let is_base = Url::parse(&value.replace("{shop}", "shop")).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if !is_base {
        return Err(invalid(
            name,
            value,
            "a URL such as https://xboard.example.com",
        ));
    }
    Ok(Some(value.trim_end_matches('/').to_owned()))
}

/// A comma-separated list of origins.
pub(super) fn cors_origins(value: &str) -> Result<CorsOrigins, SettingsError> {
    if value.trim() == "*" {
        return Ok(CorsOrigins::Any);
    }
    let origins = value
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty());
    let headers = origins.map(|origin| {
        // Browsers send the canonical form, and the comparison is by bytes, so only the canonical
        // form can match.
        let canonical = Url::parse(origin).map(|url| url.origin().ascii_serialization());
        HeaderValue::from_str(origin)
            .ok()
            .filter(|_| canonical.is_ok_and(|canonical| canonical == origin))
            .ok_or_else(|| {
                invalid(
                    "CORS_ORIGINS",
                    origin,
                    "origins such as https://app.example.com",
                )
            })
    });
    Ok(CorsOrigins::Only(headers.collect::<Result<_, _>>()?))
}

/// A version of Shopify's API: a quarter, or `unstable`.
pub(super) fn api_version(value: &str) -> Result<String, SettingsError> {
    let is_quarter = value.split_once('-').is_some_and(|(year, month)| {
        year.len() == 4
            && year.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(month, "01" | "04" | "07" | "10")
    });
    if is_quarter || value == "unstable" {
        Ok(value.to_owned())
    } else {
        Err(invalid(
            "SHOPIFY_API_VERSION",
            value,
            "a quarter such as 2026-10, or unstable",
        ))
    }
}

/// The error for a setting that is not a secret.
fn invalid(name: &'static str, value: &str, expected: &'static str) -> SettingsError {
    SettingsError::Invalid {
        name,
        value: value.to_owned(),
        expected,
    }
}
