//! Operations with more than one response, over WebSockets ([`super::websocket`]) and as server-sent events
//! ([`super::sse`]). The caller is authenticated when the connection opens. The connection ends with the session.

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use super::request_parameters::RequestParameters;
use super::response::HttpError;
use super::{HttpState, bearer};
use crate::domain::principal::Principal;
use crate::graphql::context::RequestContext;
use crate::graphql::error::add_missing_codes;

/// The authenticated owner of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// When the access token expires.
    pub(super) expires_at: DateTime<Utc>,
}

/// The responses of an operation. Queries and mutations have one, within the operation timeout.
pub(super) fn response_stream(
    state: &HttpState,
    parameters: RequestParameters,
    context: RequestContext,
) -> Result<BoxStream<'static, Response>, HttpError> {
    let document = state
        .persisted_queries
        .find(parameters.query.as_deref(), parameters.document_id.as_ref())?;
    let operation_type = document.operation_type(parameters.operation_name.as_deref());
    let request = parameters.into_request(document).data(context);
    let schema = state.schema.clone();
    if operation_type == Some(OperationType::Subscription) {
        let responses = schema.execute_stream(request).map(|mut response| {
            add_missing_codes(&mut response);
            response
        });
        return Ok(responses.boxed());
    }
    let timeout = state.options.operation_timeout;
    let response = async move {
        let response = tokio::time::timeout(timeout, schema.execute(request)).await;
        response.unwrap_or_else(|_| {
            tracing::warn!("operation timed out");
            Response::from_errors(vec![HttpError::timeout().into_error()])
        })
    };
    Ok(futures_util::stream::once(response).boxed())
}

/// Returns when the token or the session of the caller has ended. The end of a session is announced by an event;
/// the periodic check covers lost events.
pub(super) async fn session_ended(state: &HttpState, caller: Caller) {
    let mut changes = state.invalidation.access_changes().await.ok();
    loop {
        if bearer::is_session_ended(state, caller).await {
            return;
        }
        let left = (caller.expires_at - state.clock.now()).to_std();
        let Ok(left) = left else {
            return;
        };
        let access_changed = async {
            match &mut changes {
                Some(changes) => changes.concerning(caller.principal).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(left.min(state.options.session_check_interval)) => {}
            () = access_changed => {}
        }
    }
}
