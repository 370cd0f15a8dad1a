//! Answers that are given again without being worked out again. An answer is right for as long as the store's
//! data has the version, and the shop's calendar the day, that it was made from; which these are now, the
//! process knows from the news ([`Memory`]). Only answers that depend on nothing else are kept
//! ([`Outcome`]), each for one store and one role, and for exactly the bytes that asked.

use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};

use async_graphql::Value;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Response};
use chrono::{DateTime, NaiveDate, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use moka::sync::Cache;

use super::content_negotiation::{MediaType, accepts_gzip};
use super::etag;
use crate::domain::ids::TenantId;
use crate::domain::principal::{Principal, Role};
use crate::graphql::context::Outcome;
use crate::graphql::memory::Memory;

/// What an entry costs beside its bytes.
const OVERHEAD: usize = 256;

/// Who asked what: the body of a POST, or the query string of a GET.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    tenant: TenantId,
    role: Role,
    posted: bool,
    bytes: Bytes,
}

impl Question {
    /// The question in a body.
    pub(super) const fn posted(principal: Principal, body: Bytes) -> Self {
        Self {
            tenant: principal.tenant,
            role: principal.role,
            posted: true,
            bytes: body,
        }
    }

    /// The question in a query string.
    pub(super) fn in_query(principal: Principal, query: Option<&str>) -> Self {
        Self {
            tenant: principal.tenant,
            role: principal.role,
            posted: false,
            bytes: Bytes::copy_from_slice(query.unwrap_or_default().as_bytes()),
        }
    }

    pub(super) const fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// An answer that may be given again: its bytes are the same each time.
#[derive(Debug)]
pub(super) struct Answer {
    version: i64,
    today: NaiveDate,
    cost: u64,
    body: Bytes,
    /// The compressed body, made for the first client that accepts gzip.
    gzip: OnceLock<Option<Bytes>>,
    hash: String,
}

impl Answer {
    /// The answer, if it went well and depends on the store's data and day alone.
    pub(super) fn lasting(answer: &async_graphql::Response, outcome: &Outcome) -> Option<Self> {
        let known = outcome.lasts_for()?;
        let plain = answer.errors.is_empty()
            && answer.http_headers.is_empty()
            && answer.extensions.keys().eq(["cost"]);
        if !plain {
            return None;
        }
        let body = serde_json::to_vec(answer).ok()?;
        Some(Self {
            version: known.version,
            today: known.today,
            cost: actual_cost(answer.extensions.get("cost")?)?,
            hash: etag::hash(&body),
            gzip: OnceLock::new(),
            body: body.into(),
        })
    }

    /// What each delivery of the answer costs.
    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }

    /// The answer in the form that the client reads, compressed where it takes that.
    pub(super) fn in_media(&self, media: MediaType, headers: &HeaderMap) -> Response<Body> {
        let compressed = if accepts_gzip(headers) {
            self.gzip.get_or_init(|| compress(&self.body).ok()).clone()
        } else {
            None
        };
        let is_compressed = compressed.is_some();
        let body = compressed.unwrap_or_else(|| self.body.clone());
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
        if is_compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.append(VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }

    /// How many bytes it takes, compressed or not.
    fn len(&self) -> usize {
        // The compressed copy, about a quarter, may be made later.
        self.body.len() + self.body.len() / 4
    }

    /// The same as the answer to a GET: with a tag, or 304 for a client that has it.
    pub(super) fn tagged(&self, media: MediaType, headers: &HeaderMap) -> Response<Body> {
        etag::respond(&self.hash, media, headers, || self.in_media(media, headers))
    }
}

fn compress(body: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}

fn actual_cost(cost: &Value) -> Option<u64> {
    let Value::Object(cost) = cost else {
        return None;
    };
    match cost.get("actualQueryCost")? {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

/// The answers that are kept, those least asked for leaving first.
#[derive(Debug)]
pub struct Answers {
    kept: Option<Cache<Question, Arc<Answer>>>,
}

impl Answers {
    /// Keeps at most so many bytes; 0: nothing.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let cache = || {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(|question: &Question, answer: &Arc<Answer>| {
                    let bytes = question.bytes.len() + answer.len() + OVERHEAD;
                    u32::try_from(bytes).unwrap_or(u32::MAX)
                })
                .build()
        };
        Self {
            kept: (bytes > 0).then(cache),
        }
    }

    /// The answer, if one is kept that is still right.
    pub(super) fn find(
        &self,
        question: &Question,
        memory: &Memory,
        now: DateTime<Utc>,
    ) -> Option<Arc<Answer>> {
        let known = memory.store(question.tenant)?;
        let answer = self.kept.as_ref()?.get(question)?;
        let right = answer.version == known.version
            && answer.today == known.today
            && known.day.contains(&now);
        right.then_some(answer)
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, question: Question, answer: Answer) {
        if let Some(kept) = &self.kept {
            kept.insert(question, Arc::new(answer));
        }
    }
}
