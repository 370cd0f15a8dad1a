-- A shop and its objects, in their latest fetched state.
--
-- Ids are Shopify's numbers, unique within one shop only, so every key starts with the tenant. An object that
-- Shopify deleted keeps its row with deleted_at: a page fetched before the deletion must not bring it back.
-- Hashes of the content detect unchanged objects; synced_at is the time of the request to Shopify.

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
  rebuilt_version bigint not null default 0,
  rollups_pending boolean not null default false,
  customers bigint not null default 0,
  connected_at timestamptz not null
);
comment on column shops.order_history_days is 'How many days of orders Shopify shows this app; null: all (scope read_all_orders).';
comment on column shops.data_version is 'Increases with every committed change of the shop''s objects, figures or own record.';
comment on column shops.rebuilt_version is 'The data_version of the last full rebuild of the rollups. A cache filled at a lower version reads everything again.';
comment on column shops.rollups_pending is 'The initial backfill is running: orders are stored, but the rollups are built only at its end.';
comment on column shops.customers is 'Number of customers that are not deleted, maintained by every writer because counting a large shop''s customers takes longer than a dashboard.';

create table shop_credentials (
  tenant_id uuid primary key,
  kind text not null check (kind in ('ACCESS_TOKEN', 'CLIENT_CREDENTIALS', 'OAUTH')),
  sealed bytea not null,
  sealed_access_token bytea,
  access_token_expires_at timestamptz,
  sealed_previous bytea,
  replaced_at timestamptz,
  updated_at timestamptz not null
);
comment on column shop_credentials.sealed is 'Encrypted with AES-256-GCM: key id in the first byte, the tenant id as associated data.';
comment on column shop_credentials.sealed_previous is 'The secret before the last replacement: Shopify signs webhooks with the old secret for a while.';

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
  redacted_at timestamptz,
  primary key (tenant_id, id)
);
comment on column customers.updated_at is 'Null: never fetched; only an order refers to the customer.';
comment on column customers.redacted_at is 'When personal fields were erased. Later fetches do not restore them.';

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
  row_hash bigint not null,
  children_hash bigint not null,
  synced_at timestamptz not null,
  deleted_at timestamptz,
  counted boolean not null generated always as (has_product and not test and deleted_at is null) stored,
  primary key (tenant_id, id)
);
comment on column orders.day is 'processed_at as a calendar day in the shop''s time zone.';
comment on column orders.row_hash is 'Hash of the order''s own record: equal hashes need no write.';
comment on column orders.children_hash is 'Hash of everything that child tables, the ledger and the rollups depend on: if it is equal, only the order''s own row is written.';
comment on column orders.counted is 'Whether the figure "orders" includes the order: not test, not deleted, at least one PRODUCT line.';
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
comment on table tombstones is 'Objects deleted before they were ever stored: a response from before the deletion must not create them.';

-- The first instant of a calendar day. Where clocks go back over midnight, `at time zone` gives the second
-- midnight of the day; where clocks go forward over midnight, the day starts at one.
create function day_start(day date, zone text) returns timestamptz language sql stable parallel safe
return case
  when ((day::timestamp at time zone zone - interval '1 hour') at time zone zone)::date = day
    then day::timestamp at time zone zone - interval '1 hour'
  else day::timestamp at time zone zone
end;

-- Row security limits every table of a shop's data to the transaction's tenant, for the tables' owner too. The
-- expression is the same everywhere and contains no subquery, which Citus requires.
do $$
declare
  name text;
begin
  foreach name in array array[
    'shops', 'shop_credentials', 'customers', 'products', 'product_variants', 'orders', 'line_items', 'refunds',
    'tombstones'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select, insert, update, delete on %I to xboard_app', name);
    execute format(
      'create policy tenant_isolation on %I to xboard_app '
      'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
      'with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  end loop;
end $$;
