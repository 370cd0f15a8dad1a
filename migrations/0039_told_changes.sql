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

create type told_change as (
  total_customers bigint,
  days changed_day[],
  first_customers changed_count[],
  returning_customers changed_count[],
  customers changed_customer[],
  spenders bigint[],
  spending changed_spending[],
  orders changed_order[]
);
comment on type told_change is 'spenders are the customers whose spending changed; spending has all of their days in the currency.';

-- What was written of a store in a version. Planned once on each connection; plans that read whole tables are ruled out:
-- after a first load all rows of a store are of one version, then such a plan looks cheaper, and it would stay.
create function told_change(
  of_tenant uuid,
  of_version bigint,
  of_currency text,
  changed_customers bigint[],
  changed_orders bigint[],
  most_days integer
) returns told_change language plpgsql stable
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
declare
  told told_change;
begin
  with spenders as materialized (
    select t.customer_id as id from customer_totals t where t.tenant_id = of_tenant and t.version = of_version
  ), orders_told as materialized (
    select * from orders o where o.tenant_id = of_tenant and o.id = any(changed_orders) and o.deleted_at is null
  )
  select s.customers,
    array(
      select row(d.day, d.currency, d.orders, d.units_sold, d.gross_sales, d.discounts, d.returns, d.shipping, d.taxes,
        d.duties, d.fees, d.placed_sales)::changed_day
      from daily_sales d where d.tenant_id = of_tenant and d.version = of_version),
    array(
      select row(f.day, f.first_order_day, f.customers)::changed_count
      from first_customers f
      where f.tenant_id = of_tenant and f.version = of_version and f.currency = of_currency),
    array(
      select row(r.day, r.previous_day, r.customers)::changed_count
      from returning_customers r
      where r.tenant_id = of_tenant and r.version = of_version and r.currency = of_currency),
    array(
      select row(c.id, c.display_name, c.email, c.tags, c.created_at, coalesce(t.orders, 0),
        coalesce(t.total_spent, 0), t.first_order_at, t.last_order_at)::changed_customer
      from customers c left join customer_totals t on t.tenant_id = of_tenant and t.customer_id = c.id
      where c.tenant_id = of_tenant and c.id = any(array(
        select id from spenders
        union all select unnest(changed_customers)
        union all select customer_id from orders_told))),
    array(select id from spenders),
    array(
      select row(d.customer_id, d.day, d.orders, d.total_sales)::changed_spending
      from spenders cross join lateral (
        select * from customer_days d
        where d.tenant_id = of_tenant and d.customer_id = spenders.id and d.currency = of_currency limit most_days
      ) d limit most_days),
    array(
      select row(o.id, o.name, o.customer_id, o.processed_at, o.cancelled_at, o.financial_status,
        o.fulfillment_status, o.source_name, o.discount_codes, o.tags, o.test, o.currency, o.total_price,
        o.net_payment)::changed_order
      from orders_told o)
  into told
  from shops s where s.tenant_id = of_tenant;
  return told;
end $$;
comment on function told_change is 'changed_orders, changed_customers: the objects that the version is about. No more than most_days of spending.';

-- Whoever may connect to the database may listen, and hears what is told; row security does not hold there. What is
-- told is therefore sealed with this key, which only the program's role may read.
create table change_key (
  key bytea not null check (octet_length(key) = 32)
);
comment on table change_key is 'One row. Made anew by deleting it and inserting another; processes that run go on with the one that they know.';
insert into change_key (key)
  select sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) from generate_series(1, 4);
grant select on change_key to xboard_system;
