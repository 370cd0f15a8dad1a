-- What a transaction changed of a store, as it is told with the news of the change, so that a process that remembers
-- the store's figures need not ask for it: see src/db/changes.rs. The types exist so that rows can be handed over in
-- lists; a table's own type would change with the table.
create type changed_day as (
  day date,
  currency text,
  orders bigint,
  units_sold bigint,
  gross_sales numeric,
  discounts numeric,
  returns numeric,
  shipping numeric,
  taxes numeric,
  duties numeric,
  fees numeric,
  placed_sales numeric
);
comment on type changed_day is 'What was sold on a day: a row of daily_sales.';

create type changed_count as (
  day date,
  earlier_day date,
  customers bigint
);
comment on type changed_count is 'Customers of a day: a row of first_customers or returning_customers. earlier_day is that of their first order, or of the one before.';

create type changed_customer as (
  id bigint,
  display_name text,
  email text,
  tags text[],
  created_at timestamptz,
  orders bigint,
  total_spent numeric,
  first_order_at timestamptz,
  last_order_at timestamptz
);
comment on type changed_customer is 'A customer with their totals of all time.';

create type changed_spending as (
  customer_id bigint,
  day date,
  orders bigint,
  total_sales numeric
);
comment on type changed_spending is 'What a customer came to on a day: a row of customer_days.';

create type changed_order as (
  id bigint,
  name text,
  customer_id bigint,
  processed_at timestamptz,
  cancelled_at timestamptz,
  financial_status text,
  fulfillment_status text,
  source_name text,
  discount_codes text[],
  tags text[],
  test boolean,
  currency text,
  total_price numeric,
  net_payment numeric
);
comment on type changed_order is 'An order as it is listed.';

-- Whoever may connect to the database may listen, and hears what is told; row security does not hold there. What is
-- told is therefore sealed with this key, which only the program's role may read.
create table change_key (
  key bytea not null check (octet_length(key) = 32)
);
comment on table change_key is 'One row. Made anew by deleting it and inserting another; processes that run go on with the one that they know.';
insert into change_key (key)
  select sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) from generate_series(1, 4);
grant select on change_key to xboard_system;
