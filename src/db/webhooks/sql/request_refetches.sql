-- Requests objects to be fetched again. An object that waits already stays where it is in the queue, so that an
-- object that changes all the time is fetched too; its new version keeps it there if it is being fetched now.
insert into pending_refetches (tenant_id, kind, id, deleted, requested_at)
select $1, r.kind, r.id, r.deleted, $5
from unnest($2::text[], $3::bigint[], $4::boolean[]) r (kind, id, deleted)
on conflict (tenant_id, kind, id) do update set
  deleted = pending_refetches.deleted or excluded.deleted,
  version = pending_refetches.version + 1
