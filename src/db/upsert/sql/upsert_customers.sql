-- Personal fields of a redacted customer stay empty.
insert into customers (
  tenant_id,
  id,
  display_name,
  email,
  tags,
  created_at,
  updated_at,
  content_hash,
  synced_at
)
select
  $1::uuid,
  c.id,
  case when redaction.is_redacted then '' else c.display_name end,
  case when redaction.is_redacted then null else c.email end,
  case when redaction.is_redacted then '{}' else c.tags end,
  c.created_at,
  c.updated_at,
  c.content_hash,
  $3::timestamptz
from json_populate_recordset(null::customers, $2::text::json) c
cross join lateral (
  select exists (
    select from privacy_requests p
    where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION' and p.customer_id = c.id
  ) as is_redacted
) redaction
where not exists (
  select from tombstones t
  where t.tenant_id = $1 and t.kind = 'CUSTOMERS' and t.id = c.id and t.deleted_at >= $3
)
order by c.id
on conflict (tenant_id, id) do update set
  display_name = excluded.display_name,
  email = excluded.email,
  tags = excluded.tags,
  created_at = excluded.created_at,
  updated_at = excluded.updated_at,
  content_hash = excluded.content_hash,
  synced_at = excluded.synced_at,
  deleted_at = null
where (customers.content_hash <> excluded.content_hash or customers.deleted_at is not null)
  and customers.redacted_at is null
  and (customers.deleted_at is null or customers.deleted_at < excluded.synced_at)
  and (
    customers.updated_at is null
    or (customers.updated_at, customers.synced_at) <= (excluded.updated_at, excluded.synced_at)
  )
returning id
