//! What the sessions that were seen may do.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal::Role;

/// How many sessions are remembered; then all are forgotten, and learnt again as they are seen.
const MAX_ENTRIES: usize = 20_000;

/// What is remembered of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// The store it speaks for.
    pub tenant: TenantId,
    /// The user's role in the shop.
    pub role: Role,
    /// When it ends at the latest, unless it is prolonged: then the database has to be asked.
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug, Default)]
pub(super) struct Principals {
    sessions: Mutex<HashMap<Uuid, Session>>,
    /// Moves with every change of anybody's access. Such changes are rare: one number serves all.
    generation: AtomicU64,
}

impl Principals {
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn known(&self, id: Uuid) -> Option<Session> {
        self.sessions().get(&id).copied()
    }

    pub(super) fn learn(&self, generation: u64, id: Uuid, session: Session) {
        let mut sessions = self.sessions();
        // Under the lock that forgetting takes too: what was read before a change is not kept after it.
        if generation == self.generation() {
            if sessions.len() >= MAX_ENTRIES {
                sessions.clear();
            }
            sessions.insert(id, session);
        }
    }

    /// What this user, or anybody in this tenant, may do has changed.
    pub(super) fn forget(&self, id: Uuid) {
        let mut sessions = self.sessions();
        self.generation.fetch_add(1, Ordering::AcqRel);
        sessions.retain(|_, session| session.user.uuid() != id && session.tenant.uuid() != id);
    }

    pub(super) fn clear(&self) {
        let mut sessions = self.sessions();
        self.generation.fetch_add(1, Ordering::AcqRel);
        sessions.clear();
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Uuid, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_change_of_access_is_not_kept_after_it() {
        let principals = Principals::default();
        let session = Session {
            user: UserId::generate(),
            tenant: TenantId::generate(),
            role: Role::Viewer,
            expires_at: DateTime::default(),
        };
        let id = Uuid::new_v4();
        let before = principals.generation();
        principals.forget(session.user.uuid());
        principals.learn(before, id, session);
        assert_eq!(principals.known(id), None);
        principals.learn(principals.generation(), id, session);
        assert_eq!(principals.known(id), Some(session));
        principals.forget(Uuid::new_v4());
        assert_eq!(principals.known(id), Some(session));
        principals.forget(session.tenant.uuid());
        assert_eq!(principals.known(id), None);
    }
}
