select count(*) as "count!"
from sales_totals t
join customers c on c.tenant_id = t.tenant_id and c.id = t.value_id
where t.tenant_id = $1
  and t.dimension = 'CUSTOMER'
  and c.tenant_id = $1
  and c.deleted_at is null
  and ($3::text is null or c.display_name ilike $3 or c.email ilike $3)
  and ($4::bigint is null or t.orders >= $4)
  and ($5::date is null or t.last_order_at < day_start($5, $2))
