//! The store's time zone, under a name that PostgreSQL knows: calendar days are its work.

use super::SyncService;
use crate::db::DbError;
use crate::domain::shop::ShopRecord;
use crate::domain::time_zone::names_of;

impl SyncService {
    /// Calls the zone by the name that is kept of it, else by the store's, else by another one that it has: by the
    /// first of them that PostgreSQL knows. Whether it knows one.
    pub(super) async fn name_time_zone(
        &self,
        record: &mut ShopRecord,
        kept: Option<&str>,
    ) -> Result<bool, DbError> {
        let mut names = names_of(&record.time_zone);
        if let Some(place) = names.iter().position(|name| Some(name.as_str()) == kept) {
            let name = names.remove(place);
            names.insert(0, name);
        }
        let known = self.database.known_time_zone(&names).await?;
        let is_known = known.is_some();
        if let Some(name) = known {
            record.time_zone = name;
        }
        Ok(is_known)
    }
}
