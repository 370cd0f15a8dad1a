//! Gives every error its code: what the parser and the validator refuse is the caller's to mend, and a
//! fault of ours carries the request's id, by which its cause is found in the log.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextRequest,
};
use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

use super::context::RequestContext;
use super::error::{BAD_USER_INPUT, INTERNAL};

/// Registers [`ErrorCodes`] with the schema.
pub(super) struct ErrorCodesFactory;

impl ExtensionFactory for ErrorCodesFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(ErrorCodes)
    }
}

struct ErrorCodes;

fn code(error: &ServerError) -> Option<&Value> {
    error.extensions.as_ref()?.get("code")
}

fn set(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set(name, value);
}

#[async_graphql::async_trait::async_trait]
impl Extension for ErrorCodes {
    async fn request(&self, ctx: &ExtensionContext<'_>, next: NextRequest<'_>) -> Response {
        let mut response = next.run(ctx).await;
        for error in &mut response.errors {
            if code(error).is_none() {
                set(error, "code", BAD_USER_INPUT);
            }
        }
        response
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        let request = ctx.data_opt::<RequestContext>();
        for error in &mut response.errors {
            if code(error) == Some(&INTERNAL.into())
                && let Some(request) = request
            {
                set(error, "requestId", request.request_id.as_str());
            }
        }
        // A subscription goes on for hours: between two events it holds no snapshot, and no connection.
        if let Some(request) = request {
            request.refresh().await;
        }
        response
    }
}
