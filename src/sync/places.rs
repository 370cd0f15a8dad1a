//! Where a worker's jobs are worked on, so many at once, and the short way there: who causes a job in a process whose
//! worker has a place for it has it claimed as it is written down, and hands it over. Nobody looks for it then.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use uuid::Uuid;

use crate::db::jobs::Job;
use crate::db::webhooks::ToFollow;
use crate::domain::ids::TenantId;

/// The places of a worker. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    /// One place is never taken by a long job, if there are two: what webhooks named is fetched while large stores
    /// are synced.
    long: Arc<Semaphore>,
}

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            long: Arc::new(Semaphore::new(all.saturating_sub(1).max(1))),
        }
    }

    /// Waits for a free place.
    pub(super) async fn free(&self) -> Place {
        match Arc::clone(&self.all).acquire_owned().await {
            Ok(permit) => Place {
                _permit: permit,
                _store: None,
            },
            // They are never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// What a long job needs besides its place; `None`: there may be no more of them.
    pub(super) fn for_a_long_job(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.long).try_acquire_owned().ok()
    }
}

/// A place in which a job is worked on; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _store: Option<Handed>,
}

/// The short way to the worker of this process, if there is one. Clones lead to the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Handover(Arc<Mutex<Way>>);

#[derive(Debug, Default)]
struct Way {
    taker: Option<Taker>,
    /// The stores of which a job was handed over that is not done: each has one place by this way, so that many
    /// deliveries of one store leave places to the others.
    stores: HashSet<TenantId>,
}

/// Who takes jobs over.
#[derive(Debug)]
struct Taker {
    worker: Uuid,
    places: Places,
    jobs: mpsc::UnboundedSender<HandedJob>,
    /// Only while the worker gives a sign of life may anything be claimed for it.
    present: watch::Receiver<bool>,
}

/// A store has a place by the short way.
#[derive(Debug)]
struct Handed {
    store: TenantId,
    way: Handover,
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.way.locked().stores.remove(&self.store);
    }
}

/// A job on the short way.
#[derive(Debug)]
pub(super) struct HandedJob {
    pub(super) job: Job,
    /// What it is to follow, read on the way.
    pub(super) to_follow: Option<Box<ToFollow>>,
    pub(super) place: Place,
}

/// A place that is kept for a job until it is written down.
#[derive(Debug)]
pub(super) struct KeptPlace {
    /// For whom the job is to be claimed.
    pub(super) worker: Uuid,
    place: Place,
    jobs: mpsc::UnboundedSender<HandedJob>,
}

impl KeptPlace {
    /// Hands the job over. One that is not taken any more, because the worker is about to stop, is free for others
    /// once it has.
    pub(super) fn hand_over(self, job: Job, to_follow: Option<Box<ToFollow>>) {
        let place = self.place;
        let _ = self.jobs.send(HandedJob {
            job,
            to_follow,
            place,
        });
    }
}

impl Handover {
    fn locked(&self) -> MutexGuard<'_, Way> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leads to a worker from now on. What is handed over comes out of the other end.
    pub(super) fn open(
        &self,
        worker: Uuid,
        places: Places,
        present: watch::Receiver<bool>,
    ) -> mpsc::UnboundedReceiver<HandedJob> {
        let (jobs, taken) = mpsc::unbounded_channel();
        self.locked().taker = Some(Taker {
            worker,
            places,
            jobs,
            present,
        });
        taken
    }

    /// Leads to this worker no more.
    pub(super) fn shut(&self, worker: Uuid) {
        self.locked().taker.take_if(|taker| taker.worker == worker);
    }

    /// Keeps a place for a job of a store; `None`: it must be queued, because no worker is here or none has a place,
    /// or a job of this store has one.
    pub(super) fn keep_place(&self, store: TenantId) -> Option<KeptPlace> {
        let mut way = self.locked();
        let taker = way.taker.as_ref()?;
        if !*taker.present.borrow() || way.stores.contains(&store) {
            return None;
        }
        let permit = Arc::clone(&taker.places.all).try_acquire_owned().ok()?;
        let (worker, jobs) = (taker.worker, taker.jobs.clone());
        way.stores.insert(store);
        Some(KeptPlace {
            worker,
            place: Place {
                _permit: permit,
                _store: Some(Handed {
                    store,
                    way: self.clone(),
                }),
            },
            jobs,
        })
    }
}
