-- Adds a delta (new contributions - old contributions) to the rollups, and to the totals in the current currency.
with delta as materialized (
  select * from json_populate_recordset(null::sales_rollups, $2::text::json)
), totals as (
  insert into sales_totals (
    tenant_id,
    dimension,
    value_id,
    orders,
    units_sold,
    gross_sales,
    discounts,
    returns,
    shipping,
    taxes,
    duties,
    fees,
    order_value,
    version
  )
  select
    $1::uuid,
    dimension,
    value_id,
    sum(orders),
    sum(units_sold),
    sum(gross_sales),
    sum(discounts),
    sum(returns),
    sum(shipping),
    sum(taxes),
    sum(duties),
    sum(fees),
    sum(order_value),
    $3::bigint
  from delta
  where dimension <> 'SHOP' and currency = $4
  group by dimension, value_id
  on conflict (tenant_id, dimension, value_id) do update set
    orders = sales_totals.orders + excluded.orders,
    units_sold = sales_totals.units_sold + excluded.units_sold,
    gross_sales = sales_totals.gross_sales + excluded.gross_sales,
    discounts = sales_totals.discounts + excluded.discounts,
    returns = sales_totals.returns + excluded.returns,
    shipping = sales_totals.shipping + excluded.shipping,
    taxes = sales_totals.taxes + excluded.taxes,
    duties = sales_totals.duties + excluded.duties,
    fees = sales_totals.fees + excluded.fees,
    order_value = sales_totals.order_value + excluded.order_value,
    version = excluded.version
)
insert into sales_rollups (
  tenant_id,
  dimension,
  currency,
  day,
  value_id,
  orders,
  units_sold,
  gross_sales,
  discounts,
  returns,
  shipping,
  taxes,
  duties,
  fees,
  order_value,
  version
)
select
  $1::uuid,
  dimension,
  currency,
  day,
  value_id,
  orders,
  units_sold,
  gross_sales,
  discounts,
  returns,
  shipping,
  taxes,
  duties,
  fees,
  order_value,
  $3::bigint
from delta
on conflict (tenant_id, dimension, currency, day, value_id) do update set
  orders = sales_rollups.orders + excluded.orders,
  units_sold = sales_rollups.units_sold + excluded.units_sold,
  gross_sales = sales_rollups.gross_sales + excluded.gross_sales,
  discounts = sales_rollups.discounts + excluded.discounts,
  returns = sales_rollups.returns + excluded.returns,
  shipping = sales_rollups.shipping + excluded.shipping,
  taxes = sales_rollups.taxes + excluded.taxes,
  duties = sales_rollups.duties + excluded.duties,
  fees = sales_rollups.fees + excluded.fees,
  order_value = sales_rollups.order_value + excluded.order_value,
  version = excluded.version
