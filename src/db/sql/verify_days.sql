-- Compares the stored days of orders and sales with their instants in the shop's time zone, and whether an order holds a
-- product with its sales.
with derived as (
  select
    'sales' as "table",
    'the day of sale ' || l.order_id || '/' || l.position as subject,
    l.day::text as stored,
    (l.happened_at at time zone s.time_zone)::date::text as recomputed
  from sales l
  join shops s on s.tenant_id = l.tenant_id
  where l.tenant_id = $1
  union all
  select
    'orders',
    'the day of order ' || o.id,
    o.day::text,
    (o.processed_at at time zone s.time_zone)::date::text
  from orders o
  join shops s on s.tenant_id = o.tenant_id
  where o.tenant_id = $1 and o.deleted_at is null
  union all
  select
    'orders',
    'whether order ' || o.id || ' holds a product',
    o.has_product::text,
    (exists (
      select from sales l
      where l.tenant_id = $1 and l.order_id = o.id and l.line_type = 'PRODUCT'
    ))::text
  from orders o
  where o.tenant_id = $1 and o.deleted_at is null
)
select
  "table" as "table!",
  subject as "subject!",
  stored as "stored!",
  recomputed as "recomputed!"
from derived
where stored <> recomputed
order by subject
limit $2
