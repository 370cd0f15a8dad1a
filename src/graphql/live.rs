//! The news of each store, for those who subscribed to it. One listener serves a whole process; it is started
//! by the first subscriber. Whoever reads too slowly misses news and is told so; nobody waits for anybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_stream::stream;
use futures_util::Stream;
use tokio::sync::{OnceCell, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::ApiError;
use crate::db::live::{Listener, News};
use crate::db::{Database, DbError};
use crate::domain::ids::TenantId;

/// How much a subscriber may fall behind.
const BEHIND: usize = 64;
/// The wait before a lost database is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
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
    /// The most subscribers of one store.
    most: usize,
    channels: Mutex<HashMap<TenantId, broadcast::Sender<Heard>>>,
    listening: OnceCell<()>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Live {
    /// Nothing is listened to yet. A store has at most so many subscribers.
    #[must_use]
    pub fn new(database: Database, most: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                most,
                channels: Mutex::default(),
                listening: OnceCell::new(),
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

    /// The news of a store from now on, until the program ends.
    pub(super) async fn subscribe(
        &self,
        tenant: TenantId,
    ) -> Result<impl Stream<Item = Heard> + use<>, ApiError> {
        let inner = Arc::clone(&self.inner);
        inner
            .listening
            .get_or_try_init(|| async {
                let listener = inner.database.listen().await?;
                let pump = pump(Arc::downgrade(&inner), inner.stop.clone(), listener);
                inner.tasks.spawn(pump);
                Ok::<(), DbError>(())
            })
            .await?;
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

impl Inner {
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
    }
}

/// Hands on what the listener hears, for as long as somebody may subscribe.
async fn pump(hub: std::sync::Weak<Inner>, stop: CancellationToken, mut listener: Listener) {
    let mut was_lost = false;
    loop {
        let heard = tokio::select! {
            () = stop.cancelled() => return,
            heard = listener.next() => heard,
        };
        let Some(hub) = hub.upgrade() else {
            return;
        };
        match heard {
            Ok(Some((tenant, news))) => {
                if std::mem::take(&mut was_lost) {
                    hub.tell_all_of_a_gap();
                }
                hub.tell(tenant, news);
            }
            Ok(None) => hub.tell_all_of_a_gap(),
            Err(error) => {
                tracing::warn!(error = %error, "the news of the stores cannot be heard");
                was_lost = true;
                drop(hub);
                tokio::time::sleep(AGAIN).await;
            }
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
            .send(Heard::News(News::Store { days: Vec::new() }))
            .unwrap();
        assert!(matches!(receiver.recv().await, Ok(Heard::News(_))));
    }
}
