-- What the orders of a first load add to the figures waits as pages of a run that is sorted by customer, and is summed
-- by the program while it reads them back; which orders they are of, and of which content, stands beside them. Temporary
-- tables are made like these, which stay empty; loaded_figures, loaded_spending, loaded_days and
-- loaded_product_figures are for programs of before.
create table figure_pages (
  first_customer bigint not null,
  number bigint generated always as identity,
  figures bytea not null
);
-- Stored as they are, not compressed.
alter table figure_pages alter column figures set storage external;
comment on table figure_pages is 'What orders add to the rollups, packed by the program.';
comment on column figure_pages.first_customer is 'The customer of the first order in the page; 0 for an order of nobody.';
create table kept_figures (
  order_id bigint not null,
  content_hash bigint not null
);
comment on table kept_figures is 'The orders in figure_pages. Where orders has another content_hash now, what was kept is worthless.';
create table loaded_customer_days (
  currency text not null,
  day date not null,
  customer_id bigint not null,
  orders bigint not null,
  total_sales numeric not null
);
comment on table loaded_customer_days is 'Rows of customer_days in the order of the customers, on their way into that of the days, in which they are read.';
create table unread_figures (
  order_id bigint not null
);
comment on table unread_figures is 'Orders of which nothing was kept: what they add is read from the ledger.';
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
comment on table read_figures is 'Rows of sale_figures, on their way into figure_pages.';
grant select on figure_pages, kept_figures, loaded_customer_days, unread_figures, read_figures to xboard_app;
