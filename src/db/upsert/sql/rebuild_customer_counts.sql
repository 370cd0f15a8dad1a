with counts as materialized (
  select kind, currency, day, other_day, customers
  from recomputed_customer_counts
  where tenant_id = $1
), first_orders as (
  insert into first_order_counts (tenant_id, currency, day, first_order_day, customers, version)
  select $1::uuid, currency, day, other_day, customers, $2::bigint
  from counts where kind = 'FIRST_ORDER'
  on conflict (tenant_id, currency, day, first_order_day) do nothing
), repeat_orders as (
  insert into repeat_order_counts (tenant_id, currency, day, previous_day, customers, version)
  select $1::uuid, currency, day, other_day, customers, $2::bigint
  from counts where kind = 'REPEAT_ORDER'
  on conflict (tenant_id, currency, day, previous_day) do nothing
)
insert into second_order_counts (tenant_id, currency, day, second_order_day, customers, version)
select $1::uuid, currency, day, other_day, customers, $2::bigint
from counts where kind = 'SECOND_ORDER'
on conflict (tenant_id, currency, day, second_order_day) do nothing
