//! Deliveries of one store that come while another of it is being written down, written down together: a store of
//! which a thousand orders are changed at once tells of each by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::sync::Cache;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{OwnedMutexGuard, oneshot};

use crate::domain::ids::TenantId;

/// At most so many stores gather. One that is forgotten while it does gathers in two places.
const MAX_STORES: u64 = 10_000;

/// What waits to be written down, store by store.
#[derive(Debug)]
pub(in crate::sync) struct Gathering<T: Send + Sync + 'static> {
    stores: Cache<TenantId, Arc<OneStore<T>>>,
}

/// What waits for its turn, and who has it: it writes down all that waits then.
#[derive(Debug)]
struct OneStore<T> {
    waiting: Mutex<Vec<Waiting<T>>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Waiting<T> {
    what: Arc<T>,
    written: oneshot::Sender<()>,
}

impl<T> Default for OneStore<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            turn: Arc::default(),
        }
    }
}

impl<T: Send + Sync> Default for Gathering<T> {
    fn default() -> Self {
        Self {
            stores: Cache::new(MAX_STORES),
        }
    }
}

impl<T> OneStore<T> {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<T>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be done for something that waited.
#[derive(Debug)]
pub(super) enum Turn<T> {
    /// Nothing: it is written down.
    Written,
    /// All of this is to be written down together.
    Together(Together<T>),
    /// It is to be written down by itself: with others it could not be.
    Alone,
}

/// What is to be written down together. Unless it is said to be written, each is tried alone.
#[derive(Debug)]
pub(super) struct Together<T> {
    waited: Vec<Waiting<T>>,
    _turn: OwnedMutexGuard<()>,
}

impl<T> Together<T> {
    /// All of it; at least what the turn is of.
    pub(super) fn all(&self) -> Vec<Arc<T>> {
        self.waited
            .iter()
            .map(|one| Arc::clone(&one.what))
            .collect()
    }

    /// Lets go of those who wait for it.
    pub(super) fn written(self) {
        for one in self.waited {
            let _ = one.written.send(());
        }
    }
}

impl<T: Send + Sync> Gathering<T> {
    /// Waits for the turn of something, which is written down with all that waits by then of the same store.
    pub(super) async fn turn(&self, store: TenantId, what: Arc<T>) -> Turn<T> {
        let store = self.stores.get_with(store, Arc::default);
        let (written, mut is_written) = oneshot::channel();
        store.waiting().push(Waiting { what, written });
        let turn = Arc::clone(&store.turn).lock_owned().await;
        match is_written.try_recv() {
            Ok(()) => Turn::Written,
            Err(TryRecvError::Closed) => Turn::Alone,
            Err(TryRecvError::Empty) => Turn::Together(Together {
                waited: std::mem::take(&mut *store.waiting()),
                _turn: turn,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a number down, and notes with which others; one of them cannot be.
    async fn write(
        gathering: &Gathering<u32>,
        store: TenantId,
        number: u32,
        noted: &Mutex<Vec<Vec<u32>>>,
    ) -> Turn<u32> {
        let turn = gathering.turn(store, Arc::new(number)).await;
        let Turn::Together(together) = turn else {
            return turn;
        };
        let all: Vec<u32> = together.all().iter().map(|one| **one).collect();
        tokio::task::yield_now().await;
        let fails = all.contains(&13);
        noted.lock().unwrap().push(all);
        if fails {
            return Turn::Alone;
        }
        together.written();
        Turn::Written
    }

    #[tokio::test]
    async fn what_comes_while_another_is_written_is_written_together() {
        let (gathering, noted) = (Gathering::default(), Mutex::default());
        let (store, other) = (TenantId::generate(), TenantId::generate());
        let turns: [Turn<u32>; 4] = tokio::join!(
            write(&gathering, store, 1, &noted),
            write(&gathering, store, 2, &noted),
            write(&gathering, other, 7, &noted),
            write(&gathering, store, 3, &noted),
        )
        .into();
        for turn in turns {
            assert!(matches!(turn, Turn::Written), "{turn:?}");
        }
        let mut noted = noted.into_inner().unwrap();
        noted.sort();
        assert_eq!(noted, [vec![1], vec![2, 3], vec![7]]);
    }

    #[tokio::test]
    async fn what_could_not_be_written_together_is_to_be_written_alone() {
        let (gathering, noted) = (Gathering::default(), Mutex::default());
        let store = TenantId::generate();
        let (first, bad, other) = tokio::join!(
            write(&gathering, store, 1, &noted),
            write(&gathering, store, 13, &noted),
            write(&gathering, store, 3, &noted),
        );
        assert!(matches!(first, Turn::Written), "{first:?}");
        assert!(
            matches!((&bad, &other), (Turn::Alone, Turn::Alone)),
            "{bad:?} {other:?}"
        );
        assert_eq!(noted.into_inner().unwrap(), [vec![1], vec![13, 3]]);
    }
}
