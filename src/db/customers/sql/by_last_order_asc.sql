-- Customers by last order, ascending: one page of the list.
-- Customers without an order have the smallest key. An upper end without an id leaves the list open.
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
  and (coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id)
    > (coalesce($6, '-infinity'::timestamptz), coalesce($7::bigint, -1))
  and (coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id)
    < (
      case when $9::bigint is null then 'infinity' else coalesce($8, '-infinity'::timestamptz) end,
      coalesce($9, -1)
    )
order by coalesce(t.last_order_at, '-infinity'::timestamptz), t.value_id
limit $10
