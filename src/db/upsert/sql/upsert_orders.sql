-- Writes the orders' own rows. Tags of a redacted order or customer stay empty.
insert into orders (
  tenant_id,
  id,
  name,
  customer_id,
  created_at,
  processed_at,
  updated_at,
  cancelled_at,
  day,
  test,
  currency,
  financial_status,
  fulfillment_status,
  source_name,
  discount_codes,
  tags,
  total_price,
  net_payment,
  has_product,
  row_hash,
  children_hash,
  synced_at
)
select
  s.tenant_id,
  o.id,
  o.name,
  o.customer_id,
  o.created_at,
  o.processed_at,
  o.updated_at,
  o.cancelled_at,
  (o.processed_at at time zone s.time_zone)::date,
  o.test,
  o.currency,
  o.financial_status,
  o.fulfillment_status,
  o.source_name,
  o.discount_codes,
  case when exists (
    select from privacy_requests p
    where p.tenant_id = $1 and p.kind = 'CUSTOMER_REDACTION'
      and (p.customer_id = o.customer_id or o.id = any(p.order_ids))
  ) then '{}' else o.tags end,
  o.total_price,
  o.net_payment,
  o.has_product,
  o.row_hash,
  o.children_hash,
  $3::timestamptz
from shops s
cross join json_populate_recordset(null::orders, $2::text::json) o
where s.tenant_id = $1
on conflict (tenant_id, id) do update set
  name = excluded.name,
  customer_id = excluded.customer_id,
  created_at = excluded.created_at,
  processed_at = excluded.processed_at,
  updated_at = excluded.updated_at,
  cancelled_at = excluded.cancelled_at,
  day = excluded.day,
  test = excluded.test,
  currency = excluded.currency,
  financial_status = excluded.financial_status,
  fulfillment_status = excluded.fulfillment_status,
  source_name = excluded.source_name,
  discount_codes = excluded.discount_codes,
  tags = excluded.tags,
  total_price = excluded.total_price,
  net_payment = excluded.net_payment,
  has_product = excluded.has_product,
  row_hash = excluded.row_hash,
  children_hash = excluded.children_hash,
  synced_at = excluded.synced_at,
  deleted_at = null
returning day
