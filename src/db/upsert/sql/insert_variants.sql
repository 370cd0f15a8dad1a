insert into product_variants (tenant_id, product_id, id, title, sku, price, position)
select $1::uuid, v.product_id, v.id, v.title, v.sku, v.price, v.position
from json_populate_recordset(null::product_variants, $2::text::json) v
on conflict (tenant_id, product_id, id) do nothing
