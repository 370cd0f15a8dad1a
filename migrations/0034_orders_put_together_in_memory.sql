-- The parts of an order are put together by the program and no longer by joins. While a load's file is read they
-- wait in pages: each holds records of a stretch of order ids, so that reading the pages in order yields whole
-- orders, however far apart their parts were in the file. New orders of a first load are then copied into tables
-- shaped as their rows end, and inserted from there.
-- All of these are shapes: they stay empty. staged_orders and staged_line_items are the types of rows that are
-- handed over inside a statement; staged_agreements and staged_sales are there for the program before.

create table staged_pages (
  first_order bigint not null,
  number bigint not null,
  records bytea not null
);
comment on table staged_pages is 'Parts of orders as the program packs them, sorted by order, a page''s worth in a row.';
comment on column staged_pages.first_order is 'The lowest order id in the page.';
comment on column staged_pages.number is 'Tells pages that begin with the same order from each other.';
create table staged_order_ids (id bigint not null);
comment on table staged_order_ids is 'The orders of a load: those that it does not name are gone.';
create table staged_agreement_orders (
  key bigint not null,
  order_id bigint not null
);
comment on column staged_agreement_orders.key is 'The first 64 bits of the SHA-256 of its gid.';
create table astray_sales (
  number bigint not null,
  agreement bigint not null,
  record bytea not null
);
comment on table astray_sales is 'Sales whose agreement was not at hand when they were read: they wait for their order.';
comment on column astray_sales.number is 'Its place among them.';
comment on column astray_sales.agreement is 'The key of the agreement it belongs to.';

create table loaded_orders (
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
  content_hash bigint not null
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
grant select on staged_pages, staged_order_ids, staged_agreement_orders, astray_sales, loaded_orders, loaded_line_items,
  loaded_refunds, loaded_sales to xboard_app;
