-- Customers by number of orders, descending: one page of the list.
select
  c.id as "id: CustomerId",
  c.display_name,
  c.email,
  c.tags,
  c.created_at,
  t.orders,
  t.total_sales as total_spent,
  t.first_order_at,
  t.last_order_at
from sales_totals t
join customers c on c.tenant_id = t.tenant_id and c.id = t.value_id
where t.tenant_id = $1
  and t.dimension = 'CUSTOMER'
  and c.tenant_id = $1
  and c.deleted_at is null
  and ($3::text is null or c.display_name ilike $3 or c.email ilike $3)
  and ($4::bigint is null or t.orders >= $4)
  and ($5::date is null or t.last_order_at < day_start($5, $2))
  and (t.orders, t.value_id) > (coalesce($6::bigint, -9223372036854775808), coalesce($7::bigint, -1))
  and (t.orders, t.value_id) < (coalesce($8::bigint, 9223372036854775807), coalesce($9::bigint, -1))
order by t.orders desc, t.value_id desc
limit $10
