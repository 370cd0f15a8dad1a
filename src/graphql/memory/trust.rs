//! Whether the news is heard. The process calls itself through the database, once a second while anybody
//! relies on what is remembered; as long as its own calls come back, so does everybody's news. A connection
//! that died without a word is noticed within [`LASTS`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

/// How often the process calls itself.
const EVERY: Duration = Duration::from_secs(1);
/// The least time between two calls.
const AT_LEAST: Duration = Duration::from_millis(20);
/// How long after a call that came back the news is believed to be heard.
const LASTS: Duration = Duration::from_secs(3);
/// A call that has not come back after this long will not: the connection is taken for dead.
const DEAD: Duration = Duration::from_secs(5);

/// Whether the news is heard.
#[derive(Debug)]
pub(in crate::graphql) struct Trust {
    start: Instant,
    /// In milliseconds since `start`; 0: not at all.
    holds_until: AtomicU64,
    /// Moves whenever news may have been missed.
    epoch: AtomicU64,
    wanted: AtomicBool,
    wake: Notify,
    calls: Mutex<Vec<Call>>,
}

#[derive(Debug)]
struct Call {
    id: Uuid,
    at: Instant,
    waiting: Option<oneshot::Sender<()>>,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            holds_until: AtomicU64::new(0),
            epoch: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
            wake: Notify::new(),
            calls: Mutex::default(),
        }
    }
}

impl Trust {
    /// The present epoch, while the news is heard. Whoever asks is a reason to go on making sure of it.
    pub(super) fn epoch_if_held(&self) -> Option<u64> {
        if !self.wanted.load(Ordering::Relaxed) {
            self.wanted.store(true, Ordering::Relaxed);
        }
        // The epoch first: one that moves in between is noticed by whoever compares it later.
        let epoch = self.epoch();
        if self.since_start(Instant::now()) < self.holds_until.load(Ordering::Acquire) {
            return Some(epoch);
        }
        self.wake.notify_one();
        None
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// News may have been missed.
    pub(super) fn lose(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.holds_until.store(0, Ordering::Release);
        // Whoever waits for a call learns that it will not come back.
        self.calls().clear();
    }

    /// A call came back.
    pub(super) fn echoed(&self, id: Uuid) {
        let mut calls = self.calls();
        let Some(place) = calls.iter().position(|call| call.id == id) else {
            // Another process's, or one from before news was missed.
            return;
        };
        let call = calls.swap_remove(place);
        let until = self.since_start(call.at + LASTS);
        self.holds_until.fetch_max(until, Ordering::AcqRel);
        if let Some(waiting) = call.waiting {
            // Whoever waited may have given up.
            let _ = waiting.send(());
        }
    }

    /// Waits until it is time for a call, and gives its id; `None`: nobody relies on anything.
    pub(in crate::graphql) async fn next_call(&self) -> Option<Uuid> {
        tokio::time::sleep(AT_LEAST).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = self.wake.notified() => {}
        }
        let wanted = self.wanted.swap(false, Ordering::Relaxed);
        wanted.then(|| self.note_call(None))
    }

    /// A call whose coming back somebody waits for.
    pub(in crate::graphql) fn awaited_call(&self) -> (Uuid, oneshot::Receiver<()>) {
        let (waiting, back) = oneshot::channel();
        (self.note_call(Some(waiting)), back)
    }

    /// A call that could not be made.
    pub(in crate::graphql) fn not_called(&self, id: Uuid) {
        self.calls().retain(|call| call.id != id);
    }

    /// Whether a call should have come back long ago.
    pub(in crate::graphql) fn is_dead(&self) -> bool {
        self.calls().iter().any(|call| call.at.elapsed() > DEAD)
    }

    fn note_call(&self, waiting: Option<oneshot::Sender<()>>) -> Uuid {
        let id = Uuid::new_v4();
        let at = Instant::now();
        self.calls().push(Call { id, at, waiting });
        id
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since_start(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.start);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_begins_with_a_call_that_comes_back_and_ends_when_news_was_missed() {
        let trust = Trust::default();
        assert_eq!(trust.epoch_if_held(), None);
        let (id, _back) = trust.awaited_call();
        assert_eq!(trust.epoch_if_held(), None);
        trust.echoed(Uuid::new_v4());
        assert_eq!(trust.epoch_if_held(), None);
        trust.echoed(id);
        assert_eq!(trust.epoch_if_held(), Some(0));
        let (before, mut back) = trust.awaited_call();
        trust.lose();
        assert_eq!(trust.epoch_if_held(), None);
        assert!(back.try_recv().is_err());
        // A call from before says nothing of the time after.
        trust.echoed(before);
        assert_eq!(trust.epoch_if_held(), None);
        let (after, _back) = trust.awaited_call();
        trust.echoed(after);
        assert_eq!(trust.epoch_if_held(), Some(1));
    }
}
