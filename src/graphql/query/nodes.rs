//! Objects by id.

use async_graphql::{Context, ID, Object};
use futures_util::future::try_join_all;

use crate::domain::principal::{Principal, Role};
use crate::graphql::context::RequestContext;
use crate::graphql::dataloaders::{CustomerById, OrderById, ProductById, SyncRunById};
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::pagination::MAX_PAGE_SIZE;
use crate::graphql::permissions::permit;
use crate::graphql::types::{Customer, Invitation, Node, Order, Product, SyncRun, Tenant, User};

/// Queries for objects by id.
#[derive(Default)]
pub(super) struct NodeQueries;

#[Object]
impl NodeQueries {
    /// The object with this id. Null if the shop has no such object. Ids of other shops, ids of
    /// deleted objects and invalid ids all return null.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id, from any `id` field.")] id: ID,
    ) -> Result<Option<Node>, ApiError> {
        let principal = permit(ctx)?;
        find(RequestContext::of(ctx)?, principal, &id).await
    }

    /// The objects with these ids, in the same order. Null for each id that the shop does not have.
    #[graphql(complexity = "ids.len().saturating_mul(child_complexity).saturating_add(1)")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>, ApiError> {
        let request = RequestContext::of(ctx)?;
        let principal = permit(ctx)?;
        if i32::try_from(ids.len()).is_ok_and(|count| count <= MAX_PAGE_SIZE) {
            try_join_all(ids.iter().map(|id| find(request, principal, id))).await
        } else {
            Err(ApiError::bad_input(
                "ids",
                format!("`ids` may have at most {MAX_PAGE_SIZE} ids."),
            ))
        }
    }
}

async fn find(
    request: &RequestContext,
    principal: Principal,
    id: &ID,
) -> Result<Option<Node>, ApiError> {
    let tenant = principal.tenant;
    let loaders = &request.loaders;
    Ok(match NodeId::decode(id, tenant) {
        Some(NodeId::User(user)) => {
            (user == principal.user).then(|| Node::User(User::new(user, tenant)))
        }
        Some(NodeId::Tenant) => Some(Node::Tenant(Tenant::new(tenant))),
        Some(NodeId::SyncRun(id)) => loaders
            .load(tenant, SyncRunById(id))
            .await?
            .map(|row| Node::SyncRun(SyncRun::new(tenant, row))),
        Some(NodeId::Order(id)) => loaders
            .load(tenant, OrderById(id))
            .await?
            .map(|row| Node::Order(Order::new(tenant, row))),
        Some(NodeId::Customer(id)) => match loaders.load(tenant, CustomerById(id)).await? {
            Some(row) => {
                let shop = request.shop_of(tenant).await?;
                Some(Node::Customer(Customer::new(tenant, row, &shop)))
            }
            None => None,
        },
        Some(NodeId::Product(id)) => match loaders.load(tenant, ProductById(id)).await? {
            Some(row) => {
                let shop = request.shop_of(tenant).await?;
                Some(Node::Product(Product::new(tenant, row, &shop)))
            }
            None => None,
        },
        Some(NodeId::Invitation(id)) if principal.role >= Role::Admin => request
            .read_invitations(tenant)
            .await?
            .into_iter()
            .find(|invitation| invitation.id == id)
            .map(|invitation| Node::Invitation(Invitation::new(invitation))),
        Some(
            NodeId::Invitation(_)
            | NodeId::Session(_)
            | NodeId::AuditEntry(_)
            | NodeId::LineItem(..)
            | NodeId::Refund(..),
        )
        | None => None,
    })
}
