//! Installing by a merchant's consent. A browser is sent to the store to ask, comes back with a code, and the
//! code is traded for tokens. Which account the store then belongs to is not decided by who sent the browser:
//! whoever agreed gets a token, with which somebody signed in (or who signs up) takes the store over. So nobody
//! can have a stranger's store attached to their account by sending the stranger an address.

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{info, warn};

use super::SyncService;
use super::tokens::{open_credentials, sealed_credentials};
use crate::auth::one_time::{OneTimeToken, Purpose};
use crate::auth::tokens::TokenError;
use crate::db::DbError;
use crate::db::installs::{InstallClaim, InstallState};
use crate::db::jobs::JobKind;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::credentials::Credentials;
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;
use crate::domain::sync::{SyncMode, SyncTrigger};
use crate::shopify::{ErrorKind, InstallableApp, ShopifyError};

/// How long a merchant may think about it.
const STATE_GOOD_FOR: TimeDelta = TimeDelta::minutes(10);
/// How long the store waits for its account: less than its first access token lives.
const CLAIM_GOOD_FOR: TimeDelta = TimeDelta::minutes(30);
/// How far Shopify's time of signing may be from ours, in seconds.
const CLOCKS_APART: u64 = 90;

/// Where a browser is sent, and what it has to keep meanwhile.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The store's own address that asks.
    pub url: String,
    /// Proves later that it is the same browser.
    pub browser: SecretString,
}

/// A store that came back.
#[derive(Clone, Debug)]
pub enum Installed {
    /// A known store that this app reads already: its tokens were renewed.
    Renewed,
    /// The store waits for its account: for who has this token.
    Waiting(SecretString),
}

