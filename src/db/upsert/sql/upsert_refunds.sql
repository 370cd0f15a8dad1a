insert into refunds (tenant_id, order_id, id, processed_at, total_refunded)
select $1::uuid, r.order_id, r.id, r.processed_at, r.total_refunded
from json_populate_recordset(null::refunds, $2::text::json) r
on conflict (tenant_id, order_id, id) do update set
  processed_at = excluded.processed_at,
  total_refunded = excluded.total_refunded
where refunds.* is distinct from excluded.*
