-- Deletes the line items of these orders that Shopify no longer has.
delete from line_items l
where l.tenant_id = $1
  and l.order_id = any($2)
  and not exists (
    select from unnest($3::bigint[], $4::bigint[]) present(order_id, id)
    where present.order_id = l.order_id and present.id = l.id
  )
