insert into returning_customers (tenant_id, currency, day, previous_day, customers, version)
select $1::uuid, currency, day, previous_day, count(*), $2::bigint
from (
  select currency, day, lag(day) over (partition by customer_id, currency order by day) as previous_day
  from customer_days
  where tenant_id = $1 and orders > 0
) days
where previous_day is not null
group by currency, day, previous_day
on conflict do nothing
