-- Orders by total price, descending: one page of the list.
select
  o.id as "id: OrderId",
  o.name,
  o.customer_id as "customer_id: CustomerId",
  o.processed_at,
  o.cancelled_at,
  o.financial_status,
  o.fulfillment_status,
  o.source_name,
  o.discount_codes,
  o.tags,
  o.test,
  o.currency as "currency: Currency",
  o.total_price,
  o.net_payment
from orders o
where o.tenant_id = $1
  and o.deleted_at is null
  and ($2::date is null or o.processed_at >= day_start($2, $4))
  and ($3::date is null or o.processed_at < day_start($3 + 1, $4))
  and ($5::text[] is null or o.financial_status = any($5))
  and ($6::bigint is null or o.customer_id = $6)
  and (
    $7::bigint is null
    or exists (
      select from line_items l
      where l.tenant_id = $1 and l.product_id = $7 and l.order_id = o.id
    )
  )
  and ($8::boolean is null or (o.cancelled_at is not null) = $8)
  and (
    $9::text is null
    or o.name ilike $9
    or exists (
      select from customers c
      where c.tenant_id = $1
        and c.id = o.customer_id
        and (c.display_name ilike $9 or c.email ilike $9)
    )
  )
  and (o.total_price, o.id) > (coalesce($10, '-infinity'::numeric), coalesce($11::bigint, -1))
  and (o.total_price, o.id) < (coalesce($12, 'infinity'::numeric), coalesce($13::bigint, -1))
order by o.total_price desc, o.id desc
limit $14
