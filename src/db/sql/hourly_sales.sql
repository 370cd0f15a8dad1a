-- The figures of each hour of a range of days. Hours are counted from the beginning of their day.
with points as (
  select day::date as date, start
  from
    generate_series($3::date::timestamp, $4::date::timestamp, interval '1 day') day,
    generate_series(
      day_start(day::date, $5),
      day_start(day::date + 1, $5) - interval '1 microsecond',
      interval '1 hour'
    ) start
), contributions as (
  select *, date_bin('1 hour', happened_at, day_start(day, $5)) as start
  from sale_contributions
  where tenant_id = $1
    and currency = $2
    and day between $3 and $4
    and happened_at >= day_start($3, $5)
    and happened_at < day_start($4 + 1, $5)
), sums as (
  select
    start,
    sum(orders)::bigint as orders,
    sum(units_sold)::bigint as units_sold,
    sum(gross_sales) as gross_sales,
    sum(discounts) as discounts,
    sum(returns) as returns,
    sum(shipping) as shipping,
    sum(taxes) as taxes,
    sum(duties) as duties,
    sum(fees) as fees,
    sum(order_value) as order_value
  from contributions
  group by start
), customers as (
  select
    o.start,
    count(*) as customers,
    count(*) filter (
      where t.first_order_day = o.day and date_bin('1 hour', t.first_order_at, o.start) = o.start
    ) as new_customers,
    -- All customers, except those whose only order in the hour is their first ever.
    count(*) - count(*) filter (
      where o.orders = 1 and t.first_order_currency = $2 and t.first_order_at = o.placed_at
    ) as returning_customers
  from (
    select start, day, customer_id, count(*) as orders, min(happened_at) as placed_at
    from contributions
    where orders > 0 and customer_id is not null
    group by start, day, customer_id
  ) o
  left join sales_totals t on t.tenant_id = $1 and t.dimension = 'CUSTOMER' and t.value_id = o.customer_id
  group by o.start
)
select
  points.date as "date!",
  points.start as "start!",
  sums.orders,
  sums.units_sold,
  sums.gross_sales,
  sums.discounts,
  sums.returns,
  sums.shipping,
  sums.taxes,
  sums.duties,
  sums.fees,
  sums.order_value,
  coalesce(customers.customers, 0) as "customers!",
  coalesce(customers.new_customers, 0) as "new_customers!",
  coalesce(customers.returning_customers, 0) as "returning_customers!"
from points
left join sums on sums.start = points.start
left join customers on customers.start = points.start
order by points.start
