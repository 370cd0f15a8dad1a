-- The columns of the view are those of the table, in order.
insert into sales_totals
select t.*, $2::bigint
from recomputed_sales_totals t
where t.tenant_id = $1
on conflict (tenant_id, dimension, value_id) do nothing
