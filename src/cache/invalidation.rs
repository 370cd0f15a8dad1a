//! Receives the events of the database, applies them to the caches, and sends them to subscribers. One listener
//! serves the whole process; the first use starts it. A slow subscriber misses events, receives
//! [`Received::ResyncRequired`] instead, and never delays the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_stream::stream;
use futures_util::Stream;
use tokio::sync::{OnceCell, broadcast, mpsc, oneshot};
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::Caches;
use crate::db::events::{Event, Listener, ShopEvent};
use crate::db::{Database, DbError};
use crate::domain::ids::TenantId;
use crate::domain::principal::Principal;

/// How many events may wait for a subscriber.
const MAX_LAG: usize = 64;
/// How often a heartbeat is sent: well below the time for which one heartbeat keeps the caches usable.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(500);
/// A connection whose heartbeat gets no reply for this long is dead. The value exceeds the time for which the caches
/// stay usable without a heartbeat. It is no multiple of the time for which requests wait for a connection.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);
/// The delay before a new connection attempt.
const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
/// How long a mutation waits for its own events.
const BARRIER_TIMEOUT: Duration = Duration::from_secs(1);

/// A message to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An event of the shop.
    Event(ShopEvent),
    /// Events may have been missed, so any data may have changed.
    ResyncRequired,
}

/// Why a subscription was refused.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// The listener cannot be started.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The tenant already has the maximum number of subscribers.
    #[error("the tenant has {0} subscribers already")]
    TooMany(usize),
}

/// The event listener and its subscribers. Clones share the listener.
#[derive(Clone, Debug)]
pub struct Invalidation {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    caches: Caches,
    max_subscribers: usize,
    channels: Mutex<HashMap<TenantId, broadcast::Sender<Received>>>,
    /// The user or tenant whose access changed; `None`: any access may have changed.
    access: broadcast::Sender<Option<Uuid>>,
    /// Requests for an immediate heartbeat.
    barriers: OnceCell<mpsc::UnboundedSender<oneshot::Sender<()>>>,
    starting: AtomicBool,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Invalidation {
    /// Creates an invalidation that does not listen yet. A tenant has at most this many subscribers.
    #[must_use]
    pub fn new(database: Database, caches: Caches, max_subscribers: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                caches,
                max_subscribers,
                channels: Mutex::default(),
                access: broadcast::channel(MAX_LAG).0,
                barriers: OnceCell::new(),
                starting: AtomicBool::new(false),
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        }
    }

    /// Ends every subscription because the process stops.
    pub fn stop(&self) {
        self.inner.stop.cancel();
    }

    /// A token that is cancelled when the process stops.
    #[must_use]
    pub fn stopped(&self) -> CancellationToken {
        self.inner.stop.clone()
    }

    /// The caches. The first call starts the listener in the background.
    #[must_use]
    pub fn caches(&self) -> &Caches {
        if !self.inner.starting.swap(true, Ordering::Relaxed) {
            let inner = Arc::clone(&self.inner);
            self.inner.tasks.spawn(async move {
                if inner.listen().await.is_err() {
                    // The database cannot be reached. The next call tries again.
                    inner.starting.store(false, Ordering::Relaxed);
                }
            });
        }
        &self.inner.caches
    }

    /// The read-your-writes barrier: waits until this process has applied every event that was committed before the
    /// call. After a timeout, the use of cached state is suspended until the next heartbeat.
    pub async fn wait_for_invalidation(&self) {
        let Some(barriers) = self.inner.barriers.get() else {
            return;
        };
        let (answered, answer) = oneshot::channel();
        let is_answered = barriers.send(answered).is_ok()
            && matches!(timeout(BARRIER_TIMEOUT, answer).await, Ok(Ok(())));
        if !is_answered {
            self.inner.caches.suspend();
        }
    }

    /// The events of a tenant from now on, until the process stops.
    pub async fn subscribe(
        &self,
        tenant: TenantId,
    ) -> Result<impl Stream<Item = Received> + use<>, SubscribeError> {
        let inner = Arc::clone(&self.inner);
        inner.listen().await?;
        let mut receiver = inner.receiver(tenant)?;
        Ok(stream! {
            loop {
                let event = tokio::select! {
                    () = inner.stop.cancelled() => break,
                    event = receiver.recv() => event,
                };
                match event {
                    Ok(event) => yield event,
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        // The events that still wait in the channel are older than the next read, so they are
                        // skipped.
                        receiver = receiver.resubscribe();
                        yield Received::ResyncRequired;
                    }
                    Err(broadcast::error::RecvError::Closed) => break,
                }
            }
        })
    }

    /// A receiver of changes of access from now on.
    pub async fn access_changes(&self) -> Result<AccessChanges, DbError> {
        self.inner.listen().await?;
        Ok(AccessChanges(self.inner.access.subscribe()))
    }
}

