-- The orders of a batch that are new or different, as they are stored now. An order is left out if its hashes are equal, if
-- the stored version is newer, or if Shopify deleted it when or after it was fetched.
select
  b.id as "id!: OrderId",
  o.id is not null as "is_stored!",
  coalesce(o.children_hash = b.children_hash and o.deleted_at is null, false) as "only_row_differs!",
  o.customer_id as "customer?: CustomerId",
  o.currency as "currency?: Currency",
  o.processed_at as "processed_at?",
  coalesce(o.counted, false) as "is_counted!"
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[]) b(id, row_hash, children_hash, updated_at)
left join orders o on o.tenant_id = $1 and o.id = b.id
where not exists (
    select from tombstones t
    where t.tenant_id = $1 and t.kind = 'ORDERS' and t.id = b.id and t.deleted_at >= $6
  )
  and (
    o.id is null
    or (
      ((o.row_hash, o.children_hash) <> (b.row_hash, b.children_hash) or o.deleted_at is not null)
      and (o.deleted_at is null or o.deleted_at < $6)
      and (o.updated_at, o.synced_at) <= (b.updated_at, $6)
    )
  )
order by b.id
