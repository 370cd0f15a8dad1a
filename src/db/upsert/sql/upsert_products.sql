insert into products (
  tenant_id,
  id,
  title,
  status,
  vendor,
  product_type,
  created_at,
  updated_at,
  content_hash,
  synced_at
)
select
  $1::uuid,
  p.id,
  p.title,
  p.status,
  p.vendor,
  p.product_type,
  p.created_at,
  p.updated_at,
  p.content_hash,
  $3::timestamptz
from json_populate_recordset(null::products, $2::text::json) p
where not exists (
  select from tombstones t
  where t.tenant_id = $1 and t.kind = 'PRODUCTS' and t.id = p.id and t.deleted_at >= $3
)
order by p.id
on conflict (tenant_id, id) do update set
  title = excluded.title,
  status = excluded.status,
  vendor = excluded.vendor,
  product_type = excluded.product_type,
  created_at = excluded.created_at,
  updated_at = excluded.updated_at,
  content_hash = excluded.content_hash,
  synced_at = excluded.synced_at,
  deleted_at = null
where (products.content_hash <> excluded.content_hash or products.deleted_at is not null)
  and (products.deleted_at is null or products.deleted_at < excluded.synced_at)
  and (products.updated_at, products.synced_at) <= (excluded.updated_at, excluded.synced_at)
returning id
