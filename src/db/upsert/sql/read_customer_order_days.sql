-- The days on which customers placed orders, by currency, from the rollup.
select
  r.value_id as "customer: CustomerId",
  r.currency as "currency: Currency",
  r.day,
  r.orders,
  coalesce(r.currency = t.first_order_currency, false) as "is_first_currency!"
from sales_rollups r
left join lateral (
  select s.first_order_currency
  from sales_totals s
  where s.tenant_id = $1 and s.dimension = 'CUSTOMER' and s.value_id = r.value_id
  limit 1
) t on true
where r.tenant_id = $1 and r.dimension = 'CUSTOMER' and r.value_id = any($2) and r.orders > 0
