//! Installation of the operator's app (OAuth). XBoard redirects a browser to the shop for consent. The browser returns
//! with a code, which is exchanged for tokens. The merchant then gets a claim code, and an account claims the shop with
//! it. The account that began the installation does not matter, so an attacker cannot get a merchant's shop by sending
//! the merchant a link.

use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};
use tracing::{info, warn};

use super::SyncService;
use super::tokens::{decrypt_credentials, encrypt_credentials};
use crate::auth::single_use_token::{Purpose, SingleUseToken};
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

/// How long a merchant may take to consent.
const STATE_LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How long a shop can be claimed: less than the lifetime of its first access token.
const CLAIM_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// How far the time of Shopify's signature may be from the program's clock, in seconds.
const MAX_CLOCK_SKEW: u64 = 90;

/// The redirect to the consent page, and the cookie of the browser.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The consent page of the shop.
    pub url: String,
    /// Identifies the browser when it returns.
    pub browser: SecretString,
}

/// The result of a consent.
#[derive(Clone, Debug)]
pub enum Installed {
    /// The shop uses this app already: its tokens were renewed.
    Renewed,
    /// The shop can be claimed with this token.
    Waiting(SecretString),
}

/// Why an installation failed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The operator has configured no app.
    #[error("no app is configured")]
    Off,
    /// Shopify did not sign the address, or the signature is too old.
    #[error("the address is not signed by Shopify, or too old")]
    Unsigned,
    /// The shop parameter is not a shop's domain.
    #[error("not a shop's domain")]
    NoShop,
    /// The state is unknown, expired or used, or belongs to another browser or shop.
    #[error("the state is unknown, expired, or of another browser or shop")]
    UnknownState,
    /// Shopify refused the code.
    #[error("Shopify refused: {0}")]
    Refused(#[source] ShopifyError),
    /// Shopify does not answer.
    #[error("Shopify does not answer: {0}")]
    Unreachable(#[source] ShopifyError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The system gave no random bytes.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// The value of a field; `None` if it is missing or repeated.
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

    /// Creates the redirect to the consent page of a shop. A signature is not required, but must hold if there is one.
    pub async fn begin_installation(
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
        // The tabs of one browser share the cookie.
        let cookie = browser.and_then(|cookie| {
            SingleUseToken::parse(Purpose::InstallBrowser, cookie.expose_secret()).ok()
        });
        let browser = match cookie {
            Some(cookie) => cookie,
            None => SingleUseToken::generate(Purpose::InstallBrowser)?,
        };
        let state = SingleUseToken::generate(Purpose::InstallState)?;
        let url = self
            .shopify
            .consent_url(&domain, &redirect, state.secret().expose_secret())
            .ok_or(InstallError::Off)?;
        let now = self.clock.now();
        let pending = InstallState {
            browser_hash: browser.hash(),
            domain,
        };
        let mut system = self.database.system().await?;
        system
            .create_install_state(&state.hash(), &pending, now + STATE_LIFETIME, now)
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
        let is_recent = signed_at.is_some_and(|at| now.abs_diff(at) <= MAX_CLOCK_SKEW);
        (is_recent && app.signed(fields))
            .then_some(())
            .ok_or(InstallError::Unsigned)
    }

    /// Handles the return from the consent page. Everything is verified before the code is exchanged, and the tokens are
    /// stored before they are used.
    pub async fn finish_installation(
        &self,
        fields: &[(String, String)],
        browser: Option<&SecretString>,
    ) -> Result<Installed, InstallError> {
        let (app, _) = self.installable()?;
        self.check_signature(app, fields)?;
        let shop = one(fields, "shop").ok_or(InstallError::NoShop)?;
        let domain = ShopDomain::parse(shop).map_err(|_| InstallError::NoShop)?;
        self.use_state(fields, browser, &domain).await?;
        let code = one(fields, "code").ok_or(InstallError::Unsigned)?;
        let pair = match self.shopify.exchange_code(&domain, code).await {
            Ok(pair) => pair,
            Err(error) if error.kind() == ErrorKind::Retryable => {
                return Err(InstallError::Unreachable(error));
            }
            Err(error) => return Err(InstallError::Refused(error)),
        };
        let credentials = Credentials::Installed(pair);
        if self.renew_connected(&domain, &credentials).await? {
            return Ok(Installed::Renewed);
        }
        let token = SingleUseToken::generate(Purpose::InstallClaim)?;
        let sealed_for = TenantId::generate();
        let claim = InstallClaim {
            sealed_for,
            sealed: encrypt_credentials(&self.encryption, sealed_for, &credentials)?,
            domain,
        };
        let now = self.clock.now();
        let mut system = self.database.system().await?;
        system
            .create_install_claim(&token.hash(), &claim, now + CLAIM_LIFETIME, now)
            .await?;
        system.commit().await?;
        info!(shop.domain = %claim.domain, "app installed; the shop can be claimed");
        Ok(Installed::Waiting(token.secret().clone()))
    }

    /// Deletes the state, and compares its browser and shop. A state that was used elsewhere is lost.
    async fn use_state(
        &self,
        fields: &[(String, String)],
        browser: Option<&SecretString>,
        domain: &ShopDomain,
    ) -> Result<(), InstallError> {
        let parse = |purpose, text| SingleUseToken::parse(purpose, text).ok();
        let state = one(fields, "state").and_then(|text| parse(Purpose::InstallState, text));
        let browser =
            browser.and_then(|cookie| parse(Purpose::InstallBrowser, cookie.expose_secret()));
        let (Some(state), Some(browser)) = (state, browser) else {
            return Err(InstallError::UnknownState);
        };
        let mut system = self.database.system().await?;
        let pending = system
            .take_install_state(&state.hash(), self.clock.now())
            .await?;
        system.commit().await?;
        match pending {
            Some(pending)
                if pending.browser_hash == browser.hash() && pending.domain == *domain =>
            {
                Ok(())
            }
            Some(_) => {
                warn!("install state used in another browser or by another shop");
                Err(InstallError::UnknownState)
            }
            None => Err(InstallError::UnknownState),
        }
    }

    /// Renews the tokens of a shop that uses this app already. A shop that an owner disconnected stays disconnected until
    /// a member connects it.
    async fn renew_connected(
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
        let sealed = encrypt_credentials(&self.encryption, tenant, credentials)?;
        transaction.save_renewed_credentials(&sealed, now).await?;
        // Changes may have been missed, and an uninstalled app has lost its webhook subscriptions.
        self.request_sync(&mut transaction, SyncMode::Incremental, SyncTrigger::Manual)
            .await?;
        transaction.queue_job(JobKind::Subscriptions, now).await?;
        let entry = Entry::done(Action::CredentialsChanged, Actor::Shopify).to(credentials.kind());
        transaction.note(&entry, now).await?;
        transaction.commit().await?;
        info!(tenant.id = %tenant, "app installed again; tokens renewed");
        Ok(true)
    }

    /// The shop that can be claimed with this token. `None`: there is none, or it has expired.
    pub async fn claimable_shop(
        &self,
        token: &SingleUseToken,
    ) -> Result<Option<(ShopDomain, Credentials)>, DbError> {
        let mut system = self.database.system().await?;
        let claim = system
            .find_install_claim(&token.hash(), self.clock.now())
            .await?;
        Ok(claim.and_then(|claim| {
            // If its encryption key was removed since, the app has to be installed again.
            let credentials =
                decrypt_credentials(&self.encryption, claim.sealed_for, &claim.sealed).ok()?;
            Some((claim.domain, credentials))
        }))
    }
}
