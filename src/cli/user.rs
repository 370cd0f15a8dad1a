//! `user`: lets an operator manage users. Each action is recorded in the audit logs of the tenants
//! concerned.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret as _;

use super::{database, runtime};
use crate::auth::single_use_token::{Purpose, SingleUseToken};
use crate::config::Settings;
use crate::db::accounts::UserRecord;
use crate::db::members::MemberChange;
use crate::db::{Database, SystemTx};
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal;
use crate::domain::shop::ShopDomain;

/// The lifetime of a password reset token.
const RESET_LIFETIME: TimeDelta = TimeDelta::days(1);

/// The arguments of `user`.
#[derive(Debug, Clone, Args)]
pub(super) struct UserArgs {
    #[command(subcommand)]
    action: UserAction,
}

#[derive(Debug, Clone, Subcommand)]
enum UserAction {
    /// List the users with their shops and roles
    List,
    /// Print a token that lets a user set a new password once, within a day. Pass it on yourself
    ResetPassword {
        /// The user's email address
        email: String,
    },
    /// Change the role of a member of a shop. A shop always keeps an owner
    SetRole {
        /// The user's email address
        email: String,
        /// The shop's domain
        #[arg(long, value_name = "DOMAIN")]
        shop: String,
        /// The new role
        role: Role,
    },
    /// Remove a member from a shop. Their sessions for the shop end immediately
    Remove {
        /// The user's email address
        email: String,
        /// The shop's domain
        #[arg(long, value_name = "DOMAIN")]
        shop: String,
    },
    /// Disable a user. Their sessions end immediately, their memberships stay
    Disable {
        /// The user's email address
        email: String,
    },
    /// Enable a disabled user
    Enable {
        /// The user's email address
        email: String,
    },
    /// Delete a user with their sessions and memberships. Refused for the only owner of a shop
    Delete {
        /// The user's email address
        email: String,
        /// Delete the user even so. The shop then has no owner until `set-role` sets one
        #[arg(long)]
        leave_without_owner: bool,
    },
    /// End all sessions of a user
    SignOut {
        /// The user's email address
        email: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Owner,
    Admin,
    Viewer,
}

impl From<Role> for principal::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Viewer => Self::Viewer,
        }
    }
}

