-- Adds a delta to the three tables of customer counts. A null other_day is a second order that was never placed.
with delta as materialized (
  select kind, currency, day, coalesce(other_day, 'infinity') as other_day, customers
  from json_to_recordset($2::text::json) d(kind text, currency text, day date, other_day date, customers bigint)
), first_orders as (
  insert into first_order_counts (tenant_id, currency, day, first_order_day, customers, version)
  select $1::uuid, currency, day, other_day, customers, $3::bigint
  from delta where kind = 'FIRST_ORDER'
  on conflict (tenant_id, currency, day, first_order_day) do update set
    customers = first_order_counts.customers + excluded.customers,
    version = excluded.version
), repeat_orders as (
  insert into repeat_order_counts (tenant_id, currency, day, previous_day, customers, version)
  select $1::uuid, currency, day, other_day, customers, $3::bigint
  from delta where kind = 'REPEAT_ORDER'
  on conflict (tenant_id, currency, day, previous_day) do update set
    customers = repeat_order_counts.customers + excluded.customers,
    version = excluded.version
)
insert into second_order_counts (tenant_id, currency, day, second_order_day, customers, version)
select $1::uuid, currency, day, other_day, customers, $3::bigint
from delta where kind = 'SECOND_ORDER'
on conflict (tenant_id, currency, day, second_order_day) do update set
  customers = second_order_counts.customers + excluded.customers,
  version = excluded.version
