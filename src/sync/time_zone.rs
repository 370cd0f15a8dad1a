//! Finds a name of the shop's time zone that PostgreSQL has, because PostgreSQL computes calendar days.

use super::SyncService;
use crate::db::DbError;
use crate::domain::shop::ShopRecord;
use crate::domain::time_zone::names_of;

impl SyncService {
    /// Sets the zone of the record to the first name that PostgreSQL has: the stored name, the shop's, or an alias.
    /// False: PostgreSQL has none of them.
    pub(super) async fn name_time_zone(
        &self,
        record: &mut ShopRecord,
        stored: Option<&str>,
    ) -> Result<bool, DbError> {
        let mut names = names_of(&record.time_zone);
        if let Some(position) = names.iter().position(|name| Some(name.as_str()) == stored) {
            let name = names.remove(position);
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
