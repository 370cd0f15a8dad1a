insert into first_customers (tenant_id, currency, day, first_order_day, customers, version)
select $1::uuid, currency, day, first_order_day, count(*), $2::bigint
from (
  select currency, min(day) as day, min(min(day)) over (partition by customer_id) as first_order_day
  from customer_days
  where tenant_id = $1 and orders > 0
  group by currency, customer_id
) firsts
group by currency, day, first_order_day
on conflict do nothing
