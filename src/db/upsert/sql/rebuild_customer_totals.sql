-- Customers without orders have totals too, so that lists in the order of the totals hold all customers.
insert into customer_totals (
  tenant_id, customer_id, orders, total_spent, first_order_at, first_order_day, last_order_at, version
)
select
  $1::uuid, c.id, coalesce(t.orders, 0), coalesce(t.total_spent, 0), o.first_order_at, o.first_order_day,
  o.last_order_at, $3::bigint
from (select id from customers where tenant_id = $1) c
left join (
  select customer_id, sum(orders) as orders, sum(total_sales) as total_spent
  from customer_days
  where tenant_id = $1 and currency = $2
  group by customer_id
) t on t.customer_id = c.id
left join (
  select
    customer_id, min(processed_at) as first_order_at, min(day) as first_order_day, max(processed_at) as last_order_at
  from orders
  where tenant_id = $1 and counted and customer_id is not null
  group by customer_id
) o on o.customer_id = c.id
on conflict do nothing
