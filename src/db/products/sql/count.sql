select count(*) as "count!"
from products p
join sales_totals t on t.tenant_id = p.tenant_id and t.dimension = 'PRODUCT' and t.value_id = p.id
where p.tenant_id = $1
  and t.tenant_id = $1
  and p.deleted_at is null
  and ($2::text is null or p.title ilike $2)
  and ($3::text is null or p.status = $3)
  and ($4::text is null or p.vendor = $4)
  and ($5::text is null or p.product_type = $5)
