-- The product and the variant of a line never go back to null: Shopify sends null once they are deleted.
insert into line_items (
  tenant_id,
  order_id,
  id,
  title,
  variant_title,
  sku,
  quantity,
  current_quantity,
  original_total,
  discounted_total,
  product_id,
  variant_id
)
select
  $1::uuid,
  l.order_id,
  l.id,
  l.title,
  l.variant_title,
  l.sku,
  l.quantity,
  l.current_quantity,
  l.original_total,
  l.discounted_total,
  l.product_id,
  l.variant_id
from json_populate_recordset(null::line_items, $2::text::json) l
on conflict (tenant_id, order_id, id) do update set
  title = excluded.title,
  variant_title = excluded.variant_title,
  sku = excluded.sku,
  quantity = excluded.quantity,
  current_quantity = excluded.current_quantity,
  original_total = excluded.original_total,
  discounted_total = excluded.discounted_total,
  product_id = coalesce(excluded.product_id, line_items.product_id),
  variant_id = coalesce(excluded.variant_id, line_items.variant_id)
where line_items.* is distinct from excluded.*
