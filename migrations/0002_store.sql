-- A store's objects, as Shopify last told them. Ids are Shopify's own numbers, unique only inside one
-- store, so every key begins with the tenant. Objects that Shopify deleted keep their row with deleted_at:
-- the tombstone stops a page that was fetched before the deletion from bringing them back.
-- content_hash tells an unchanged object from a changed one; synced_at is when Shopify was asked.
create table shops (
  tenant_id uuid primary key,
  shop_gid text not null,
  domain text not null,
  name text not null,
  currency text not null,
  time_zone text not null,
  scopes text[] not null,
  status text not null check (status in ('CONNECTED', 'REAUTHORISATION_NEEDED', 'SUSPENDED', 'DISCONNECTED')),
  status_reason text,
  order_history_days int,
  customers_cursor timestamptz,
  products_cursor timestamptz,
  orders_cursor timestamptz,
  last_synced_at timestamptz,
  data_version bigint not null default 0,
  connected_at timestamptz not null
);
comment on column shops.order_history_days is 'How many days of orders Shopify shows this app; null: all of them (scope read_all_orders).';
comment on column shops.data_version is 'Moves with every committed change of the store''s figures or objects.';

create table shop_credentials (
  tenant_id uuid primary key,
  kind text not null check (kind in ('ACCESS_TOKEN', 'CLIENT_CREDENTIALS')),
  sealed bytea not null,
  sealed_access_token bytea,
  access_token_expires_at timestamptz,
  updated_at timestamptz not null
);
comment on column shop_credentials.sealed is 'AES-256-GCM, key id in the first byte, the tenant id as associated data.';

create table customers (
  tenant_id uuid not null,
  id bigint not null,
  display_name text not null,
  email text,
  tags text[] not null,
  created_at timestamptz,
  updated_at timestamptz,
  content_hash bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  primary key (tenant_id, id)
);
comment on column customers.updated_at is 'Null: known only because an order names the customer.';

create table products (
  tenant_id uuid not null,
  id bigint not null,
  title text not null,
  status text not null,
  vendor text not null,
  product_type text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  content_hash bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  primary key (tenant_id, id)
);
create index products_title on products (tenant_id, title, id) where deleted_at is null;

create table product_variants (
  tenant_id uuid not null,
  product_id bigint not null,
  id bigint not null,
  title text not null,
  sku text,
  price numeric(20, 4) not null,
  position int not null,
  primary key (tenant_id, product_id, id)
);

create table orders (
  tenant_id uuid not null,
  id bigint not null,
  name text not null,
  customer_id bigint,
  created_at timestamptz not null,
  processed_at timestamptz not null,
  updated_at timestamptz not null,
  cancelled_at timestamptz,
  day date not null,
  test boolean not null,
  currency text not null,
  financial_status text,
  fulfillment_status text,
  source_name text,
  discount_codes text[] not null,
  tags text[] not null,
  total_price numeric(20, 4) not null,
  net_payment numeric(20, 4) not null,
  has_product boolean not null,
  content_hash bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  counted boolean not null generated always as (has_product and not test and deleted_at is null) stored,
  primary key (tenant_id, id)
);
comment on column orders.day is 'processed_at as a calendar day of the shop''s time zone.';
comment on column orders.counted is 'Whether the order is one in the figure "orders": not test, not deleted, at least one PRODUCT line.';
create index orders_processed on orders (tenant_id, processed_at desc, id desc) where deleted_at is null;
create index orders_total on orders (tenant_id, total_price desc, id desc) where deleted_at is null;
create index orders_customer on orders (tenant_id, customer_id, processed_at) where customer_id is not null;

create table line_items (
  tenant_id uuid not null,
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
  primary key (tenant_id, order_id, id)
);
create index line_items_product on line_items (tenant_id, product_id, order_id) where product_id is not null;

create table refunds (
  tenant_id uuid not null,
  order_id bigint not null,
  id bigint not null,
  processed_at timestamptz not null,
  total_refunded numeric(20, 4) not null,
  primary key (tenant_id, order_id, id)
);

create table tombstones (
  tenant_id uuid not null,
  kind text not null check (kind in ('CUSTOMERS', 'PRODUCTS', 'ORDERS')),
  id bigint not null,
  deleted_at timestamptz not null,
  primary key (tenant_id, kind, id)
);
comment on table tombstones is 'Objects that were deleted before they were ever stored: an answer from before the deletion must not bring them in.';
