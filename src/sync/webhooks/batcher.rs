//! Batches the deliveries of one shop: those that arrive while a batch of the shop is being written form the next
//! batch. A bulk edit of a thousand orders sends a thousand deliveries; batching turns them into a few transactions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::sync::Cache;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{OwnedMutexGuard, oneshot};

use crate::domain::ids::TenantId;

/// A shop that is evicted while it writes a batch may write two at a time. That is slower, not wrong.
const MAX_SHOPS: u64 = 10_000;

/// Collects what waits to be written, by tenant.
#[derive(Debug)]
pub(in crate::sync) struct DeliveryBatcher<T: Send + Sync + 'static> {
    queues: Cache<TenantId, Arc<Queue<T>>>,
}

/// The waiting deliveries of one shop, and the lock that the writer of a batch holds.
#[derive(Debug)]
struct Queue<T> {
    waiting: Mutex<Vec<Waiting<T>>>,
    writing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct Waiting<T> {
    delivery: Arc<T>,
    written: oneshot::Sender<()>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            writing: Arc::default(),
        }
    }
}

impl<T: Send + Sync> Default for DeliveryBatcher<T> {
    fn default() -> Self {
        Self {
            queues: Cache::new(MAX_SHOPS),
        }
    }
}

impl<T> Queue<T> {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<T>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the caller of [`DeliveryBatcher::join`] has to go on.
#[derive(Debug)]
pub(super) enum BatchSlot<T> {
    /// Another caller wrote the delivery.
    Written,
    /// The caller writes this batch, which contains its delivery.
    Write(Batch<T>),
    /// The batch failed. The caller writes its delivery alone.
    Alone,
}

/// The deliveries that one caller writes together.
#[derive(Debug)]
pub(super) struct Batch<T> {
    waiting: Vec<Waiting<T>>,
    _writing: OwnedMutexGuard<()>,
}

impl<T> Batch<T> {
    pub(super) fn deliveries(&self) -> Vec<Arc<T>> {
        self.waiting
            .iter()
            .map(|one| Arc::clone(&one.delivery))
            .collect()
    }

    /// Reports success to the other callers. A batch that is dropped without it makes each of them write alone.
    pub(super) fn succeed(self) {
        for one in self.waiting {
            let _ = one.written.send(());
        }
    }
}

impl<T: Send + Sync> DeliveryBatcher<T> {
    /// Adds a delivery to the next batch of its shop, and waits until that batch is written or has to be written.
    pub(super) async fn join(&self, tenant: TenantId, delivery: Arc<T>) -> BatchSlot<T> {
        let queue = self.queues.get_with(tenant, Arc::default);
        let (written, mut is_written) = oneshot::channel();
        queue.waiting().push(Waiting { delivery, written });
        let writing = Arc::clone(&queue.writing).lock_owned().await;
        match is_written.try_recv() {
            Ok(()) => BatchSlot::Written,
            Err(TryRecvError::Closed) => BatchSlot::Alone,
            Err(TryRecvError::Empty) => BatchSlot::Write(Batch {
                waiting: std::mem::take(&mut *queue.waiting()),
                _writing: writing,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a number and records its batch. A batch with the number 13 fails.
    async fn write(
        batcher: &DeliveryBatcher<u32>,
        tenant: TenantId,
        number: u32,
        written: &Mutex<Vec<Vec<u32>>>,
    ) -> BatchSlot<u32> {
        let slot = batcher.join(tenant, Arc::new(number)).await;
        let BatchSlot::Write(batch) = slot else {
            return slot;
        };
        let numbers: Vec<u32> = batch.deliveries().iter().map(|one| **one).collect();
        tokio::task::yield_now().await;
        let fails = numbers.contains(&13);
        written.lock().unwrap().push(numbers);
        if fails {
            return BatchSlot::Alone;
        }
        batch.succeed();
        BatchSlot::Written
    }

    #[tokio::test]
    async fn deliveries_that_arrive_during_a_write_form_the_next_batch() {
        let (batcher, written) = (DeliveryBatcher::default(), Mutex::default());
        let (tenant, other) = (TenantId::generate(), TenantId::generate());
        let slots: [BatchSlot<u32>; 4] = tokio::join!(
            write(&batcher, tenant, 1, &written),
            write(&batcher, tenant, 2, &written),
            write(&batcher, other, 7, &written),
            write(&batcher, tenant, 3, &written),
        )
        .into();
        for slot in slots {
            assert!(matches!(slot, BatchSlot::Written), "{slot:?}");
        }
        let mut written = written.into_inner().unwrap();
        written.sort();
        assert_eq!(written, [vec![1], vec![2, 3], vec![7]]);
    }

    #[tokio::test]
    async fn deliveries_of_a_failed_batch_are_written_alone() {
        let (batcher, written) = (DeliveryBatcher::default(), Mutex::default());
        let tenant = TenantId::generate();
        let (first, bad, other) = tokio::join!(
            write(&batcher, tenant, 1, &written),
            write(&batcher, tenant, 13, &written),
            write(&batcher, tenant, 3, &written),
        );
        assert!(matches!(first, BatchSlot::Written), "{first:?}");
        assert!(
            matches!((&bad, &other), (BatchSlot::Alone, BatchSlot::Alone)),
            "{bad:?} {other:?}"
        );
        assert_eq!(written.into_inner().unwrap(), [vec![1], vec![13, 3]]);
    }
}
