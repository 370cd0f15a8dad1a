//! The access token of a connected shop: decrypted from its credentials, or requested with the client id and secret or a
//! refresh token. It is renewed before it expires, by one process at a time, under a row lock.

use std::sync::Arc;

use chrono::TimeDelta;
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::SyncService;
use crate::auth::encryption::Encryption;
use crate::db::shops::SealedCredentials;
use crate::db::{DbError, TenantTx};
use crate::domain::credentials::{Credentials, TokenPair};
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;
use crate::shopify::{ShopifyError, TokenProvider, TokenRequest};

/// A token is renewed this long before it expires.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(10);

/// The plaintext of the encrypted credentials, as JSON.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Plain {
    AccessToken {
        token: String,
        api_secret: Option<String>,
    },
    ClientCredentials {
        client_id: String,
        client_secret: String,
    },
    Installed {
        access_token: String,
        access_expires_at: DateTime<Utc>,
        refresh_token: String,
    },
}

/// Encrypts the credentials of a shop.
pub(super) fn encrypt_credentials(
    encryption: &Encryption,
    tenant: TenantId,
    credentials: &Credentials,
) -> Result<Vec<u8>, DbError> {
    let plain = match credentials {
        Credentials::AccessToken { token, api_secret } => Plain::AccessToken {
            token: token.expose_secret().to_owned(),
            api_secret: api_secret
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned()),
        },
        Credentials::ClientCredentials {
            client_id,
            client_secret,
        } => Plain::ClientCredentials {
            client_id: client_id.clone(),
            client_secret: client_secret.expose_secret().to_owned(),
        },
        Credentials::Installed(pair) => Plain::Installed {
            access_token: pair.access_token.expose_secret().to_owned(),
            access_expires_at: pair.access_expires_at,
            refresh_token: pair.refresh_token.expose_secret().to_owned(),
        },
    };
    let json = serde_json::to_vec(&plain).map_err(|_| unsealable())?;
    encryption.encrypt(tenant, &json).map_err(|_| unsealable())
}

fn unsealable() -> DbError {
    DbError::Corrupt("credentials cannot be encrypted or decrypted".to_owned())
}

pub(super) fn decrypt_credentials(
    encryption: &Encryption,
    tenant: TenantId,
    bytes: &[u8],
) -> Result<Credentials, DbError> {
    let plain = encryption
        .decrypt(tenant, bytes)
        .map_err(|_| unsealable())?;
    let plain = serde_json::from_slice(plain.expose_secret()).map_err(|_| unsealable())?;
    Ok(match plain {
        Plain::AccessToken { token, api_secret } => Credentials::AccessToken {
            token: token.into(),
            api_secret: api_secret.map(Into::into),
        },
        Plain::ClientCredentials {
            client_id,
            client_secret,
        } => Credentials::ClientCredentials {
            client_id,
            client_secret: client_secret.into(),
        },
        Plain::Installed {
            access_token,
            access_expires_at,
            refresh_token,
        } => Credentials::Installed(TokenPair {
            access_token: access_token.into(),
            access_expires_at,
            refresh_token: refresh_token.into(),
        }),
    })
}

/// A token, and when it expires.
type Token = (SecretString, Option<DateTime<Utc>>);
/// The last token, so that not every request needs a query.
type CachedToken = Arc<Mutex<Option<Token>>>;

impl SyncService {
    /// Provides the tokens for requests to a connected shop.
    pub(super) fn token_provider(&self, tenant: TenantId, domain: &ShopDomain) -> TokenProvider {
        self.token_provider_from(tenant, domain, None)
    }

    /// The same, with stored credentials that were read already. Their token is used first if it is fresh.
    pub(super) fn token_provider_with(
        &self,
        tenant: TenantId,
        domain: &ShopDomain,
        stored: Option<SealedCredentials>,
    ) -> TokenProvider {
        // If they cannot be decrypted, the first request reports it.
        let cached = stored.and_then(|sealed| {
            let credentials = decrypt_credentials(&self.encryption, tenant, &sealed.sealed).ok()?;
            self.held_token(tenant, &sealed, &credentials, &TokenRequest::Current)
        });
        self.token_provider_from(tenant, domain, cached)
    }