/// A receiver of changes of access.
#[derive(Debug)]
pub struct AccessChanges(broadcast::Receiver<Option<Uuid>>);

impl AccessChanges {
    /// Waits until the access of this caller may have changed.
    pub async fn concerning(&mut self, caller: Principal) {
        let ids = [caller.user.uuid(), caller.tenant.uuid()];
        loop {
            match self.0.recv().await {
                Ok(Some(id)) if !ids.contains(&id) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The process stops.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

impl Inner {
    /// Starts the listener, unless it runs already.
    async fn listen(self: &Arc<Self>) -> Result<(), DbError> {
        let start = async || {
            let listener = self.database.listen().await?;
            let (barriers, requests) = mpsc::unbounded_channel();
            let inner = Arc::downgrade(self);
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = run(inner, listener, requests) => {}
                }
            });
            Ok(barriers)
        };
        self.barriers.get_or_try_init(start).await.map(|_| ())
    }

    fn receiver(&self, tenant: TenantId) -> Result<broadcast::Receiver<Received>, SubscribeError> {
        let mut channels = self.channels();
        channels.retain(|_, sender| sender.receiver_count() > 0);
        let sender = channels
            .entry(tenant)
            .or_insert_with(|| broadcast::channel(MAX_LAG).0);
        if sender.receiver_count() >= self.max_subscribers {
            return Err(SubscribeError::TooMany(self.max_subscribers));
        }
        Ok(sender.subscribe())
    }

    /// Updates the caches before it notifies subscribers, because a subscriber reads at once.
    fn apply(&self, event: Event) {
        self.caches.apply(&event);
        // Sending fails if there is no receiver, which is no error.
        match event {
            Event::Shop(tenant, event) => {
                if let Some(sender) = self.channels().get(&tenant) {
                    let _ = sender.send(Received::Event(event));
                }
            }
            Event::AccessChanged(id) => drop(self.access.send(Some(id))),
            Event::Missed => {
                for sender in self.channels().values() {
                    let _ = sender.send(Received::ResyncRequired);
                }
                let _ = self.access.send(None);
            }
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<TenantId, broadcast::Sender<Received>>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Barriers = mpsc::UnboundedReceiver<oneshot::Sender<()>>;

/// Receives events until the process stops. Reconnects after each lost connection.
async fn run(inner: Weak<Inner>, mut listener: Listener, mut barriers: Barriers) {
    loop {
        let Err(error) = receive(&inner, &mut listener, &mut barriers).await else {
            return;
        };
        let Some(shared) = inner.upgrade() else {
            return;
        };
        tracing::warn!(error.cause = %error, "the event listener lost its connection and reconnects");
        shared.caches.clear();
        listener = loop {
            match shared.database.listen().await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(RECONNECT_PAUSE).await,
            }
        };
        // Events may have been sent between the two connections.
        shared.apply(Event::Missed);
    }
}

/// Receives events over one connection. `Ok`: the process stops.
async fn receive(
    inner: &Weak<Inner>,
    listener: &mut Listener,
    barriers: &mut Barriers,
) -> Result<(), DbError> {
    let mut heartbeats = interval(HEARTBEAT_INTERVAL);
    loop {
        let mut waiting = Vec::new();
        tokio::select! {
            event = listener.next() => {
                let event = event?;
                let Some(inner) = inner.upgrade() else { return Ok(()) };
                inner.apply(event);
                continue;
            }
            barrier = barriers.recv() => match barrier {
                Some(barrier) => waiting.push(barrier),
                None => return Ok(()),
            },
            _ = heartbeats.tick() => {}
        }
        while let Ok(barrier) = barriers.try_recv() {
            waiting.push(barrier);
        }
        let sent_at = Instant::now();
        let events = timeout(HEARTBEAT_TIMEOUT, listener.heartbeat())
            .await
            .map_err(|_| DbError::ListenerLost)??;
        let Some(inner) = inner.upgrade() else {
            return Ok(());
        };
        for event in events {
            inner.apply(event);
        }
        inner.caches.confirm_health(sent_at);
        for barrier in waiting {
            // The waiting mutation may have timed out.
            let _ = barrier.send(());
        }
    }
}
