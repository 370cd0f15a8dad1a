-- Writes the ledger of orders. A sale has the product and the variant of its line item, which must be written before. They
-- never go back to null: a stored sale of the same line keeps them.
insert into sales (
  tenant_id,
  order_id,
  position,
  agreement,
  happened_at,
  day,
  reason,
  action_type,
  line_type,
  quantity,
  currency,
  total,
  tax,
  discount,
  line_item_id,
  product_id,
  variant_id
)
select
  s.tenant_id,
  e.order_id,
  e.position,
  e.agreement,
  e.happened_at,
  (e.happened_at at time zone s.time_zone)::date,
  e.reason,
  e.action_type,
  e.line_type,
  e.quantity,
  e.currency,
  e.total,
  e.tax,
  e.discount,
  e.line_item_id,
  l.product_id,
  l.variant_id
from shops s
cross join json_populate_recordset(null::sales, $2::text::json) e
-- The limit makes PostgreSQL look each line item up by its key: it does not know how few sales the JSON holds.
left join lateral (
  select i.product_id, i.variant_id
  from line_items i
  where i.tenant_id = $1 and i.order_id = e.order_id and i.id = e.line_item_id
  limit 1
) l on true
where s.tenant_id = $1
on conflict (tenant_id, order_id, position) do update set
  agreement = excluded.agreement,
  happened_at = excluded.happened_at,
  day = excluded.day,
  reason = excluded.reason,
  action_type = excluded.action_type,
  line_type = excluded.line_type,
  quantity = excluded.quantity,
  currency = excluded.currency,
  total = excluded.total,
  tax = excluded.tax,
  discount = excluded.discount,
  line_item_id = excluded.line_item_id,
  product_id = case
    when sales.line_item_id = excluded.line_item_id then coalesce(excluded.product_id, sales.product_id)
    else excluded.product_id
  end,
  variant_id = case
    when sales.line_item_id = excluded.line_item_id then coalesce(excluded.variant_id, sales.variant_id)
    else excluded.variant_id
  end
where sales.* is distinct from excluded.*