    fn token_provider_from(
        &self,
        tenant: TenantId,
        domain: &ShopDomain,
        cached: Option<Token>,
    ) -> TokenProvider {
        let sync = self.clone();
        let domain = domain.clone();
        let cached: CachedToken = Arc::new(Mutex::new(cached));
        TokenProvider::new(move |request| {
            let (sync, domain, cached) = (sync.clone(), domain.clone(), Arc::clone(&cached));
            async move {
                let mut cached = cached.lock().await;
                if let (Some((token, expires_at)), TokenRequest::Current) = (&*cached, &request)
                    && sync.is_fresh(*expires_at)
                {
                    return Ok(token.clone());
                }
                let (token, expires_at) = sync.stored_token(tenant, &domain, &request).await?;
                *cached = Some((token.clone(), expires_at));
                Ok(token)
            }
            .boxed()
        })
    }

    fn is_fresh(&self, expires_at: Option<DateTime<Utc>>) -> bool {
        expires_at.is_none_or(|end| end > self.clock.now() + RENEW_BEFORE)
    }

    async fn stored_token(
        &self,
        tenant: TenantId,
        domain: &ShopDomain,
        request: &TokenRequest,
    ) -> Result<Token, ShopifyError> {
        let unavailable = |error: DbError| ShopifyError::TokenUnavailable(error.to_string());
        let mut transaction = self.database.tenant(tenant).await.map_err(unavailable)?;
        let sealed = transaction.lock_credentials().await.map_err(unavailable)?;
        let Some(sealed) = sealed else {
            return Err(ShopifyError::Unauthorized);
        };
        let credentials =
            decrypt_credentials(&self.encryption, tenant, &sealed.sealed).map_err(unavailable)?;
        if let Some(held) = self.held_token(tenant, &sealed, &credentials, request) {
            return Ok(held);
        }
        match credentials {
            Credentials::AccessToken { token, .. } => Ok((token, None)),
            Credentials::Installed(held) => {
                // Under the lock, as below. The new pair is committed before its first use. Shopify accepts the old
                // refresh token until then, so a crash loses nothing.
                let pair = self
                    .shopify
                    .refresh_token_pair(domain, &held.refresh_token)
                    .await?;
                self.save_pair(transaction, pair.clone())
                    .await
                    .map_err(unavailable)?;
                Ok((pair.access_token, Some(pair.access_expires_at)))
            }
            Credentials::ClientCredentials {
                client_id,
                client_secret,
            } => {
                // Held during the request, so that other processes wait and then find the new token.
                let issued = self
                    .shopify
                    .client_credentials_token(domain, &client_id, &client_secret)
                    .await?;
                self.save_token(transaction, &issued.token, issued.expires_at)
                    .await
                    .map_err(unavailable)?;
                Ok((issued.token, Some(issued.expires_at)))
            }
        }
    }

    /// The stored token, unless it expires soon or Shopify has just refused it. A permanent token is always returned,
    /// because there is no other.
    fn held_token(
        &self,
        tenant: TenantId,
        sealed: &SealedCredentials,
        credentials: &Credentials,
        request: &TokenRequest,
    ) -> Option<Token> {
        let (token, expires_at) = match credentials {
            Credentials::AccessToken { token, .. } => return Some((token.clone(), None)),
            Credentials::Installed(held) => {
                (held.access_token.clone(), Some(held.access_expires_at))
            }
            Credentials::ClientCredentials { .. } => {
                let opened = self
                    .encryption
                    .decrypt(tenant, sealed.sealed_access_token.as_deref()?)
                    .ok()?;
                let token = std::str::from_utf8(opened.expose_secret()).ok()?;
                (SecretString::from(token), sealed.access_token_expires_at)
            }
        };
        (!request.refuses(&token) && self.is_fresh(expires_at)).then_some((token, expires_at))
    }

    async fn save_pair(&self, mut transaction: TenantTx, pair: TokenPair) -> Result<(), DbError> {
        let credentials = Credentials::Installed(pair);
        let sealed = encrypt_credentials(&self.encryption, transaction.tenant(), &credentials)?;
        transaction
            .save_renewed_credentials(&sealed, self.clock.now())
            .await?;
        transaction.commit().await
    }

    async fn save_token(
        &self,
        mut transaction: TenantTx,
        token: &SecretString,
        expires_at: DateTime<Utc>,
    ) -> Result<(), DbError> {
        let sealed = self
            .encryption
            .encrypt(transaction.tenant(), token.expose_secret().as_bytes())
            .map_err(|_| unsealable())?;
        transaction.save_access_token(&sealed, expires_at).await?;
        transaction.commit().await
    }
}
