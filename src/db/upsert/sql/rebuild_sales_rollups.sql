-- The columns of the function are those of the table, in order.
insert into sales_rollups
select r.*, $2::bigint
from recomputed_sales_rollups($1) r
on conflict (tenant_id, dimension, currency, day, value_id) do nothing
