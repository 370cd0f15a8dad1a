-- The list of customers by their last order puts those without one at the end. A keyset page seeks by row
-- comparison, which no index on a nullable column can serve, so the index holds -infinity for "never".
drop index customer_totals_last;
create index customer_totals_last on customer_totals
  (tenant_id, (coalesce(last_order_at, '-infinity'::timestamptz)) desc, customer_id desc);
