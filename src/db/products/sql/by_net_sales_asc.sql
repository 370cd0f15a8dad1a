-- Products by net sales, ascending: one page of the list.
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
  and (t.net_sales, t.value_id) > (coalesce($6, '-infinity'::numeric), coalesce($7::bigint, -1))
  and (t.net_sales, t.value_id) < (coalesce($8, 'infinity'::numeric), coalesce($9::bigint, -1))
order by t.net_sales, t.value_id
limit $10
