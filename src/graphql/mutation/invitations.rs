//! Creates, withdraws and accepts invitations to the current shop.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};

use super::members::{note, still};
use super::new_password;
use super::session::{Session, disabled};
use super::user_error::{UserError, UserErrorCode};
use super::{MUTATION_COST, MutationContext, actor, permit, to_sentence};
use crate::auth::single_use_token::{Purpose, SingleUseToken};
use crate::db::invitations::InvitationRecord;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::email::Email;
use crate::domain::ids::{InvitationId, TenantId, UserId};
use crate::graphql::context::RequestContext;
use crate::graphql::error::ApiError;
use crate::graphql::ids::NodeId;
use crate::graphql::types::{Invitation, Role, User};

/// How long an invitation is valid.
const INVITATION_LIFETIME: TimeDelta = TimeDelta::days(7);
/// The maximum number of members and open invitations of a shop.
const MAX_ENTRIES: i64 = 100;

/// Input of `inviteMember`.
#[derive(InputObject)]
pub(super) struct InviteMemberInput {
    /// The email address to invite. Only a user who signs in or signs up with it can accept.
    email: String,
    /// The role that the invited person gets.
    role: Role,
}

/// The result of `inviteMember`.
#[derive(Default, SimpleObject)]
pub(super) struct InviteMemberPayload {
    /// The invitation. Null if there are `userErrors`.
    invitation: Option<Invitation>,
    /// The secret token for `acceptInvitation`. Shown only once. Pass it to the invited person and
    /// to no one else. Null if there are `userErrors`.
    token: Option<String>,
    /// Errors that prevented the invitation. Empty on success.
    user_errors: Vec<UserError>,
}

/// The result of `withdrawInvitation`.
#[derive(Default, SimpleObject)]
pub(super) struct WithdrawInvitationPayload {
    /// The withdrawn invitation. It can no longer be accepted. Null if there are `userErrors`.
    invitation: Option<Invitation>,
    /// Errors that prevented the withdrawal. Empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `acceptInvitation`.
#[derive(InputObject)]
pub(super) struct AcceptInvitationInput {
    /// The token that the inviter passed on.
    token: String,
    /// The password of the invited address. A new user chooses one of at least 12 characters; an
    /// existing user gives their current one. Not needed if the request is signed in with the
    /// invited address.
    password: Option<String>,
}

/// The result of `acceptInvitation`.
#[derive(Default, SimpleObject)]
pub(super) struct AcceptInvitationPayload {
    /// A session for the shop. Null if there are `userErrors`.
    session: Option<Session>,
    /// The user, now a member of the shop. Null if there are `userErrors`.
    user: Option<User>,
    /// Errors that prevented the acceptance. The invitation stays open. Empty on success.
    user_errors: Vec<UserError>,
}

impl From<UserError> for AcceptInvitationPayload {
    fn from(error: UserError) -> Self {
        Self {
            user_errors: vec![error],
            ..Self::default()
        }
    }
}

/// Mutations for invitations.
#[derive(Default)]
pub(super) struct InvitationMutations;

#[Object]
impl InvitationMutations {
    /// Invites a person to the current shop. An open invitation for the same address is replaced.
    /// XBoard sends no email: pass the token on yourself. `TAKEN`: the person is already a member.
    /// `TOO_MANY`: the shop has reached the limit of 100 members and open invitations. Owners can
    /// invite to any role; admins can invite viewers (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn invite_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address to invite, and the role.")] input: InviteMemberInput,
    ) -> Result<InviteMemberPayload, ApiError> {
        let refused = |error| {
            Ok(InviteMemberPayload {
                user_errors: vec![error],
                ..InviteMemberPayload::default()
            })
        };
        let request = RequestContext::of(ctx)?;
        let principal = match permit(ctx, &["input"])? {
            Ok(principal) => principal,
            Err(error) => return refused(error),
        };
        let field = ["input", "email"];
        let email = match Email::parse(&input.email) {
            Ok(email) => email,
            Err(error) => {
                let message = to_sentence(&error);
                return refused(UserError::new(&field, UserErrorCode::Invalid, message));
            }
        };
        let (tenant, now, role) = (principal.tenant, request.clock.now(), input.role.into());
        let mut system = request.database.system().await?;
        if let Err(error) =
            still(ctx, &mut system, principal, |by| by.role.may_manage(role)).await?
        {
            return refused(error);
        }
        let members = system.members(tenant).await?;
        if members.iter().any(|member| member.email == email.as_str()) {
            let message = "This person is already a member of the shop.";
            return refused(UserError::new(&field, UserErrorCode::Taken, message));
        }
        if system.count_members_and_invitations(tenant, now).await? >= MAX_ENTRIES {
            let message = "A shop can have at most 100 members and open invitations.";
            return refused(UserError::new(&["input"], UserErrorCode::TooMany, message));
        }
        let token = SingleUseToken::generate(Purpose::Invitation)?;
        let invitation = InvitationRecord {
            id: InvitationId::generate(),
            tenant,
            email,
            role,
            expires_at: now + INVITATION_LIFETIME,
        };
        system
            .create_invitation(&invitation, &token.hash(), principal.user, now)
            .await?;
        let entry = Entry::done(
            Action::MemberInvited,
            actor(&mut system, principal.user).await?,
        )
        .to_member(invitation.email.as_str(), role)
        .from(request.client_address);
        note(request, system, tenant, &entry).await?;
        Ok(InviteMemberPayload {
            invitation: Some(Invitation::new(invitation)),
            token: Some(token.secret().expose_secret().to_owned()),
            user_errors: Vec::new(),
        })
    }

