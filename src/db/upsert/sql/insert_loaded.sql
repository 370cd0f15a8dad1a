insert into orders (
  tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, test, currency,
  financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, net_payment, has_product,
  row_hash, children_hash, synced_at
)
select
  tenant_id, id, name, customer_id, created_at, processed_at, updated_at, cancelled_at, day, test, currency,
  financial_status, fulfillment_status, source_name, discount_codes, tags, total_price, net_payment, has_product,
  row_hash, children_hash, synced_at
from loaded_orders
on conflict do nothing;
insert into line_items (
  tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, original_total, discounted_total,
  product_id, variant_id
)
select
  tenant_id, order_id, id, title, variant_title, sku, quantity, current_quantity, original_total, discounted_total,
  product_id, variant_id
from loaded_line_items
on conflict do nothing;
insert into refunds (tenant_id, order_id, id, processed_at, total_refunded)
select tenant_id, order_id, id, processed_at, total_refunded
from loaded_refunds
on conflict do nothing;
insert into sales (
  tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, quantity, currency, total,
  tax, discount, line_item_id, product_id, variant_id
)
select
  tenant_id, order_id, position, agreement, happened_at, day, reason, action_type, line_type, quantity, currency, total,
  tax, discount, line_item_id, product_id, variant_id
from loaded_sales
on conflict do nothing;
