-- What each order of a first load adds to the figures is worked out while the order is in memory, and waits here
-- until the load ends: the rollups are then sums of a few narrow rows an order, instead of the ledger. Temporary
-- tables are made like these; they stay empty themselves.
create table loaded_figures (
  order_id bigint not null,
  content_hash bigint not null,
  customer_id bigint,
  currency text not null,
  day date not null,
  placed_at timestamptz,
  orders bigint not null,
  units_sold bigint not null,
  gross_sales numeric not null,
  discounts numeric not null,
  returns numeric not null,
  shipping numeric not null,
  taxes numeric not null,
  duties numeric not null,
  fees numeric not null,
  placed_sales numeric not null
);
comment on table loaded_figures is 'order_day_figures of orders, additive: at least one row for every order that is not deleted.';
comment on column loaded_figures.content_hash is 'Of the order that it was worked out from: another one in orders makes the row worthless.';
comment on column loaded_figures.placed_at is 'When the order was placed, in a row that counts one.';
create table loaded_product_figures (
  order_id bigint not null,
  product_id bigint not null,
  currency text not null,
  units_sold bigint not null,
  net_sales numeric not null
);
comment on table loaded_product_figures is 'product_order_figures of the same orders, additive.';
grant select on loaded_figures, loaded_product_figures to xboard_app;