    /// Withdraws an open invitation to the current shop. Owners can withdraw any invitation; admins
    /// can withdraw invitations for viewers (`NOT_ALLOWED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn withdraw_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation's id.")] id: ID,
    ) -> Result<WithdrawInvitationPayload, ApiError> {
        let refused = |error| {
            Ok(WithdrawInvitationPayload {
                invitation: None,
                user_errors: vec![error],
            })
        };
        let request = RequestContext::of(ctx)?;
        let principal = match permit(ctx, &["id"])? {
            Ok(principal) => principal,
            Err(error) => return refused(error),
        };
        let mut system = request.database.system().await?;
        system.lock_members(principal.tenant).await?;
        let withdrawn = match NodeId::decode(&id, principal.tenant) {
            Some(NodeId::Invitation(id)) => {
                system.withdraw_invitation(principal.tenant, id).await?
            }
            _ => None,
        };
        let Some(invitation) = withdrawn else {
            let message = "There is no such open invitation.";
            return refused(UserError::new(&["id"], UserErrorCode::Invalid, message));
        };
        let role = invitation.role;
        if let Err(error) =
            still(ctx, &mut system, principal, |by| by.role.may_manage(role)).await?
        {
            return refused(error);
        }
        let by = actor(&mut system, principal.user).await?;
        let entry = Entry::done(Action::InvitationWithdrawn, by)
            .to_member(invitation.email.as_str(), role)
            .from(request.client_address);
        note(request, system, principal.tenant, &entry).await?;
        Ok(WithdrawInvitationPayload {
            invitation: Some(Invitation::new(invitation)),
            user_errors: Vec::new(),
        })
    }

    /// Adds the invited user to the shop. Signed-in users with the invited address need only the
    /// token; other existing users also give their password; new users choose one. An invitation
    /// can be accepted once. `INVALID`: the token is malformed or already used. `EXPIRED`: the
    /// invitation has expired. `NOT_ALLOWED`: the invitation is for another address. Rate limited
    /// per invited address and per IP address (`RATE_LIMITED`).
    #[graphql(complexity = "MUTATION_COST + child_complexity")]
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation token, and a password if needed.")]
        input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload, ApiError> {
        let (request, services) = (
            RequestContext::of(ctx)?,
            MutationContext::from_context(ctx)?,
        );
        let Ok(token) = SingleUseToken::parse(Purpose::Invitation, &input.token) else {
            return Ok(no_invitation().into());
        };
        let mut system = request.database.system().await?;
        let found = system.find_invitation(&token.hash()).await?;
        drop(system);
        let Some(invitation) = found else {
            return Ok(no_invitation().into());
        };
        if invitation.expires_at <= request.clock.now() {
            return Ok(ran_out().into());
        }
        if let Err(error) = services.count_attempt(request, invitation.email.as_str()) {
            return Ok(error.into());
        }
        let password = input.password.map(SecretString::from);
        let guest = match identify(request, services, &invitation, password).await? {
            Ok(guest) => guest,
            Err(error) => return Ok(error.into()),
        };
        Box::pin(enter(request, services, &token, invitation.tenant, guest)).await
    }
}

