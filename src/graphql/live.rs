//! The news of each store, for those who subscribed to it, and for what the process remembers. One listener
//! serves a whole process; it is started by the first who needs it. Whoever reads too slowly misses news and
//! is told so; nobody waits for anybody.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_stream::stream;
use futures_util::Stream;
use tokio::sync::{OnceCell, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::error::ApiError;
use super::memory::Memory;
use crate::db::live::{self, Listener, News};
use crate::db::{Database, DbError};
use crate::domain::ids::TenantId;
use crate::domain::principal::Principal;

/// How much a subscriber may fall behind.
const BEHIND: usize = 64;
/// The wait before a lost database is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long is waited until what was committed before has been heard.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked whether the listener is still alive.
const LOOK: Duration = Duration::from_secs(1);

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something happened.
    News(News),
    /// Something may have happened: ask for everything again.
    Gap,
}

/// The news of every store. Clones share it.
#[derive(Clone, Debug)]
pub struct Live {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    memory: Memory,
    /// The most subscribers of one store.
    most: usize,
    channels: Mutex<HashMap<TenantId, broadcast::Sender<Heard>>>,
    /// Whose access changed; `None`: perhaps anybody's.
    access: broadcast::Sender<Option<Uuid>>,
    listening: OnceCell<()>,
    attending: AtomicBool,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Live {
    /// Nothing is listened to yet; what is heard goes to this memory. A store has at most so many subscribers.
    #[must_use]
    pub fn new(database: Database, memory: Memory, most: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                memory,
                most,
                channels: Mutex::default(),
                access: broadcast::channel(BEHIND).0,
                listening: OnceCell::new(),
                attending: AtomicBool::new(false),
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Ends every subscription, because the program ends.
    pub fn stop(&self) {
        self.inner.stop.cancel();
    }

    /// Is cancelled when the program ends.
    #[must_use]
    pub fn stopped(&self) -> CancellationToken {
        self.inner.stop.clone()
    }

    /// Tells from now on when somebody's access may have changed.
    pub async fn access_changes(&self) -> Result<AccessChanges, DbError> {
        self.inner.listen().await?;
        Ok(AccessChanges(self.inner.access.subscribe()))
    }

    /// What need not be asked of the database, kept in line with the news. The first to ask for it makes the
    /// process listen.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        if !self.inner.attending.swap(true, Ordering::Relaxed) {
            let inner = Arc::clone(&self.inner);
            self.inner.tasks.spawn(async move {
                if inner.listen().await.is_err() {
                    // The database could not be reached: whoever asks next tries again.
                    inner.attending.store(false, Ordering::Relaxed);
                }
            });
        }
        &self.inner.memory
    }

    /// Waits until everything that was committed before has been heard here, so that nothing older is
    /// remembered. Without an answer in time nothing is remembered at all.
    pub async fn catch_up(&self) {
        let inner = &self.inner;
        if !inner.listening.initialized() {
            return;
        }
        let (id, back) = inner.memory.trust().awaited_call();
        let called = inner.database.call(id).await;
        let heard = match called {
            Ok(()) => tokio::time::timeout(PATIENCE, back).await,
            Err(_) => return inner.memory.forget(),
        };
        if !matches!(heard, Ok(Ok(()))) {
            inner.memory.forget();
        }
    }

    /// The news of a store from now on, until the program ends.
    pub async fn subscribe(
        &self,
        tenant: TenantId,
    ) -> Result<impl Stream<Item = Heard> + use<>, ApiError> {
        let inner = Arc::clone(&self.inner);
        inner.listen().await?;
        let mut receiver = inner.receiver(tenant)?;
        Ok(stream! {
            loop {
                let heard = tokio::select! {
                    () = inner.stop.cancelled() => break,
                    heard = receiver.recv() => heard,
                };
                match heard {
                    Ok(heard) => yield heard,
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        // What is still in the channel is older than the answer to the next question.
                        receiver = receiver.resubscribe();
                        yield Heard::Gap;
                    }
                    Err(broadcast::error::RecvError::Closed) => break,
                }
            }
        })
    }
}

/// Hears whose access changes.
#[derive(Debug)]
pub struct AccessChanges(broadcast::Receiver<Option<Uuid>>);

