//! Whose account an operation is on.

use std::net::IpAddr;

use crate::domain::ids::TenantId;
use crate::graphql::context::RequestContext;

/// A tenant, or for those who are not signed in, where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) enum Payer {
    /// Everybody of one store together.
    Tenant(TenantId),
    /// Somebody without a token.
    Address(Option<IpAddr>),
}

impl Payer {
    pub(in crate::graphql) fn of(request: &RequestContext) -> Self {
        request
            .principal
            .map_or(Self::Address(request.client_address), |principal| {
                Self::Tenant(principal.tenant)
            })
    }
}
