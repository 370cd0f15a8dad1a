-- In the order of the days, so that the rows of a range of days lie together.
insert into customer_days (tenant_id, currency, day, customer_id, orders, total_sales)
select
  $1::uuid, currency, day, customer_id, sum(orders),
  sum(gross_sales - discounts - returns + shipping + taxes + duties + fees)
from sale_figures
where tenant_id = $1 and customer_id is not null
group by currency, day, customer_id
order by day, customer_id, currency
on conflict do nothing
