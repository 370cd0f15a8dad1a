-- The customers with the highest sales in a range of days.
select
  value_id as "customer!: CustomerId",
  total_spent as "total_spent!",
  orders as "orders!"
from (
  select
    value_id,
    sum(gross_sales - discounts - returns + shipping + taxes + duties + fees) as total_spent,
    sum(orders)::bigint as orders
  from sales_rollups
  where tenant_id = $1 and dimension = 'CUSTOMER' and currency = $2 and day between $3 and $4
  group by value_id
) customers
where orders > 0 or total_spent > 0
order by total_spent desc, value_id desc
limit $5
