//! The user, tenant and role of each session in use.

use std::sync::{PoisonError, RwLock};

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use uuid::Uuid;

use crate::domain::ids::{TenantId, UserId};
use crate::domain::principal::Role;

const MAX_ENTRIES: u64 = 20_000;

/// A signed-in user's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The user who signed in.
    pub user: UserId,
    /// The tenant that the session may read.
    pub tenant: TenantId,
    /// The user's role in the tenant.
    pub role: Role,
    /// When the session ends if it is not prolonged. After this time the database is read again.
    pub expires_at: DateTime<Utc>,
}

#[derive(Debug)]
pub(super) struct Sessions {
    entries: Cache<Uuid, Session>,
    /// Increases with every change of access. Such changes are rare, so one counter serves all sessions. The lock
    /// keeps a change from falling between the check of a fill and its insertion.
    generation: RwLock<u64>,
}

impl Default for Sessions {
    fn default() -> Self {
        let entries = Cache::builder()
            .max_capacity(MAX_ENTRIES)
            .support_invalidation_closures()
            .build();
        Self {
            entries,
            generation: RwLock::default(),
        }
    }
}

impl Sessions {
    pub(super) fn generation(&self) -> u64 {
        *self
            .generation
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Session> {
        self.entries.get(&id)
    }

    /// Stores a session that was read in this generation, unless any access has changed since.
    pub(super) fn populate(&self, generation: u64, id: Uuid, session: Session) {
        let current = self
            .generation
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if *current == generation {
            self.entries.insert(id, session);
        }
    }

    /// Removes the sessions of this user, or of every member of this tenant, because the access has changed.
    pub(super) fn invalidate(&self, id: Uuid) {
        let mut generation = self
            .generation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        let affected = move |_: &Uuid, session: &Session| {
            session.user.uuid() == id || session.tenant.uuid() == id
        };
        // This fails only if the cache does not support closures. Then all sessions are removed.
        if self.entries.invalidate_entries_if(affected).is_err() {
            self.entries.invalidate_all();
        }
    }

    pub(super) fn clear(&self) {
        let mut generation = self
            .generation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *generation += 1;
        self.entries.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_was_read_before_a_change_of_access_is_not_cached_after_it() {
        let sessions = Sessions::default();
        let session = Session {
            user: UserId::generate(),
            tenant: TenantId::generate(),
            role: Role::Viewer,
            expires_at: DateTime::default(),
        };
        let id = Uuid::new_v4();
        let before = sessions.generation();
        sessions.invalidate(session.user.uuid());
        sessions.populate(before, id, session);
        assert_eq!(sessions.get(id), None);
        sessions.populate(sessions.generation(), id, session);
        assert_eq!(sessions.get(id), Some(session));
        sessions.invalidate(Uuid::new_v4());
        assert_eq!(sessions.get(id), Some(session));
        sessions.invalidate(session.tenant.uuid());
        assert_eq!(sessions.get(id), None);
    }
}
