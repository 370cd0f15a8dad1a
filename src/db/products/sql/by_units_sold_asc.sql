-- Products by units sold, ascending: one page of the list.
select
  p.id as "id: ProductId",
  p.title,
  p.status,
  p.vendor,
  p.product_type,
  t.units_sold,
  t.net_sales
from products p
join sales_totals t on t.tenant_id = p.tenant_id and t.dimension = 'PRODUCT' and t.value_id = p.id
where p.tenant_id = $1
  and t.tenant_id = $1
  and p.deleted_at is null
  and ($2::text is null or p.title ilike $2)
  and ($3::text is null or p.status = $3)
  and ($4::text is null or p.vendor = $4)
  and ($5::text is null or p.product_type = $5)
  and (t.units_sold, t.value_id) > (coalesce($6::bigint, -9223372036854775808), coalesce($7::bigint, -1))
  and (t.units_sold, t.value_id) < (coalesce($8::bigint, 9223372036854775807), coalesce($9::bigint, -1))
order by t.units_sold, t.value_id
limit $10
