-- Deletes the refunds of these orders that Shopify no longer has.
delete from refunds r
where r.tenant_id = $1
  and r.order_id = any($2)
  and not exists (
    select from unnest($3::bigint[], $4::bigint[]) present(order_id, id)
    where present.order_id = r.order_id and present.id = r.id
  )
