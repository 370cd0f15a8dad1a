//! How many operations of one payer are carried out at once. Whoever comes when all turns are taken waits a
//! while, so that a burst is answered a little later rather than refused.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Payer;
use crate::graphql::error::ApiError;

/// Everybody's turns.
#[derive(Debug)]
pub(in crate::graphql) struct Turns {
    at_once: usize,
    patience: Duration,
    taken: Mutex<HashMap<Payer, Arc<Semaphore>>>,
}

impl Turns {
    pub(in crate::graphql) fn new(at_once: NonZeroU32, patience: Duration) -> Self {
        Self {
            at_once: usize::try_from(at_once.get()).unwrap_or(Semaphore::MAX_PERMITS),
            patience,
            taken: Mutex::default(),
        }
    }

    /// Waits for a turn; it ends when what is returned is dropped. Only tenants need one: what those without
    /// a token can ask for is limited by itself.
    pub(in crate::graphql) async fn take(
        &self,
        payer: Payer,
    ) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
        if matches!(payer, Payer::Address(_)) {
            return Ok(None);
        }
        let turns = self.of(payer);
        match tokio::time::timeout(self.patience, turns.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            Ok(Err(closed)) => Err(ApiError::internal(&closed)),
            Err(_) => Err(ApiError::Throttled {
                retry_after_seconds: 1,
            }),
        }
    }

    fn of(&self, payer: Payer) -> Arc<Semaphore> {
        /// The number of payers at which those without operations are dropped.
        const SWEEP_AT: usize = 1_000;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= SWEEP_AT {
            // Whoever waits or works holds a second reference.
            taken.retain(|_, turns| Arc::strong_count(turns) > 1);
        }
        let turns = taken
            .entry(payer)
            .or_insert_with(|| Arc::new(Semaphore::new(self.at_once)));
        Arc::clone(turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TenantId;

    fn payer() -> Payer {
        Payer::Tenant(TenantId::generate())
    }

    #[tokio::test]
    async fn one_tenants_turns_are_not_anothers() {
        let turns = Turns::new(NonZeroU32::new(2).unwrap(), Duration::from_millis(20));
        let (busy, other) = (payer(), payer());
        let first = turns.take(busy).await.unwrap();
        let _second = turns.take(busy).await.unwrap();
        assert!(matches!(
            turns.take(busy).await,
            Err(ApiError::Throttled { .. })
        ));
        assert!(turns.take(other).await.is_ok());
        drop(first);
        assert!(turns.take(busy).await.is_ok());
    }
}
