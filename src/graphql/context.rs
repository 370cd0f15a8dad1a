//! The request context: the principal, the time, and the snapshot that all resolvers of a request share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use async_graphql::Context;

use super::cost;
use super::dataloaders::Loaders;
use super::error::ApiError;
use super::read_snapshot::{ReadSession, ReadSnapshot, ShopContext};
use super::refresh_tokens::RefreshTokens;
use crate::cache::{Caches, ShopState};
use crate::db::Database;
use crate::db::accounts::Account;
use crate::db::invitations::InvitationRecord;
use crate::db::members::MemberRecord;
use crate::db::sessions::LiveSession;
use crate::domain::clock::Clock;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal::{Device, Principal};

/// The most that is kept of what a client calls itself.
const LONGEST_USER_AGENT: usize = 200;

/// One request's own data. Made by the HTTP layer for each request and put into the request's
/// async-graphql data: `request.data(RequestContext::new(…))`.
pub struct RequestContext {
    /// Who asks; `None` without a token.
    pub principal: Option<Principal>,
    /// Where transactions come from. Reads go through [`read`](Self::read), not through this.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// What the logs call this request.
    pub request_id: String,
    /// Where the request came from, where that is known.
    pub client_address: Option<IpAddr>,
    user_agent: Option<String>,
    /// Where the refresh tokens of sessions go.
    pub refresh_tokens: Arc<RefreshTokens>,
    reads: ReadSession,
    pub(super) loaders: Loaders,
    outcome: Arc<Outcome>,
    unused: AtomicUsize,
}

/// What the response of an operation depends on.
#[derive(Debug)]
pub struct Outcome {
    shop_state: Arc<OnceLock<ShopState>>,
    cacheable: AtomicBool,
}

impl Outcome {
    /// The data version and the local day of the response; `None` if it depends on anything else.
    #[must_use]
    pub fn cacheable_at(&self) -> Option<&ShopState> {
        if self.cacheable.load(Ordering::Relaxed) {
            self.shop_state.get()
        } else {
            None
        }
    }
}

impl RequestContext {
    /// The data of a request. Opens nothing yet.
    #[must_use]
    pub fn new(
        database: Database,
        clock: Clock,
        principal: Option<Principal>,
        request_id: String,
        client_address: Option<IpAddr>,
        caches: &Caches,
    ) -> Self {
        let reads = ReadSession::new(database.clone(), clock, caches.clone());
        let outcome = Arc::new(Outcome {
            shop_state: reads.shop_state(),
            cacheable: AtomicBool::new(false),
        });
        let loaders = Loaders::new(&reads);
        Self {
            principal,
            database,
            clock,
            request_id,
            client_address,
            user_agent: None,
            refresh_tokens: Arc::default(),
            reads,
            loaders,
            outcome,
            unused: AtomicUsize::new(0),
        }
    }

    /// Also with what the client calls itself, as far as it can be shown.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: Option<&str>) -> Self {
        let shown = |text: &str| {
            let letters = text.chars().filter(|letter| !letter.is_control());
            letters.take(LONGEST_USER_AGENT).collect()
        };
        self.user_agent = user_agent.map(shown);
        self
    }

    /// Where the caller signs in from.
    #[must_use]
    pub fn device(&self) -> Device {
        Device {
            address: self.client_address,
            user_agent: self.user_agent.clone(),
        }
    }

    /// The same, with the refresh tokens going somewhere else than into the answer.
    #[must_use]
    pub fn with_refresh_tokens(mut self, refresh_tokens: Arc<RefreshTokens>) -> Self {
        self.refresh_tokens = refresh_tokens;
        self
    }

    /// What the response depends on. Complete when the operation has ended.
    #[must_use]
    pub fn outcome(&self) -> Arc<Outcome> {
        Arc::clone(&self.outcome)
    }

    /// Marks the response as depending on the shop's data version and local day only.
    pub(super) fn mark_cacheable(&self) {
        self.outcome.cacheable.store(true, Ordering::Relaxed);
    }

    /// The data of the request that `ctx` belongs to.
    pub fn of<'a>(ctx: &Context<'a>) -> Result<&'a Self, ApiError> {
        ctx.data_opt()
            .ok_or_else(|| ApiError::internal(&"the request came without its context"))
    }

    /// Who asks, or the error that says to sign in.
    pub fn require_principal(&self) -> Result<Principal, ApiError> {
        self.principal.ok_or(ApiError::Unauthenticated)
    }

    /// The snapshot of the caller's tenant. Other resolvers wait while it is held, so hold it for a statement or two and
    /// never across another call of this function.
    pub async fn read(&self) -> Result<ReadSnapshot, ApiError> {
        let tenant = self.require_principal()?.tenant;
        self.read_tenant(tenant).await
    }

    /// The snapshot of a tenant that the caller has just signed in to, or is a member of.
    pub async fn read_tenant(&self, tenant: TenantId) -> Result<ReadSnapshot, ApiError> {
        self.reads.for_tenant(tenant).await
    }

    /// The shop of a tenant, as the snapshot shows it.
    pub async fn shop_of(&self, tenant: TenantId) -> Result<Arc<ShopContext>, ApiError> {
        Ok(self.read_tenant(tenant).await?.shop())
    }

    /// A user with their memberships, in the snapshot of this operation. Read once per operation.
    pub async fn read_account(&self, user: UserId) -> Result<Option<Arc<Account>>, ApiError> {
        self.reads.account(user).await
    }

    /// The members of a tenant.
    pub async fn read_members(&self, tenant: TenantId) -> Result<Vec<MemberRecord>, ApiError> {
        self.reads
            .in_system(async |system| Ok(system.members(tenant).await?))
            .await
    }

    /// The open invitations to a tenant.
    pub async fn read_invitations(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<InvitationRecord>, ApiError> {
        let now = self.clock.now();
        self.reads
            .in_system(async |system| Ok(system.open_invitations(tenant, now).await?))
            .await
    }

    /// The live sessions of a user.
    pub async fn read_sessions(&self, user: UserId) -> Result<Vec<LiveSession>, ApiError> {
        let now = self.clock.now();
        self.reads
            .in_system(async |system| Ok(system.live_sessions(user, now).await?))
            .await
    }

    /// Refunds the items of a page that were requested and charged, but do not exist.
    pub(super) fn refund(&self, ctx: &Context<'_>, requested: i64, found: usize) {
        let missing = usize::try_from(requested)
            .unwrap_or(0)
            .saturating_sub(found);
        if missing > 0 {
            let unused = missing.saturating_mul(cost::complexity_of_selections(ctx.field()));
            self.unused.fetch_add(unused, Ordering::Relaxed);
        }
    }

    /// The cost of the items that did not exist, so far.
    pub(super) fn unused_cost(&self) -> usize {
        self.unused.load(Ordering::Relaxed)
    }

    /// Ends the snapshot. A mutation calls this after its commit, so that its payload shows the changes.
    pub async fn refresh(&self) {
        self.reads.close().await;
    }
}