/// The user who accepts an invitation.
enum Guest {
    /// An authenticated existing user.
    Known(UserId),
    /// A new user, with the hash of the chosen password.
    New(SecretString),
}

/// Authenticates the user who accepts. One password is hashed in any case, so that the timing does
/// not reveal whether the address is known.
async fn identify(
    request: &RequestContext,
    services: &MutationContext,
    invitation: &InvitationRecord,
    password: Option<SecretString>,
) -> Result<Result<Guest, UserError>, ApiError> {
    let mut system = request.database.system().await?;
    let user = system.find_user_by_email(&invitation.email).await?;
    drop(system);
    let field = ["input", "password"];
    match (request.principal, user, password) {
        (Some(principal), Some(user), _) if principal.user == user.id => {
            Ok(Ok(Guest::Known(user.id)))
        }
        (Some(_), _, _) => {
            let message = "The invitation is for another email address.";
            Ok(Err(UserError::new(
                &["input", "token"],
                UserErrorCode::NotAllowed,
                message,
            )))
        }
        (None, _, None) => {
            let message = "Enter the password of the invited address, or choose one.";
            Ok(Err(UserError::new(&field, UserErrorCode::Invalid, message)))
        }
        (None, Some(user), Some(password)) => {
            let right = services
                .passwords
                .verify(&password, Some(&user.password_hash))
                .await?;
            if right && user.disabled {
                return Ok(Err(disabled(&["input"])));
            }
            let message = "The password is wrong.";
            let wrong = || UserError::new(&field, UserErrorCode::InvalidCredentials, message);
            Ok(right.then_some(Guest::Known(user.id)).ok_or_else(wrong))
        }
        (None, None, Some(password)) => {
            let own_words = [invitation.email.as_str()];
            match new_password::check(&password, &own_words, &field) {
                Some(error) => Ok(Err(error)),
                None => Ok(Ok(Guest::New(services.passwords.hash(&password).await?))),
            }
        }
    }
}

/// Uses up the invitation, and makes the user a member with a session, in one transaction.
async fn enter(
    request: &RequestContext,
    services: &MutationContext,
    token: &SingleUseToken,
    tenant: TenantId,
    guest: Guest,
) -> Result<AcceptInvitationPayload, ApiError> {
    let now = request.clock.now();
    let mut system = request.database.system().await?;
    system.lock_members(tenant).await?;
    let Some(invitation) = system.take_invitation(&token.hash(), now).await? else {
        return Ok(ran_out().into());
    };
    let (email, role) = (&invitation.email, invitation.role);
    let user = match guest {
        Guest::Known(user) => user,
        Guest::New(hash) => match system.create_user(email, &hash, now).await? {
            Some(user) => user,
            // The address was registered concurrently, with a password that was not checked here.
            None => return Ok(ran_out().into()),
        },
    };
    if system.find_member(tenant, user).await?.is_none() {
        system.create_membership(tenant, user, role, now).await?;
    }
    let from = request
        .principal
        .filter(|principal| principal.user == user)
        .map(|principal| principal.session);
    let session = Session::create(&mut system, request, services, (user, tenant), from).await?;
    let entry = Entry::done(
        Action::InvitationAccepted,
        Actor::User(email.as_str().to_owned()),
    )
    .to_member(email.as_str(), role)
    .from(request.client_address);
    note(request, system, tenant, &entry).await?;
    Ok(AcceptInvitationPayload {
        session: Some(session),
        user: Some(User::new(user, tenant)),
        user_errors: Vec::new(),
    })
}

fn no_invitation() -> UserError {
    let message = "The invitation token is invalid.";
    UserError::new(&["input", "token"], UserErrorCode::Invalid, message)
}

fn ran_out() -> UserError {
    let message = "The invitation has expired. Ask for a new one.";
    UserError::new(&["input", "token"], UserErrorCode::Expired, message)
}
