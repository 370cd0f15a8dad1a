//! Responses to queries whose result depends only on the shop's data version and local day. Both are part of the key.
//! After a change of the shop, its older responses are never read again and are evicted as unused.

use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chrono::NaiveDate;
use flate2::Compression;
use flate2::write::GzEncoder;
use moka::sync::Cache;

use super::ShopState;
use crate::domain::ids::TenantId;
use crate::domain::principal::{Principal, Role};

/// The approximate size of an entry without its key and its body.
const ENTRY_BYTES: usize = 256;

/// A query of a principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueryKey {
    tenant: TenantId,
    role: Role,
    /// The SHA-256 of the document.
    document: String,
    operation_name: Option<String>,
    /// The variables as JSON with sorted members.
    variables: String,
}

impl QueryKey {
    /// The key of a query: the document's SHA-256, the name of the operation and the variables as JSON.
    #[must_use]
    pub const fn new(
        principal: Principal,
        document: String,
        operation_name: Option<String>,
        variables: String,
    ) -> Self {
        Self {
            tenant: principal.tenant,
            role: principal.role,
            document,
            operation_name,
            variables,
        }
    }

    /// The tenant whose data is queried.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ResponseKey {
    query: QueryKey,
    version: i64,
    local_day: NaiveDate,
}

impl ResponseKey {
    fn new(query: &QueryKey, state: &ShopState) -> Self {
        Self {
            query: query.clone(),
            version: state.version,
            local_day: state.local_day.day,
        }
    }

    fn size(&self) -> usize {
        let name = self.query.operation_name.as_ref().map_or(0, String::len);
        self.query.document.len() + self.query.variables.len() + name
    }
}

/// A response that may be sent several times, always with the same bytes.
#[derive(Debug)]
pub struct CachedResponse {
    body: Bytes,
    /// The compressed body, created for the first client that accepts gzip.
    gzip: OnceLock<Option<Bytes>>,
    hash: String,
    cost: u64,
}

impl CachedResponse {
    /// A response with the hash of its body and the cost of each delivery.
    #[must_use]
    pub fn new(body: Bytes, hash: String, cost: u64) -> Self {
        Self {
            body,
            gzip: OnceLock::new(),
            hash,
            cost,
        }
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body, compressed. `None`: it cannot be compressed.
    #[must_use]
    pub fn gzip(&self) -> Option<Bytes> {
        let gzip = self.gzip.get_or_init(|| compress(&self.body).ok());
        gzip.clone()
    }

    /// The hash of the body.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The cost of each delivery.
    #[must_use]
    pub const fn cost(&self) -> u64 {
        self.cost
    }

    fn size(&self) -> usize {
        // Adds the expected size of the compressed copy, about a quarter, because it may be created later.
        self.body.len() + self.body.len() / 4
    }
}

fn compress(body: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    Ok(encoder.finish()?.into())
}

#[derive(Debug)]
pub(super) struct Responses {
    entries: Cache<ResponseKey, Arc<CachedResponse>>,
}

impl Responses {
    /// Creates a cache of at most this many bytes. 0 disables it.
    pub(super) fn new(max_bytes: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &ResponseKey, response: &Arc<CachedResponse>| {
                let bytes = key.size() + response.size() + ENTRY_BYTES;
                u32::try_from(bytes).unwrap_or(u32::MAX)
            })
            .build();
        Self { entries }
    }

    pub(super) fn get(&self, query: &QueryKey, state: &ShopState) -> Option<Arc<CachedResponse>> {
        self.entries.get(&ResponseKey::new(query, state))
    }

    pub(super) fn insert(&self, query: &QueryKey, state: &ShopState, response: CachedResponse) {
        let key = ResponseKey::new(query, state);
        self.entries.insert(key, Arc::new(response));
    }
}
