-- What each order of a first load adds to the figures waits in two shapes instead of one: what its customer comes to,
-- in a row of few columns an order, and the sums of days, added up before they are sent. Temporary tables are made like
-- these, which stay empty; loaded_figures is for a program of before.
create table loaded_spending (
  order_id bigint not null,
  content_hash bigint not null,
  customer_id bigint,
  currency text not null,
  day date not null,
  placed_at timestamptz,
  orders bigint not null,
  total_sales numeric not null
);
comment on table loaded_spending is 'What orders add to customer_days, additive: at least one row for every order that is not deleted.';
comment on column loaded_spending.content_hash is 'Of the order that it was worked out from: another one in orders makes the row worthless.';
comment on column loaded_spending.placed_at is 'When the order was placed, in a row that counts one.';
create table loaded_days (
  currency text not null,
  day date not null,
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
comment on table loaded_days is 'What the orders of loaded_spending add to daily_sales, additive.';
grant select on loaded_spending, loaded_days to xboard_app;
