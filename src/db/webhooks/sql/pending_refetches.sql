select kind, id, deleted, version
from pending_refetches
where tenant_id = $1
order by requested_at, id
limit $2