/// Why somebody did not come back with a store.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is no app of the operator's here.
    #[error("apps cannot be installed here")]
    Off,
    /// What was sent is not what Shopify signs, or is too old.
    #[error("the address is not signed by Shopify, or too old")]
    Unsigned,
    /// Not a store's domain.
    #[error("not a store's domain")]
    NoShop,
    /// Nobody was asked that, it was too long ago or used already, in another browser or for another store.
    #[error("nobody was asked this in this browser, or it was too long ago")]
    NotAsked,
    /// Shopify does not take the code.
    #[error("Shopify refused: {0}")]
    Refused(#[source] ShopifyError),
    /// Shopify does not answer.
    #[error("Shopify does not answer: {0}")]
    Unreachable(#[source] ShopifyError),
    /// Our own database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// There was no randomness.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// The one value of a field; `None` where it is missing or there twice.
fn one<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = fields.iter().filter(|(field, _)| field == name);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

impl SyncService {
    fn installable(&self) -> Result<(&InstallableApp, String), InstallError> {
        let app = self.shopify.app().ok_or(InstallError::Off)?;
        let public_url = self.public_url.as_deref().ok_or(InstallError::Off)?;
        Ok((app, format!("{public_url}/oauth/callback")))
    }

    /// Sends a browser to the store that it named. Anybody may; what Shopify signed must be signed well.
    pub async fn ask_for_consent(
        &self,
        fields: &[(String, String)],
        browser: Option<&SecretString>,
    ) -> Result<Consent, InstallError> {
        let (app, redirect) = self.installable()?;
        if fields.iter().any(|(name, _)| name == "hmac") {
            self.check_signature(app, fields)?;
        }
        let shop = one(fields, "shop").ok_or(InstallError::NoShop)?;
        let domain = ShopDomain::parse(shop).map_err(|_| InstallError::NoShop)?;
        // Several tabs of one browser share what it keeps.
        let kept = browser.and_then(|kept| {
            OneTimeToken::parse(Purpose::InstallBrowser, kept.expose_secret()).ok()
        });
        let browser = match kept {
            Some(kept) => kept,
            None => OneTimeToken::generate(Purpose::InstallBrowser)?,
        };
        let state = OneTimeToken::generate(Purpose::InstallState)?;
        let url = self
            .shopify
            .consent_url(&domain, &redirect, state.secret().expose_secret())
            .ok_or(InstallError::Off)?;
        let now = self.clock.now();
        let asked = InstallState {
            browser_hash: browser.hash(),
            domain,
        };
        let mut system = self.database.system().await?;
        system
            .create_install_state(&state.hash(), &asked, now + STATE_GOOD_FOR, now)
            .await?;
        system.commit().await?;
        Ok(Consent {
            url,
            browser: browser.secret().clone(),
        })
    }

    fn check_signature(
        &self,
        app: &InstallableApp,
        fields: &[(String, String)],
    ) -> Result<(), InstallError> {
        let signed_at = one(fields, "timestamp").and_then(|text| text.parse::<i64>().ok());
        let now = self.clock.now().timestamp();
        let is_recent = signed_at.is_some_and(|at| now.abs_diff(at) <= CLOCKS_APART);
        (is_recent && app.signed(fields))
            .then_some(())
            .ok_or(InstallError::Unsigned)
    }

    /// Takes a merchant in who comes back from their store. Everything is proven before the code is traded, and
    /// the tokens are kept before they are used.
    pub async fn take_consent(
        &self,
        fields: &[(String, String)],
        browser: Option<&SecretString>,
    ) -> Result<Installed, InstallError> {
        let (app, _) = self.installable()?;
        self.check_signature(app, fields)?;
        let shop = one(fields, "shop").ok_or(InstallError::NoShop)?;
        let domain = ShopDomain::parse(shop).map_err(|_| InstallError::NoShop)?;
        self.take_state(fields, browser, &domain).await?;
        let code = one(fields, "code").ok_or(InstallError::Unsigned)?;
        let pair = match self.shopify.exchange_code(&domain, code).await {
            Ok(pair) => pair,
            Err(error) if error.kind() == ErrorKind::Retryable => {
                return Err(InstallError::Unreachable(error));
            }
            Err(error) => return Err(InstallError::Refused(error)),
        };
        let credentials = Credentials::Installed(pair);
        if self.renew_known(&domain, &credentials).await? {
            return Ok(Installed::Renewed);
        }
        let token = OneTimeToken::generate(Purpose::InstallClaim)?;
        let sealed_for = TenantId::generate();
        let claim = InstallClaim {
            sealed_for,
            sealed: sealed_credentials(&self.sealer, sealed_for, &credentials)?,
            domain,
        };
        let now = self.clock.now();
        let mut system = self.database.system().await?;
        system
            .create_install_claim(&token.hash(), &claim, now + CLAIM_GOOD_FOR, now)
            .await?;
        system.commit().await?;
        info!(shop.domain = %claim.domain, "a store let the app in and waits for its account");
        Ok(Installed::Waiting(token.secret().clone()))
    }

    /// Uses the state up, and compares what it was made for. A state that somebody carried elsewhere is gone.
    async fn take_state(
        &self,
        fields: &[(String, String)],
        browser: Option<&SecretString>,
        domain: &ShopDomain,
    ) -> Result<(), InstallError> {
        let parse = |purpose, text| OneTimeToken::parse(purpose, text).ok();
        let state = one(fields, "state").and_then(|text| parse(Purpose::InstallState, text));
        let browser = browser.and_then(|kept| parse(Purpose::InstallBrowser, kept.expose_secret()));
        let (Some(state), Some(browser)) = (state, browser) else {
            return Err(InstallError::NotAsked);
        };
        let mut system = self.database.system().await?;
        let asked = system
            .take_install_state(&state.hash(), self.clock.now())
            .await?;
        system.commit().await?;
        match asked {
            Some(asked) if asked.browser_hash == browser.hash() && asked.domain == *domain => {
                Ok(())
            }
            Some(_) => {
                warn!("a merchant came back in another browser, or from another store");
                Err(InstallError::NotAsked)
            }
            None => Err(InstallError::NotAsked),
        }
    }

    /// Gives a store that is read by this app already its new tokens. Not one that an owner disconnected: that
    /// is for its members to undo.
    async fn renew_known(
        &self,
        domain: &ShopDomain,
        credentials: &Credentials,
    ) -> Result<bool, InstallError> {
        let mut system = self.database.system().await?;
        let Some(tenant) = system.find_tenant(domain).await? else {
            return Ok(false);
        };
        let mut transaction = system.into_tenant(tenant).await?;
        let held = transaction.lock_credentials().await?;
        if held.is_none_or(|held| held.kind != credentials.kind())
            || !transaction.mark_reauthorised().await?
        {
            return Ok(false);
        }
        let now = self.clock.now();
        let sealed = sealed_credentials(&self.sealer, tenant, credentials)?;
        transaction.save_renewed_credentials(&sealed, now).await?;
        // What was not read meanwhile is; and an app that had been uninstalled has lost its webhooks.
        self.request_sync(&mut transaction, SyncMode::Incremental, SyncTrigger::Manual)
            .await?;
        transaction.queue_job(JobKind::Subscriptions, now).await?;
        let entry = Entry::done(Action::CredentialsChanged, Actor::Shopify).to(credentials.kind());
        transaction.note(&entry, now).await?;
        transaction.commit().await?;
        info!(tenant.id = %tenant, "a store let the app in anew");
        Ok(true)
    }

    /// The store that waits for who has this token. `None`: there is none, or it waited too long.
    pub async fn waiting_store(
        &self,
        token: &OneTimeToken,
    ) -> Result<Option<(ShopDomain, Credentials)>, DbError> {
        let mut system = self.database.system().await?;
        let claim = system
            .find_install_claim(&token.hash(), self.clock.now())
            .await?;
        Ok(claim.and_then(|claim| {
            // Sealed with a key that was dropped since: the app has to be installed again.
            let credentials =
                open_credentials(&self.sealer, claim.sealed_for, &claim.sealed).ok()?;
            Some((claim.domain, credentials))
        }))
    }
}
