select kind, id, deleted, version
from webhook_hints
where tenant_id = $1
order by heard_at, id
limit $2
