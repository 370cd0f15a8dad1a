//! What happens around every operation, whichever way it came: the document is read within the limits, its
//! cost is paid, it waits for its turn, its answer is completed, and every error gets its code. One extension and not several, because
//! async-graphql goes through all of them for each field.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextRequest,
    NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{
    CacheControl, ErrorExtensionValues, Response, ServerError, ServerResult, ValidationResult,
    Value, Variables,
};
use tokio::sync::OwnedSemaphorePermit;

use super::context::RequestContext;
use super::cost::{Buckets, Charge, Payer, Turns};
use super::document::{Library, Prepared};
use super::error::{ApiError, INTERNAL, give_codes};
use super::limits::Limits;
use super::live::Live;
use super::response_format;

/// Makes a [`Guard`] for each operation, and keeps what they share.
pub(super) struct GuardFactory {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    library: Library,
    buckets: Arc<Buckets>,
    turns: Turns,
}

impl GuardFactory {
    pub(super) fn new(limits: Limits, library: Library, buckets: Arc<Buckets>) -> Self {
        let shared = Arc::new(Shared {
            limits,
            library,
            buckets,
            turns: Turns::new(limits.operations_at_once, limits.patience),
        });
        Self { shared }
    }
}

impl ExtensionFactory for GuardFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Guard {
            shared: Arc::clone(&self.shared),
            needs_turn: AtomicBool::new(false),
            asked: OnceLock::new(),
            turn: Mutex::new(None),
            charge: OnceLock::new(),
            actual: OnceLock::new(),
        })
    }
}

struct Guard {
    shared: Arc<Shared>,
    needs_turn: AtomicBool,
    asked: OnceLock<(Arc<Prepared>, Variables)>,
    /// Held until the operation ends.
    turn: Mutex<Option<OwnedSemaphorePermit>>,
    charge: OnceLock<Charge>,
    actual: OnceLock<u64>,
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

impl Guard {
    fn pay(&self, request: &RequestContext, complexity: usize) -> Result<(), ApiError> {
        let maximum = self.shared.limits.complexity;
        if complexity > maximum {
            let limit = "complexity";
            return Err(ApiError::LimitExceeded { limit, maximum });
        }
        let requested = u64::try_from(complexity).unwrap_or(u64::MAX);
        let (charge, paid) =
            self.shared
                .buckets
                .charge(Payer::of(request), requested, Instant::now());
        // Each operation is validated once; a second charge would have nowhere to be kept.
        self.charge.get_or_init(|| charge);
        paid
    }

    /// A document that was valid with the same variables before is.
    async fn validate(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let asked = self.asked.get();
        if let Some(known) = asked.and_then(|(prepared, with)| prepared.known_valid(with)) {
            return Ok(known);
        }
        let result = next.run(ctx).await?;
        if let Some((prepared, variables)) = asked {
            prepared.note_valid(variables, result);
        }
        Ok(result)
    }

    async fn take_turn(&self, request: &RequestContext) -> Result<(), ApiError> {
        if self.needs_turn.load(Ordering::Relaxed) {
            let turn = self.shared.turns.take(Payer::of(request)).await;
            if turn.is_err() {
                // It was paid for, but is not carried out.
                if let Some(charge) = self.charge.get() {
                    self.shared.buckets.give_back(*charge, 0, Instant::now());
                }
            }
            *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn?;
        }
        Ok(())
    }

    fn settle(&self, request: &RequestContext) {
        if let Some(charge) = self.charge.get() {
            let unused = u64::try_from(request.unused_cost()).unwrap_or(u64::MAX);
            let actual = charge.requested.saturating_sub(unused);
            self.actual.get_or_init(|| {
                self.shared
                    .buckets
                    .give_back(*charge, actual, Instant::now());
                actual
            });
        }
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Guard {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        // A subscription does not come this way: it waits most of the time, and must not wait in a turn.
        self.needs_turn.store(true, Ordering::Relaxed);
        let mut response = next.run(ctx).await;
        give_codes(&mut response);
        match self.charge.get() {
            Some(charge) => {
                let actual = self.actual.get().copied();
                let report = self.shared.buckets.report(*charge, actual, Instant::now());
                response.extension("cost", report.value())
            }
            None => response,
        }
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        // Not run: async-graphql's own checks of the document take exponential time.
        _: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let prepared = self.shared.library.prepare(query)?;
        if let Some(request) = ctx.data_opt::<RequestContext>() {
            if prepared.lasts {
                request.note_lasting();
            }
        }
        let document = prepared.document.clone();
        // Each operation is read once.
        self.asked.get_or_init(|| (prepared, variables.clone()));
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let request = ctx.data_opt::<RequestContext>();
        let result = match request.and_then(RequestContext::known_complexity) {
            // The very same question was found valid before.
            Some(complexity) => ValidationResult {
                cache_control: CacheControl::default(),
                complexity,
                depth: 0,
            },
            None => self.validate(ctx, next).await?,
        };
        if let Some(request) = request {
            let refused = |error| vec![ApiError::in_no_place(error)];
            self.pay(request, result.complexity).map_err(refused)?;
            self.take_turn(request).await.map_err(refused)?;
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
        if let Some((prepared, variables)) = self.asked.get() {
            response_format::complete(
                self.shared.library.shape(),
                &prepared.document,
                operation_name,
                variables,
                &mut response,
            );
        }
        let Some(request) = ctx.data_opt::<RequestContext>() else {
            return response;
        };
        self.settle(request);
        for error in &mut response.errors {
            if code(error) == Some(&INTERNAL.into()) {
                set(error, "requestId", request.request_id.as_str());
            }
        }
        // A subscription goes on for hours: between two events it holds no snapshot, and no connection.
        request.refresh().await;
        if self
            .asked
            .get()
            .is_some_and(|(prepared, _)| prepared.changes)
            && let Some(live) = ctx.data_opt::<Live>()
        {
            // What was acknowledged is not contradicted by what is still remembered.
            live.catch_up().await;
        }
        response
    }
}
