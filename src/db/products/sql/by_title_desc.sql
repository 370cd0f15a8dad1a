-- Products by title, descending: one page of the list.
-- No text is greater than all others. Without an upper end, a condition leaves the list open.
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
  and (p.title, p.id) > (coalesce($6, ''), coalesce($7::bigint, -1))
  and ($8::text is null or (p.title, p.id) < ($8, $9::bigint))
order by p.title desc, p.id desc
limit $10
