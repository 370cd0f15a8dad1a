-- The first and the last order of customers cannot be added up: they are looked up, by index. Where clocks go back over
-- midnight, an order of the day before may be placed after the first order, so all orders of the next 25 hours are compared.
insert into sales_totals (
  tenant_id,
  dimension,
  value_id,
  first_order_at,
  first_order_day,
  first_order_currency,
  last_order_at,
  version
)
select
  $1::uuid,
  'CUSTOMER',
  c.id,
  earliest.processed_at,
  first.day,
  first.currency,
  latest.processed_at,
  $3::bigint
from unnest($2::bigint[]) c(id)
left join lateral (
  select o.processed_at from orders o
  where o.tenant_id = $1 and o.customer_id = c.id and o.counted
  order by o.processed_at limit 1
) earliest on true
left join lateral (
  select o.day, o.currency from orders o
  where o.tenant_id = $1 and o.customer_id = c.id and o.counted
    and o.processed_at between earliest.processed_at and earliest.processed_at + interval '25 hours'
  order by o.day, o.processed_at, o.id limit 1
) first on true
left join lateral (
  select o.processed_at from orders o
  where o.tenant_id = $1 and o.customer_id = c.id and o.counted
  order by o.processed_at desc limit 1
) latest on true
on conflict (tenant_id, dimension, value_id) do update set
  first_order_at = excluded.first_order_at,
  first_order_day = excluded.first_order_day,
  first_order_currency = excluded.first_order_currency,
  last_order_at = excluded.last_order_at,
  version = excluded.version
