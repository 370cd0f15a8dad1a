-- What the orders of a first load add to the figures waits as pages of a run that is sorted by customer, and is summed
-- by the program while it reads them back; which orders they are of, and of which content, stands beside them. Temporary
-- tables are made like these, which stay empty; loaded_spending, loaded_days and loaded_product_figures are for a program
-- of before.
create table figure_pages (
  first_customer bigint not null,
  number bigint generated always as identity,
  figures bytea not null
);
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
grant select on figure_pages, kept_figures, loaded_customer_days, unread_figures to xboard_app;
drop table loaded_figures;
