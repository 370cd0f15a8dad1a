insert into daily_sales (
  tenant_id, currency, day, orders, units_sold, gross_sales, discounts, returns, shipping, taxes, duties, fees,
  placed_sales, version
)
select
  $1::uuid, currency, day, sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), sum(shipping),
  sum(taxes), sum(duties), sum(fees), sum(placed_sales), $2::bigint
from sale_figures
where tenant_id = $1
group by currency, day
on conflict do nothing
