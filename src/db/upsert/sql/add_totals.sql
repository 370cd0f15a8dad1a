-- Every customer and every product has totals, if only zeros: sorted lists read them.
insert into sales_totals (tenant_id, dimension, value_id, version)
select $1::uuid, $2::text, v.id, $4::bigint
from unnest($3::bigint[]) v(id)
order by v.id
on conflict (tenant_id, dimension, value_id) do nothing
