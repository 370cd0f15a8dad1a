//! The policy of every operation, over HTTP, WebSockets and server-sent events alike: document limits, cost,
//! concurrency, response formatting and error codes. It is one extension because async-graphql calls each
//! extension for each field.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextRequest,
    NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{
    ErrorExtensionValues, Response, ServerError, ServerResult, ValidationResult, Value, Variables,
};
use tokio::sync::OwnedSemaphorePermit;

use super::context::RequestContext;
use super::cost::{Charge, ConcurrencyLimiter, OperationCost, RateLimitKey, TokenBuckets};
use super::document::{DocumentCache, ParsedDocument};
use super::error::{ApiError, INTERNAL, add_missing_codes};
use super::limits::Limits;
use super::response_format;
use crate::cache::invalidation::Invalidation;

/// Creates an [`OperationPolicyExtension`] for each operation.
pub(super) struct OperationPolicy {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    documents: Arc<DocumentCache>,
    buckets: Arc<TokenBuckets>,
    concurrency: ConcurrencyLimiter,
}

impl OperationPolicy {
    pub(super) fn new(
        limits: Limits,
        documents: Arc<DocumentCache>,
        buckets: Arc<TokenBuckets>,
    ) -> Self {
        let shared = Arc::new(Shared {
            limits,
            documents,
            buckets,
            concurrency: ConcurrencyLimiter::new(limits.concurrent_operations, limits.slot_timeout),
        });
        Self { shared }
    }
}

impl ExtensionFactory for OperationPolicy {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(OperationPolicyExtension {
            shared: Arc::clone(&self.shared),
            needs_slot: AtomicBool::new(false),
            operation: OnceLock::new(),
            slot: Mutex::new(None),
            charge: OnceLock::new(),
            cost: OnceLock::new(),
        })
    }
}

struct OperationPolicyExtension {
    shared: Arc<Shared>,
    needs_slot: AtomicBool,
    operation: OnceLock<(Arc<ParsedDocument>, Variables)>,
    /// Held until the operation ends.
    slot: Mutex<Option<OwnedSemaphorePermit>>,
    charge: OnceLock<Charge>,
    cost: OnceLock<OperationCost>,
}

fn code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

fn set(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set(name, value);
}

impl OperationPolicyExtension {
    fn charge(&self, request: &RequestContext, complexity: usize) -> Result<(), ApiError> {
        let maximum = self.shared.limits.complexity;
        if complexity > maximum {
            let limit = "complexity";
            return Err(ApiError::LimitExceeded { limit, maximum });
        }
        // No operation is free: `{ __typename }` takes a slot too.
        let requested = u64::try_from(complexity).unwrap_or(u64::MAX).max(1);
        let key = RateLimitKey::of(request);
        let charged = self.shared.buckets.charge(key, requested, Instant::now());
        match charged {
            Ok(charge) => {
                // async-graphql validates each operation once.
                self.charge.get_or_init(|| charge);
                Ok(())
            }
            Err(throttled) => {
                self.cost.get_or_init(|| OperationCost {
                    requested,
                    actual: None,
                });
                Err(throttled)
            }
        }
    }

    /// Validates the operation, or returns the cached result of an earlier validation.
    async fn validate(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let operation = self.operation.get();
        let cached =
            operation.and_then(|(document, variables)| document.cached_validation(variables));
        if let Some(result) = cached {
            return Ok(result);
        }
        let result = next.run(ctx).await?;
        if let Some((document, variables)) = operation {
            document.cache_validation(variables, result);
        }
        Ok(result)
    }

    async fn acquire_slot(&self, request: &RequestContext) -> Result<(), ApiError> {
        if self.needs_slot.load(Ordering::Relaxed) {
            let key = RateLimitKey::of(request);
            let slot = self.shared.concurrency.acquire_slot(key).await;
            if slot.is_err()
                && let Some(charge) = self.charge.get()
            {
                // The operation was charged, but is not executed.
                self.shared.buckets.reconcile(*charge, 0, Instant::now());
                self.cost.get_or_init(|| OperationCost {
                    requested: charge.requested,
                    actual: None,
                });
            }
            *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(slot?);
        }
        Ok(())
    }

    /// Refunds the items that pages did not hold.
    fn reconcile(&self, request: &RequestContext) {
        if let Some(charge) = self.charge.get() {
            let unused = u64::try_from(request.unused_cost()).unwrap_or(u64::MAX);
            self.cost.get_or_init(|| {
                let requested = charge.requested;
                let actual = requested.saturating_sub(unused);
                self.shared
                    .buckets
                    .reconcile(*charge, actual, Instant::now());
                OperationCost {
                    requested,
                    actual: Some(actual),
                }
            });
        }
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for OperationPolicyExtension {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        // async-graphql does not call this for subscriptions. They wait for events most of the time, so they
        // must not hold a slot.
        self.needs_slot.store(true, Ordering::Relaxed);
        let mut response = next.run(ctx).await;
        add_missing_codes(&mut response);
        match self.cost.get() {
            Some(cost) => response.extension("cost", cost.value()),
            None => response,
        }
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        // Not called: async-graphql's own checks of the document can take exponential time.
        _: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let parsed = match ctx.data_opt::<Arc<ParsedDocument>>() {
            Some(parsed) => Arc::clone(parsed),
            None => self.shared.documents.parse(query)?,
        };
        if parsed.is_cacheable
            && let Some(request) = ctx.data_opt::<RequestContext>()
        {
            request.mark_cacheable();
        }
        let document = parsed.document.clone();
        // async-graphql calls this once for each operation.
        self.operation.get_or_init(|| (parsed, variables.clone()));
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let request = ctx.data_opt::<RequestContext>();
        let result = self.validate(ctx, next).await?;
        if let Some(request) = request {
            let refused = |error| vec![ApiError::without_location(error)];
            self.charge(request, result.complexity).map_err(refused)?;
            self.acquire_slot(request).await.map_err(refused)?;
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        let operation = self.operation.get();
        if let Some((parsed, variables)) = operation {
            response_format::complete_response(
                self.shared.documents.types(),
                &parsed.document,
                operation_name,
                variables,
                &mut response,
            );
        }
        let Some(request) = ctx.data_opt::<RequestContext>() else {
            return response;
        };
        self.reconcile(request);
        for error in &mut response.errors {
            if code(error) == Some(&INTERNAL.into()) {
                set(error, "requestId", request.request_id.as_str());
            }
        }
        // A subscription must not hold its snapshot, and so a connection, between two events.
        request.refresh().await;
        if operation.is_some_and(|(parsed, _)| parsed.has_mutation)
            && let Some(invalidation) = ctx.data_opt::<Invalidation>()
        {
            // After the client has seen the result, no cached response may be older than it.
            invalidation.wait_for_invalidation().await;
        }
        response
    }
}
