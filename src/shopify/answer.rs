//! An answer of the API, judged: the status first, because a 401 is no GraphQL and a 5xx may be HTML; then
//! what the body says.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ShopifyError, shown};
use super::throttle::Cost;

/// An answer that holds data.
#[derive(Debug)]
pub(super) struct Reply {
    /// The whole body.
    pub(super) body: Bytes,
    /// Where fields were denied and so are null.
    pub(super) denied: Denied,
}

/// The places of an answer that the app may not read.
#[derive(Debug, Default)]
pub(super) struct Denied(Vec<Vec<String>>);

impl Denied {
    /// Whether the object at this place of `nodes` was denied, or may have been.
    pub(super) fn covers_node(&self, index: usize) -> bool {
        let index = index.to_string();
        self.0
            .iter()
            .any(|path| path.get(1).is_none_or(|place| *place == index))
    }

    /// The first place, as an error for those who cannot do without; none where nothing was denied.
    pub(super) fn error(&self) -> Option<ShopifyError> {
        let path = self.0.first()?;
        let field = match path.as_slice() {
            [] => "what was asked for".to_owned(),
            path => shown(&path.join("."), 100),
        };
        Some(ShopifyError::AccessDenied { field })
    }
}

/// What an answer turned out to be, when it is no data.
#[derive(Debug)]
pub(super) enum Verdict {
    /// 401: a renewed token may help.
    Unauthorized,
    /// The budget is empty: wait so long. It is no failure.
    Throttled(Duration),
    /// A failure.
    Failed(ShopifyError),
}

#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<IgnoredAny>,
    #[serde(default)]
    errors: Option<Errors>,
    #[serde(default)]
    extensions: Option<Extensions>,
}

/// GraphQL gives a list; what lies before it gives a sentence.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Errors {
    List(Vec<Fault>),
    Sentence(String),
    Other(IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct Fault {
    #[serde(default)]
    message: String,
    #[serde(default)]
    path: Option<Vec<serde_json::Value>>,
    #[serde(default)]
    extensions: Option<FaultExtensions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FaultExtensions {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    cost: Option<Cost>,
    #[serde(default)]
    search: Option<Vec<Search>>,
}

#[derive(Debug, Deserialize)]
struct Search {
    #[serde(default)]
    warnings: Option<Vec<SearchWarning>>,
}

#[derive(Debug, Deserialize)]
struct SearchWarning {
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

impl Fault {
    fn code(&self) -> &str {
        self.extensions
            .as_ref()
            .and_then(|extensions| extensions.code.as_deref())
            .unwrap_or_default()
    }

    fn place(&self) -> Vec<String> {
        self.path
            .iter()
            .flatten()
            .map(|step| {
                step.as_str()
                    .map_or_else(|| step.to_string(), str::to_owned)
            })
            .collect()
    }
}

/// What a status other than 2xx means.
pub(super) fn judge_status(status: u16, headers: &HeaderMap) -> Option<Verdict> {
    let error = match status {
        200..=299 => return None,
        401 => return Some(Verdict::Unauthorized),
        300..=399 => ShopifyError::Redirected { status },
        402 => ShopifyError::Frozen,
        403 => ShopifyError::Forbidden,
        404 => ShopifyError::NotFound,
        423 => ShopifyError::Locked,
        429 => ShopifyError::RateLimited {
            retry_after: retry_after(headers),
        },
        430 => ShopifyError::SecurityRejected,
        500..=599 => ShopifyError::ServerFailed {
            status: Some(status),
            request_id: headers
                .get("x-request-id")
                .and_then(|id| id.to_str().ok())
                .map(|id| shown(id, 64)),
        },
        _ => ShopifyError::Refused { status },
    };
    Some(Verdict::Failed(error))
}

/// Seconds, whole or with a fraction; the form with a date is not used by Shopify.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// What a body that came with 200 means, and what it says of its cost.
pub(super) fn judge_body(body: Bytes) -> (Result<Reply, Verdict>, Option<Cost>) {
    let envelope: Envelope = match serde_json::from_slice(&body) {
        Ok(envelope) => envelope,
        Err(error) => return (Err(Verdict::Failed(ShopifyError::of_json(&error))), None),
    };
    let has_data = envelope.data.is_some();
    let extensions = envelope.extensions.unwrap_or_default();
    let verdict = match envelope.errors {
        Some(Errors::List(faults)) if !faults.is_empty() => {
            judge_faults(&faults, has_data, extensions.cost.as_ref())
        }
        Some(Errors::Sentence(sentence)) => Err(Verdict::Failed(ShopifyError::QueryRefused {
            code: "no code".to_owned(),
            message: shown(&sentence, 200),
        })),
        Some(Errors::Other(_)) => Err(unreadable("errors of an unknown form")),
        Some(Errors::List(_)) | None if has_data => Ok(Denied::default()),
        Some(Errors::List(_)) | None => Err(unreadable("neither data nor errors")),
    };
    let verdict = verdict.and_then(|denied| match ignored_filter(extensions.search) {
        Some(error) => Err(Verdict::Failed(error)),
        None => Ok(denied),
    });
    (
        verdict.map(|denied| Reply { body, denied }),
        extensions.cost,
    )
}

fn unreadable(what: &str) -> Verdict {
    Verdict::Failed(ShopifyError::Unreadable(what.to_owned()))
}

fn judge_faults(faults: &[Fault], has_data: bool, cost: Option<&Cost>) -> Result<Denied, Verdict> {
    let find = |code: &str| faults.iter().find(|fault| fault.code() == code);
    if find("THROTTLED").is_some() {
        let wait = cost.map(Cost::time_to_refill).unwrap_or_default();
        return Err(Verdict::Throttled(wait));
    }
    if find("MAX_COST_EXCEEDED").is_some() {
        return Err(Verdict::Failed(ShopifyError::TooCostly));
    }
    if find("SHOP_INACTIVE").is_some() {
        return Err(Verdict::Failed(ShopifyError::Inactive));
    }
    if let Some(fault) = find("INTERNAL_SERVER_ERROR").or_else(|| find("TIMEOUT")) {
        let request_id = fault
            .extensions
            .as_ref()
            .and_then(|extensions| extensions.request_id.as_deref())
            .map(|id| shown(id, 64));
        return Err(Verdict::Failed(ShopifyError::ServerFailed {
            status: None,
            request_id,
        }));
    }
    if let Some(fault) = faults.iter().find(|fault| fault.code() != "ACCESS_DENIED") {
        let code = match fault.code() {
            "" => "no code",
            code => code,
        };
        return Err(Verdict::Failed(ShopifyError::QueryRefused {
            code: shown(code, 64),
            message: shown(&fault.message, 200),
        }));
    }
    let denied = Denied(faults.iter().map(Fault::place).collect());
    match denied.error() {
        Some(error) if !has_data => Err(Verdict::Failed(error)),
        _ => Ok(denied),
    }
}

/// A filter with an unknown field is not applied, and everything comes back: that must not pass for an answer.
fn ignored_filter(search: Option<Vec<Search>>) -> Option<ShopifyError> {
    let warnings = search?.into_iter().filter_map(|search| search.warnings);
    let warning = warnings.flatten().next()?;
    let word = |word: Option<String>| shown(word.as_deref().unwrap_or("?"), 64);
    Some(ShopifyError::FilterIgnored(format!(
        "{}: {}",
        word(warning.field),
        word(warning.code)
    )))
}
