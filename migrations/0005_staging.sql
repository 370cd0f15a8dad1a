-- The shapes of the staging tables. Rows from Shopify are copied into temporary tables made like these,
-- private to the connection that loads them, and joined into the store's tables from there. The tables here
-- stay empty (nobody may insert): they exist so that the statements over them are checked at compile time,
-- and a connection that forgot to make its own finds nothing.
create table staged_customers (
  id bigint not null,
  display_name text not null,
  email text,
  tags text[] not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  hash bigint not null
);
create table staged_products (
  id bigint not null,
  title text not null,
  status text not null,
  vendor text not null,
  product_type text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  hash bigint not null
);
create table staged_variants (
  product_id bigint not null,
  id bigint not null,
  title text not null,
  sku text,
  price numeric(20, 4) not null,
  position int not null,
  hash bigint not null
);
create table staged_orders (
  id bigint not null,
  name text not null,
  customer_id bigint,
  created_at timestamptz not null,
  processed_at timestamptz not null,
  updated_at timestamptz not null,
  cancelled_at timestamptz,
  test boolean not null,
  currency text not null,
  financial_status text,
  fulfillment_status text,
  source_name text,
  discount_codes text[] not null,
  tags text[] not null,
  total_price numeric(20, 4) not null,
  net_payment numeric(20, 4) not null,
  refunds jsonb not null,
  hash bigint not null
);
create table staged_line_items (
  order_id bigint not null,
  id bigint not null,
  title text not null,
  variant_title text,
  sku text,
  quantity int not null,
  current_quantity int not null,
  original_total numeric(20, 4) not null,
  discounted_total numeric(20, 4) not null,
  product_id bigint,
  variant_id bigint,
  hash bigint not null
);
create table staged_agreements (
  order_id bigint not null,
  gid text not null,
  happened_at timestamptz not null,
  reason text not null,
  hash bigint not null
);
create table staged_sales (
  agreement_gid text not null,
  gid text not null,
  action_type text not null,
  line_type text not null,
  quantity int,
  currency text not null,
  total numeric(20, 4) not null,
  tax numeric(20, 4) not null,
  discount numeric(20, 4) not null,
  line_item_id bigint,
  hash bigint not null
);
grant select on staged_customers, staged_products, staged_variants, staged_orders, staged_line_items, staged_agreements, staged_sales to xboard_app;