impl AccessChanges {
    /// Returns when what this caller may do may have changed.
    pub async fn concerning(&mut self, caller: Principal) {
        let theirs = [caller.user.uuid(), caller.tenant.uuid()];
        loop {
            match self.0.recv().await {
                Ok(Some(whose)) if !theirs.contains(&whose) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The program ends.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Inner {
    /// Begins to listen, if nobody has yet.
    async fn listen(self: &Arc<Self>) -> Result<(), DbError> {
        self.listening
            .get_or_try_init(|| async {
                let listener = self.database.listen().await?;
                let hub = Arc::downgrade(self);
                let stop = self.stop.clone();
                self.tasks.spawn(async move {
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = pump(hub.clone(), listener) => {}
                        () = call(hub) => {}
                    }
                });
                Ok::<(), DbError>(())
            })
            .await
            .copied()
    }

    fn receiver(&self, tenant: TenantId) -> Result<broadcast::Receiver<Heard>, ApiError> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.retain(|_, sender| sender.receiver_count() > 0);
        let sender = channels
            .entry(tenant)
            .or_insert_with(|| broadcast::channel(BEHIND).0);
        if sender.receiver_count() >= self.most {
            return Err(ApiError::LimitExceeded {
                limit: "subscriptions",
                maximum: self.most,
            });
        }
        Ok(sender.subscribe())
    }

    /// What is remembered first: whoever is told asks at once.
    fn hear(&self, heard: live::Heard) {
        self.memory.hear(&heard);
        match heard {
            // Subscribers ask for what they show.
            live::Heard::News(tenant, news) => self.tell(tenant, news),
            live::Heard::Gap => self.tell_all_of_a_gap(),
            // Nobody listening is no error.
            live::Heard::Access(whose) => drop(self.access.send(Some(whose))),
            live::Heard::Echo(_) => {}
        }
    }

    fn tell(&self, tenant: TenantId, news: News) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = channels.get(&tenant) {
            // Nobody listening is no error.
            let _ = sender.send(Heard::News(news));
        }
    }

    fn tell_all_of_a_gap(&self) {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in channels.values() {
            let _ = sender.send(Heard::Gap);
        }
        drop(channels);
        let _ = self.access.send(None);
    }
}

/// Hands on what the listener hears, for as long as somebody may ask.
async fn pump(hub: Weak<Inner>, mut listener: Listener) {
    let mut was_lost = false;
    loop {
        let heard = next(&hub, &mut listener).await;
        let Some(hub) = hub.upgrade() else {
            return;
        };
        match heard {
            Some(Ok(heard)) => {
                if std::mem::take(&mut was_lost) {
                    hub.hear(live::Heard::Gap);
                }
                hub.hear(heard);
            }
            Some(Err(error)) => {
                tracing::warn!(error = %error, "the news of the stores cannot be heard");
                was_lost = true;
                hub.memory.forget();
                drop(hub);
                tokio::time::sleep(AGAIN).await;
            }
            None => {
                tracing::warn!("the news of the stores is not heard any more: listening anew");
                hub.memory.forget();
                match hub.database.listen().await {
                    Ok(anew) => {
                        listener = anew;
                        hub.hear(live::Heard::Gap);
                    }
                    Err(_) => tokio::time::sleep(AGAIN).await,
                }
            }
        }
    }
}

/// The next thing that is heard; `None`: the process does not even hear its own calls.
async fn next(hub: &Weak<Inner>, listener: &mut Listener) -> Option<Result<live::Heard, DbError>> {
    // Not begun anew each time: a message may be half read.
    let mut next = pin!(listener.next());
    loop {
        tokio::select! {
            heard = &mut next => return Some(heard),
            () = tokio::time::sleep(LOOK) => {
                if hub.upgrade().is_none_or(|hub| hub.memory.trust().is_dead()) {
                    return None;
                }
            }
        }
    }
}

/// Has the process call itself for as long as anybody relies on what is remembered.
async fn call(hub: Weak<Inner>) {
    // While it waits it keeps nothing of the program alive but the memory itself.
    while let Some(memory) = hub.upgrade().map(|hub| hub.memory.clone()) {
        let Some(id) = memory.trust().next_call().await else {
            continue;
        };
        let Some(database) = hub.upgrade().map(|hub| hub.database.clone()) else {
            return;
        };
        if database.call(id).await.is_err() {
            memory.trust().not_called(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_reader_hears_of_a_gap_and_then_goes_on() {
        let (sender, mut receiver) = broadcast::channel(2);
        for _ in 0..5 {
            sender.send(Heard::Gap).unwrap();
        }
        assert!(matches!(
            receiver.recv().await,
            Err(broadcast::error::RecvError::Lagged(3))
        ));
        receiver = receiver.resubscribe();
        sender
            .send(Heard::News(News::Store {
                days: Vec::new(),
                version: 1,
            }))
            .unwrap();
        assert!(matches!(receiver.recv().await, Ok(Heard::News(_))));
    }
}
