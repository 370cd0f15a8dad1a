insert into product_totals (tenant_id, product_id, units_sold, net_sales)
select $1::uuid, coalesce(p.id, f.product_id), coalesce(f.units_sold, 0), coalesce(f.net_sales, 0)
from (select id from products where tenant_id = $1) p
full join (
  select product_id, sum(units_sold) as units_sold, sum(gross_sales - discounts - returns) as net_sales
  from sale_figures
  where tenant_id = $1 and product_id is not null and currency = $2
  group by product_id
) f on f.product_id = p.id
on conflict do nothing
