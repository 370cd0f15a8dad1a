select count(*) as "count!"
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
