-- Deletes requests that were executed. One that was repeated meanwhile has another version and stays.
delete from pending_refetches r
using unnest($3::bigint[], $4::bigint[]) done (id, version)
where r.tenant_id = $1
  and r.kind = $2
  and r.id = done.id
  and r.version = done.version
