-- The sales in a range of days of every customer whose totals changed between two versions.
select
  t.value_id as "customer: CustomerId",
  coalesce(sum(r.gross_sales - r.discounts - r.returns + r.shipping + r.taxes + r.duties + r.fees), 0) as "total_spent!",
  coalesce(sum(r.orders), 0)::bigint as "orders!"
from (
  select value_id from sales_totals
  where tenant_id = $1 and dimension = 'CUSTOMER' and version > $5 and version <= $7
  limit $6
) t
left join sales_rollups r
  on r.tenant_id = $1 and r.dimension = 'CUSTOMER' and r.value_id = t.value_id
    and r.currency = $2 and r.day between $3 and $4
group by t.value_id
