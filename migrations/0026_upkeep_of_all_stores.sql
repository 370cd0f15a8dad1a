-- The upkeep is for disconnected stores too: what is kept of old deliveries and of the audit log goes there as well.
-- Code that does not know this yet finds its connected stores by the same index.
drop index tenants_upkeep;
create index tenants_upkeep on tenants (next_upkeep_at);
