-- Types of the rows that the statements of an upsert receive as arrays. The tables stay empty: a table is the way to give
-- the columns of a type a NOT NULL constraint.

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

grant select on staged_customers, staged_products, staged_variants, staged_orders, staged_line_items to xboard_app;

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
