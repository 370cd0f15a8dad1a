//! Answers that are given again without being worked out again. An answer is right for as long as the store's
//! data has the version, and the shop's calendar the day, that it was made from; which these are now, the
//! process knows from the news ([`Memory`]). Only answers that depend on nothing else are kept
//! ([`Outcome`]), each for one store and one role, and for exactly the bytes that asked.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use async_graphql::Value;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Response};
use chrono::{DateTime, NaiveDate, Utc};
use moka::sync::Cache;

use super::documents::sha256;
use super::gzip;
use super::media::Media;
use super::{revalidate, two_parts};
use crate::domain::ids::TenantId;
use crate::domain::principal::{Principal, Role};
use crate::graphql::context::Outcome;
use crate::graphql::memory::Memory;
use crate::graphql::{Buckets, Price};

/// What an entry costs beside its bytes.
const OVERHEAD: usize = 256;
/// About how long the JSON of a cost is.
const COST: usize = 192;

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
}

/// An answer that may be given again.
#[derive(Debug)]
pub(super) struct Answer {
    version: i64,
    today: NaiveDate,
    price: Price,
    /// The body up to what it cost.
    beginning: Bytes,
    /// The same, compressed for the first client that takes it so.
    compressed: OnceLock<Option<gzip::Beginning>>,
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
        let mut beginning = b"{\"data\":".to_vec();
        serde_json::to_writer(&mut beginning, &answer.data).ok()?;
        Some(Self {
            version: known.version,
            today: known.today,
            price: price(answer.extensions.get("cost")?)?,
            hash: sha256(&beginning).get(..32)?.to_owned(),
            compressed: OnceLock::new(),
            beginning: beginning.into(),
        })
    }

    /// The answer in the form that the client reads, compressed where it takes that, with the JSON of what it
    /// cost this time.
    pub(super) fn in_media(
        &self,
        media: Media,
        cost: &[u8],
        headers: &HeaderMap,
    ) -> Response<Body> {
        let end = [b",\"extensions\":{\"cost\":", cost, b"}}"].concat();
        let compressed = if gzip::is_accepted(headers) {
            self.compressed(&end)
        } else {
            None
        };
        let is_compressed = compressed.is_some();
        let mut response = Response::new(match compressed {
            Some(compressed) => Body::from(compressed),
            None => two_parts::body(self.beginning.clone(), end.into()),
        });
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
        if is_compressed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            headers.append(VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }

    fn compressed(&self, end: &[u8]) -> Option<Vec<u8>> {
        let beginning = self
            .compressed
            .get_or_init(|| gzip::Beginning::new(&self.beginning).ok());
        beginning.as_ref()?.with_end(end)
    }

    /// How many bytes it takes, compressed or not.
    fn len(&self) -> usize {
        // What is not compressed yet may be before it leaves: to about a quarter.
        let compressed = self.compressed.get().and_then(Option::as_ref);
        self.beginning.len() + compressed.map_or(self.beginning.len() / 4, gzip::Beginning::len)
    }

    /// The same as the answer to a GET: with a tag, or 304 for a client that has it. The cost is not part of
    /// what the answer means, and so not of the tag.
    pub(super) fn tagged(&self, media: Media, cost: &[u8], headers: &HeaderMap) -> Response<Body> {
        let media_mark = match media {
            Media::GraphQlResponse => 'g',
            Media::Json => 'j',
        };
        let tag = format!("W/\"{}{media_mark}\"", self.hash);
        revalidate::tagged(&tag, headers, || self.in_media(media, cost, headers))
    }
}

fn price(cost: &Value) -> Option<Price> {
    let Value::Object(cost) = cost else {
        return None;
    };
    let points = |name: &str| match cost.get(name)? {
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    Some(Price {
        requested: points("requestedQueryCost")?,
        actual: points("actualQueryCost")?,
    })
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

    /// The answer, if one is kept that is still right, paid for anew: with the JSON of what it cost.
    pub(super) fn find(
        &self,
        question: &Question,
        memory: &Memory,
        now: DateTime<Utc>,
        buckets: &Buckets,
    ) -> Option<(Arc<Answer>, Vec<u8>)> {
        let known = memory.store(question.tenant)?;
        let answer = self.kept.as_ref()?.get(question)?;
        let right = answer.version == known.version
            && answer.today == known.today
            && known.day.contains(&now);
        if !right {
            return None;
        }
        // Without enough points it is for the schema to refuse.
        let cost = buckets.pay_again(question.tenant, answer.price, Instant::now())?;
        let mut json = Vec::with_capacity(COST);
        serde_json::to_writer(&mut json, &cost).ok()?;
        Some((answer, json))
    }

    /// What a question cost when it was last answered, however long ago: that it is valid, and its cost, no
    /// change of data changes.
    pub(super) fn cost_of(&self, question: &Question) -> Option<u64> {
        let answer = self.kept.as_ref()?.get(question)?;
        Some(answer.price.requested)
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, question: Question, answer: &Arc<Answer>) {
        if let Some(kept) = &self.kept {
            kept.insert(question, Arc::clone(answer));
        }
    }
}
