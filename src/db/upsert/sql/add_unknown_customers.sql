-- Customers that only an order names: an order may come before its customer, or outlive it.
insert into customers (tenant_id, id, display_name, tags, content_hash, synced_at)
select $1::uuid, c.id, '', '{}', 0, $3::timestamptz
from unnest($2::bigint[]) c(id)
order by c.id
on conflict (tenant_id, id) do nothing
returning id
