-- Shapes of the rows that bulk loads stage.
--
-- Rows from Shopify are copied into temporary tables, private to the loading connection, and upserted from there.
-- The temporary tables are created `like` the tables here. These stay empty (the program may only select): they let
-- the compiler check the statements, and a connection without temporary tables of its own finds no rows.

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

-- Types of the rows that one statement receives as an array.
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

-- The parts of an order may be far apart in Shopify's file. The program sorts them by order into pages, so that
-- reading the pages in order yields complete orders.
create table staged_pages (
  first_order bigint not null,
  number bigint not null,
  records bytea not null
);
comment on table staged_pages is 'Encoded parts of orders, sorted by order; many records per row.';
comment on column staged_pages.first_order is 'The lowest order id in the page.';
comment on column staged_pages.number is 'Distinguishes pages that start with the same order.';
create table staged_order_ids (id bigint not null);
comment on table staged_order_ids is 'The orders of a load. Stored orders that are not listed are deleted.';
create table staged_agreement_orders (
  key bigint not null,
  order_id bigint not null
);
comment on table staged_agreement_orders is 'The order of each sales agreement: in the file, a sale names only its agreement.';
comment on column staged_agreement_orders.key is 'The first 64 bits of the SHA-256 of the agreement''s gid: numbers sort and join faster than text.';
create table astray_sales (
  number bigint not null,
  agreement bigint not null,
  record bytea not null
);
comment on table astray_sales is 'Sales that came before their agreement in the file.';
comment on column astray_sales.number is 'Position in the file.';
comment on column astray_sales.agreement is 'Key of the agreement.';

-- Rows of new orders of an initial backfill, as they will be stored.
create table loaded_whole_orders (
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
  header_hash bigint not null
);
create table loaded_line_items (
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
  variant_id bigint
);
create table loaded_refunds (
  order_id bigint not null,
  id bigint not null,
  processed_at timestamptz not null,
  total_refunded numeric(20, 4) not null
);
create table loaded_sales (
  order_id bigint not null,
  position int not null,
  agreement text not null,
  happened_at timestamptz not null,
  day date not null,
  reason text not null,
  action_type text not null,
  line_type text not null,
  quantity int,
  currency text not null,
  total numeric(20, 4) not null,
  tax numeric(20, 4) not null,
  discount numeric(20, 4) not null,
  line_item_id bigint,
  product_id bigint,
  variant_id bigint
);

-- The contributions of backfilled orders to the rollups, kept until the backfill ends: encoded pages sorted by
-- customer, which the program sums while it reads them back.
create table figure_pages (
  first_customer bigint not null,
  number bigint generated always as identity,
  figures bytea not null
);
-- Compression costs more time than it saves.
alter table figure_pages alter column figures set storage external;
comment on table figure_pages is 'Encoded contributions of orders to the rollups.';
comment on column figure_pages.first_customer is 'The customer of the first order in the page; 0: a guest.';
create table kept_figures (
  order_id bigint not null,
  content_hash bigint not null
);
comment on table kept_figures is 'The orders in figure_pages. If the stored order has another content_hash, its contribution is obsolete.';
create table loaded_customer_days (
  currency text not null,
  day date not null,
  customer_id bigint not null,
  orders bigint not null,
  total_sales numeric not null
);
comment on table loaded_customer_days is 'Rows of customer_days sorted by customer, before they are sorted by day.';
create table unread_figures (
  order_id bigint not null
);
comment on table unread_figures is 'Orders without a contribution in figure_pages; it is read from the ledger.';
create table read_figures (
  number bigint generated always as identity,
  order_id bigint not null,
  customer_id bigint,
  currency text not null,
  day date not null,
  happened_at timestamptz not null,
  orders integer not null,
  units_sold integer not null,
  gross_sales numeric not null,
  discounts numeric not null,
  returns numeric not null,
  shipping numeric not null,
  taxes numeric not null,
  duties numeric not null,
  fees numeric not null,
  placed_sales numeric not null,
  product_id bigint
);
comment on table read_figures is 'Rows of sale_figures that will be encoded into figure_pages.';

grant select on
  staged_customers, staged_products, staged_variants, staged_orders, staged_line_items, staged_pages, staged_order_ids,
  staged_agreement_orders, astray_sales, loaded_whole_orders, loaded_line_items, loaded_refunds, loaded_sales, figure_pages,
  kept_figures, loaded_customer_days, unread_figures, read_figures
  to xboard_app;

create type given_figure as (
  customer_id bigint,
  currency text,
  happened_at timestamptz,
  orders bigint,
  units_sold bigint,
  gross_sales numeric,
  discounts numeric,
  returns numeric,
  shipping numeric,
  taxes numeric,
  duties numeric,
  fees numeric,
  placed_sales numeric,
  product_id bigint
);
comment on type given_figure is 'The contribution of one sale to the figures, or (orders = 1) of a placed order. See src/db/upsert/replace.rs.';