pub(super) fn user(settings: &Settings, args: &UserArgs) -> anyhow::Result<ExitCode> {
    let running = database::join(settings)?;
    runtime()?.block_on(async {
        let database = running.open().await?;
        carry_out(&database, &args.action, Clock::System.now()).await?;
        database.close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
async fn carry_out(
    database: &Database,
    action: &UserAction,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut system = database.system().await?;
    match action {
        UserAction::List => {
            for line in system.list_users().await? {
                println!(
                    "{}\t{}\t{}{}",
                    line.email,
                    line.shop.as_deref().unwrap_or("-"),
                    line.role.as_deref().unwrap_or("-"),
                    if line.disabled { "\tdisabled" } else { "" }
                );
            }
        }
        UserAction::ResetPassword { email } => {
            let user = find(&mut system, email).await?;
            if user.disabled {
                bail!("{} is disabled: enable the user first", user.email);
            }
            let token = SingleUseToken::generate(Purpose::PasswordReset)?;
            let until = now + RESET_LIFETIME;
            system
                .create_password_reset(user.id, &token.hash(), until, now)
                .await?;
            let entry = Entry::done(Action::PasswordResetIssued, Actor::Operator).to(user.email);
            note(system, user.id, &entry, now).await?;
            println!("{}", token.secret().expose_secret());
        }
        UserAction::SetRole { email, shop, role } => {
            let (user, tenant) = member(&mut system, email, shop).await?;
            let role = (*role).into();
            settled(&system.change_role(tenant, user.id, role).await?)?;
            let entry =
                Entry::done(Action::RoleChanged, Actor::Operator).to_member(&user.email, role);
            note_in(system, tenant, &entry, now).await?;
            println!("{} is {} of {shop}", user.email, role.code());
        }
        UserAction::Remove { email, shop } => {
            let (user, tenant) = member(&mut system, email, shop).await?;
            settled(&system.remove_member(tenant, user.id, now).await?)?;
            let entry = Entry::done(Action::MemberRemoved, Actor::Operator).to(&user.email);
            note_in(system, tenant, &entry, now).await?;
            println!("{} is no longer a member of {shop}", user.email);
        }
        UserAction::Disable { email } => {
            let user = find(&mut system, email).await?;
            if !system.disable_user(user.id, now).await? {
                bail!("{} is already disabled", user.email);
            }
            let entry = Entry::done(Action::UserDisabled, Actor::Operator).to(&user.email);
            note(system, user.id, &entry, now).await?;
            println!("{} is disabled", user.email);
        }
        UserAction::Enable { email } => {
            let user = find(&mut system, email).await?;
            if !system.enable_user(user.id).await? {
                bail!("{} is not disabled", user.email);
            }
            let entry = Entry::done(Action::UserEnabled, Actor::Operator).to(&user.email);
            note(system, user.id, &entry, now).await?;
            println!("{} is enabled", user.email);
        }
        UserAction::Delete {
            email,
            leave_without_owner,
        } => {
            let user = find(&mut system, email).await?;
            delete(system, &user, *leave_without_owner, now).await?;
            println!("{} was deleted", user.email);
        }
        UserAction::SignOut { email } => {
            let user = find(&mut system, email).await?;
            let ended = system.end_all_sessions(user.id, now).await?;
            let entry = Entry::done(Action::SessionsEnded, Actor::Operator).to(&user.email);
            note(system, user.id, &entry, now).await?;
            println!("{ended} sessions of {} were ended", user.email);
        }
    }
    Ok(())
}

async fn delete(
    mut system: SystemTx,
    user: &UserRecord,
    leave_without_owner: bool,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let stores = system.lock_stores_of(user.id).await?;
    if !leave_without_owner && stores.iter().any(|(_, _, only_owner)| *only_owner) {
        bail!(
            "{} is the only owner of a shop: make another member the owner first, or pass --leave-without-owner",
            user.email
        );
    }
    for (tenant, role, _) in stores {
        let entry = Entry::done(Action::UserDeleted, Actor::Operator);
        let entry = entry.to_member(&user.email, role);
        let mut transaction = system.into_tenant(tenant).await?;
        transaction.note(&entry, now).await?;
        system = transaction.into_system().await?;
    }
    system.delete_user(user.id).await?;
    Ok(system.commit().await?)
}

async fn find(system: &mut SystemTx, email: &str) -> anyhow::Result<UserRecord> {
    let parsed = Email::parse(email)?;
    let user = system.find_user_by_email(&parsed).await?;
    user.with_context(|| format!("there is no user {parsed}"))
}

async fn member(
    system: &mut SystemTx,
    email: &str,
    shop: &str,
) -> anyhow::Result<(UserRecord, TenantId)> {
    let user = find(system, email).await?;
    let domain = ShopDomain::parse(shop)?;
    let tenant = system.find_tenant(&domain).await?;
    Ok((
        user,
        tenant.with_context(|| format!("{domain} is not connected"))?,
    ))
}

fn settled(change: &MemberChange) -> anyhow::Result<()> {
    match change {
        MemberChange::Made(_) => Ok(()),
        MemberChange::Unknown => bail!("the user is not a member of this shop"),
        MemberChange::LastOwner => {
            bail!("a shop needs an owner: make another member the owner first")
        }
    }
}

/// Adds an entry to the audit log of one tenant, and commits.
async fn note_in(
    system: SystemTx,
    tenant: TenantId,
    entry: &Entry,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut transaction = system.into_tenant(tenant).await?;
    transaction.note(entry, now).await?;
    Ok(transaction.commit().await?)
}

/// Adds an entry to the audit log of each of the user's tenants, and commits.
async fn note(
    mut system: SystemTx,
    user: UserId,
    entry: &Entry,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    for (tenant, _) in system.memberships_of(user).await? {
        let mut transaction = system.into_tenant(tenant).await?;
        transaction.note(entry, now).await?;
        system = transaction.into_system().await?;
    }
    Ok(system.commit().await?)
}
