-- The sales ledger, and the rollups that summarise it.
--
-- Every figure comes from the ledger, `sales`. The view `sale_figures` is the only definition of the figures in SQL.
-- A rollup is a sum over that view. The transaction that changes an order also adds (new - old) figures of that
-- order to the rollups, so a rollup always equals the sum over the ledger; `verify` checks exactly that.

create table sales (
  tenant_id uuid not null,
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
  variant_id bigint,
  primary key (tenant_id, order_id, position)
);
comment on table sales is 'One row per Sale of a sales agreement of an order: signed, in shop currency. All rows of an order are replaced together.';
comment on column sales.happened_at is 'The order''s processed_at for the agreement that placed the order, else the agreement''s happenedAt.';
comment on column sales.day is 'happened_at as a calendar day in the shop''s time zone.';
create index sales_happened on sales (tenant_id, happened_at);

-- A function, because new rows are classified the same way before they are inserted. PostgreSQL inlines it.
create function sale_amounts(
  reason text, action_type text, line_type text, quantity int, total numeric, tax numeric, discount numeric
) returns table (
  units_sold int, gross_sales numeric, discounts numeric, returns numeric, shipping numeric, taxes numeric,
  duties numeric, fees numeric, placed_sales numeric
) language sql immutable parallel safe as $$
  select
    case when sold then coalesce(quantity, 0) else 0 end,
    case when sold then net + discount else 0 end,
    case when sold then discount else 0 end,
    case when taken_back then -net else 0 end,
    case when line_type = 'SHIPPING' then net else 0 end,
    tax,
    case when line_type = 'DUTY' then net else 0 end,
    case when line_type in ('FEE', 'ADDITIONAL_FEE') then net else 0 end,
    case when sold and reason = 'ORDER' then net else 0 end
  from
    (select
       total - tax as net,
       case when coalesce(quantity, 0) <> 0 then quantity < 0 else total < 0 end as negative) amount,
    lateral (select
       line_type = 'PRODUCT' and action_type in ('ORDER', 'UPDATE') and not negative as sold,
       line_type in ('PRODUCT', 'ADJUSTMENT')
         and (action_type = 'RETURN' or (action_type = 'UPDATE' and negative)) as taken_back) direction
  where line_type not in ('GIFT_CARD', 'TIP')
$$;
comment on function sale_amounts is 'The definitions of docs/figures.md for one sale: how much the sale adds to each figure. Returns no row for a sale that is in no figure. placed_sales is gross sales - discounts of the ORDER agreement, the numerator of the average order value.';

create view sale_figures with (security_invoker = true) as
select
  s.tenant_id, s.order_id, o.customer_id, s.currency, s.day, s.happened_at,
  0 as orders,
  a.units_sold, a.gross_sales, a.discounts, a.returns, a.shipping, a.taxes, a.duties, a.fees, a.placed_sales,
  case when s.line_type = 'PRODUCT' then s.product_id end as product_id
from sales s
join orders o on o.tenant_id = s.tenant_id and o.id = s.order_id
cross join lateral sale_amounts(s.reason, s.action_type, s.line_type, s.quantity, s.total, s.tax, s.discount) a
where o.deleted_at is null and not o.test
union all
select tenant_id, id, customer_id, currency, day, processed_at, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, null
from orders
where counted;
comment on view sale_figures is 'sale_amounts of every sale, and one row for every counted order. Additive.';
comment on column sale_figures.product_id is 'The product, where the sale is of a product.';

create view order_instant_figures with (security_invoker = true) as
select
  tenant_id, order_id, customer_id, currency, day, happened_at,
  sum(orders)::int as orders,
  sum(units_sold)::bigint as units_sold,
  sum(gross_sales) as gross_sales,
  sum(discounts) as discounts,
  sum(returns) as returns,
  sum(shipping) as shipping,
  sum(taxes) as taxes,
  sum(duties) as duties,
  sum(fees) as fees,
  sum(placed_sales) as placed_sales
from sale_figures
group by tenant_id, order_id, customer_id, currency, day, happened_at;
comment on view order_instant_figures is 'sale_figures per order and instant.';

create view order_day_figures with (security_invoker = true) as
select
  tenant_id, order_id, customer_id, currency, day,
  sum(orders)::int as orders,
  sum(units_sold)::bigint as units_sold,
  sum(gross_sales) as gross_sales,
  sum(discounts) as discounts,
  sum(returns) as returns,
  sum(shipping) as shipping,
  sum(taxes) as taxes,
  sum(duties) as duties,
  sum(fees) as fees,
  sum(placed_sales) as placed_sales
from sale_figures
group by tenant_id, order_id, customer_id, currency, day;
comment on view order_day_figures is 'sale_figures per order and day. daily_sales and customer_days are sums of this view.';

create view product_order_figures with (security_invoker = true) as
select
  tenant_id, order_id, product_id, currency,
  sum(units_sold)::bigint as units_sold,
  sum(gross_sales - discounts - returns) as net_sales
from sale_figures
where product_id is not null
group by tenant_id, order_id, product_id, currency;
comment on view product_order_figures is 'sale_figures per order and product. product_totals is a sum of this view.';

-- A rollup row stores the data version of its last change: a cache filled at an earlier version reads only the
-- rows that changed since.
create table daily_sales (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  orders bigint not null,
  units_sold bigint not null,
  gross_sales numeric(24, 4) not null,
  discounts numeric(24, 4) not null,
  returns numeric(24, 4) not null,
  shipping numeric(24, 4) not null,
  taxes numeric(24, 4) not null,
  duties numeric(24, 4) not null,
  fees numeric(24, 4) not null,
  placed_sales numeric(24, 4) not null,
  version bigint not null,
  primary key (tenant_id, currency, day)
);
comment on column daily_sales.version is 'The shop''s data_version at the last change of the row.';
create index daily_sales_version on daily_sales (tenant_id, version);

create table customer_days (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  customer_id bigint not null,
  orders bigint not null,
  total_sales numeric(24, 4) not null,
  primary key (tenant_id, currency, day, customer_id)
);
comment on table customer_days is 'Orders and sales per customer and day, for the top customers of any range.';
-- Finds the previous and the next day of a customer in a currency.
create index customer_days_customer on customer_days (tenant_id, customer_id, currency, day);

create table customer_totals (
  tenant_id uuid not null,
  customer_id bigint not null,
  orders bigint not null,
  total_spent numeric(24, 4) not null,
  first_order_at timestamptz,
  first_order_day date,
  last_order_at timestamptz,
  version bigint not null,
  primary key (tenant_id, customer_id)
);
comment on table customer_totals is 'All-time totals: orders and total_spent in the shop''s current currency; first and last order in any currency.';
comment on column customer_totals.version is 'The shop''s data_version at the last change of the row or of any customer_days row of the customer.';
create index customer_totals_spent on customer_totals (tenant_id, total_spent desc, customer_id desc);
create index customer_totals_orders on customer_totals (tenant_id, orders desc, customer_id desc);
-- Customers without an order come last. Keyset pagination compares rows, which no index on a nullable column
-- supports, so the index stores -infinity for "never".
create index customer_totals_last on customer_totals
  (tenant_id, (coalesce(last_order_at, '-infinity'::timestamptz)) desc, customer_id desc);
create index customer_totals_first on customer_totals (tenant_id, first_order_day);
create index customer_totals_version on customer_totals (tenant_id, version);

create table product_totals (
  tenant_id uuid not null,
  product_id bigint not null,
  units_sold bigint not null,
  net_sales numeric(24, 4) not null,
  primary key (tenant_id, product_id)
);
comment on table product_totals is 'All-time totals in the shop''s current currency.';
create index product_totals_sales on product_totals (tenant_id, net_sales desc, product_id desc);
create index product_totals_units on product_totals (tenant_id, units_sold desc, product_id desc);

-- Distinct customers of any range of days, without reading the customers. The distinct customers of [a, b] are the
-- sum of first_customers over the range's days, plus the sum of returning_customers over those days whose
-- previous_day is before a. Both tables grow with pairs of days, not with the number of customers.
create table first_customers (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  first_order_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, first_order_day)
);
comment on table first_customers is 'Customers whose first order in the currency is on this day, by the day of their first order in any currency.';
create index first_customers_version on first_customers (tenant_id, version);

create table returning_customers (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  previous_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, previous_day)
);
comment on table returning_customers is 'Customers with an order in the currency on this day whose previous one was on previous_day.';
comment on column returning_customers.customers is 'A row that reaches zero stays, so that its version shows the change.';
create index returning_customers_version on returning_customers (tenant_id, version);

-- Planned for the range at hand, because the number of customers in it decides which plan is good. The settings
-- belong to the function, so that the caller needs no statements to change and restore them.
create function top_customers_of_range(
  of_tenant uuid,
  of_currency text,
  first_day date,
  last_day date,
  most bigint
) returns table (customer_id bigint, total_spent numeric, orders bigint) language plpgsql stable
  set plan_cache_mode = force_custom_plan
  set enable_seqscan = on
as $$
begin
  return query
    select d.customer_id, sum(d.total_sales), sum(d.orders)::bigint
    from customer_days d
    where d.tenant_id = of_tenant and d.currency = of_currency and d.day between first_day and last_day
    group by d.customer_id having sum(d.orders) > 0 or sum(d.total_sales) > 0
    order by sum(d.total_sales) desc, d.customer_id desc limit most;
end $$;
comment on function top_customers_of_range is 'The customers with the highest sales in the range, among those with an order or with positive sales in it.';

create table day_books (
  tenant_id uuid primary key,
  currency text not null,
  version bigint not null,
  form smallint not null,
  book bytea not null
);
comment on table day_books is 'daily_sales, first_customers and returning_customers of a shop in one value, which a process reads to fill its cache. A row that is missing or of another format is written again.';
comment on column day_books.version is 'The shop''s data_version of the contents.';
comment on column day_books.form is 'Format of the value: a program reads only its own format.';
-- Compression costs more time than it saves.
alter table day_books alter column book set storage external;

do $$
declare
  name text;
begin
  foreach name in array array[
    'sales', 'daily_sales', 'customer_days', 'customer_totals', 'product_totals', 'first_customers',
    'returning_customers', 'day_books'
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
grant select on sale_figures, order_instant_figures, order_day_figures, product_order_figures to xboard_app;

-- Change notification. Reads everything that changed since a version, with the shop and the lists that a dashboard
-- shows, in one round trip: the function sets the tenant itself. The statement has one plan per connection; plans
-- with sequential scans are excluded, because a plan from the time when a table was small would stay.
create type news_line as (
  kind integer,
  id bigint,
  other_id bigint,
  day_1 date,
  day_2 date,
  number_1 bigint,
  number_2 bigint,
  number_3 bigint,
  number_4 bigint,
  number_5 bigint,
  amount_1 numeric,
  amount_2 numeric,
  amount_3 numeric,
  amount_4 numeric,
  amount_5 numeric,
  amount_6 numeric,
  amount_7 numeric,
  amount_8 numeric,
  text_1 text,
  text_2 text,
  text_3 text,
  text_4 text,
  text_5 text,
  text_6 text,
  text_7 text,
  list_1 text[],
  list_2 text[],
  at_1 timestamptz,
  at_2 timestamptz,
  at_3 timestamptz,
  flag boolean
);
comment on type news_line is 'A row of any kind; store_news defines the columns of each kind.';
comment on column news_line.kind is '0 sales of a day, 1 orders of a day in other currencies, 2 first_customers, 3 returning_customers, 4 totals of a customer in a range, 5 a customer, 6 an order, 7 the shop.';

create function store_news(
  of_tenant uuid,
  of_currency text,
  since bigint,
  ranges_from date[],
  ranges_to date[],
  asked_customers bigint[],
  asked_orders bigint
) returns setof news_line language plpgsql stable
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
begin
  perform enter_tenant(of_tenant);
  return query
    -- Literal limits, so that the plan is made for few rows. Changed customers are looked up one by one: a join would
    -- read all days of all customers.
    with changed as materialized (
      select t.customer_id from customer_totals t where t.tenant_id = of_tenant and t.version > since limit 201
    ), counted as materialized (
      select count(*) as customers from changed
    ), newest as materialized (
      select o.* from (
        select * from orders where tenant_id = of_tenant and deleted_at is null
        order by processed_at desc, id desc limit 101
      ) o order by o.processed_at desc, o.id desc limit asked_orders
    )
    select 7, null::bigint, null::bigint, null::date, null::date, s.order_history_days::bigint, s.data_version,
      s.rebuilt_version, s.customers, counted.customers, null::numeric, null::numeric, null::numeric, null::numeric,
      null::numeric, null::numeric, null::numeric, null::numeric, s.shop_gid, s.domain, s.name, s.currency,
      s.time_zone, s.status, s.status_reason, s.scopes, null::text[], s.last_synced_at, null::timestamptz,
      null::timestamptz, null::boolean
    from shops s cross join counted where s.tenant_id = of_tenant
    union all
    select 0, null, null, d.day, null, d.orders, d.units_sold, null, null, null, d.gross_sales, d.discounts,
      d.returns, d.shipping, d.taxes, d.duties, d.fees, d.placed_sales, null, null, null, null, null, null, null,
      null, null, null, null, null, null
    from daily_sales d where d.tenant_id = of_tenant and d.version > since and d.currency = of_currency
    union all
    -- If orders of a day changed in one of the other currencies, all of them are summed. The changed days are found
    -- first; otherwise every call would read all days of the shop.
    select 1, null, null, days.day, null, others.orders, null, null, null, null, null, null, null, null, null, null,
      null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from (
      select distinct d.day from daily_sales d
      where d.tenant_id = of_tenant and d.version > since and d.currency <> of_currency offset 0
    ) days cross join lateral (
      select sum(d.orders)::bigint as orders from daily_sales d
      where d.tenant_id = of_tenant and d.currency <> of_currency and d.day = days.day
    ) others
    union all
    select 2, null, null, f.day, f.first_order_day, f.customers, null, null, null, null, null, null, null, null, null,
      null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from first_customers f where f.tenant_id = of_tenant and f.version > since and f.currency = of_currency
    union all
    select 3, null, null, r.day, r.previous_day, r.customers, null, null, null, null, null, null, null, null, null,
      null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from returning_customers r where r.tenant_id = of_tenant and r.version > since and r.currency = of_currency
    union all
    select 4, changed.customer_id, null, null, null, spent.orders, range.number, null, null, null, spent.total, null,
      null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null
    from changed cross join unnest(ranges_from, ranges_to) with ordinality range(first, last, number)
    cross join lateral (
      select coalesce(sum(d.total_sales), 0) as total, coalesce(sum(d.orders), 0)::bigint as orders
      from customer_days d
      where d.tenant_id = of_tenant and d.customer_id = changed.customer_id and d.currency = of_currency
        and d.day between range.first and range.last
    ) spent
    where (select counted.customers from counted) <= 200
    union all
    select 5, c.id, null, null, null, coalesce(t.orders, 0), null, null, null, null, coalesce(t.total_spent, 0), null,
      null, null, null, null, null, null, c.display_name, c.email, null, null, null, null, null, c.tags, null,
      c.created_at, t.first_order_at, t.last_order_at, null
    from customers c left join customer_totals t on t.tenant_id = c.tenant_id and t.customer_id = c.id
    where c.tenant_id = of_tenant and c.id = any (array(
      select unnest(asked_customers)
      union all (select customer_id from changed limit 10)
      union all (select customer_id from newest where customer_id is not null limit 20)
    ))
    union all
    select 6, o.id, o.customer_id, null, null, null, null, null, null, null, o.total_price, o.net_payment, null, null,
      null, null, null, null, o.name, o.financial_status, o.fulfillment_status, o.source_name, o.currency, null, null,
      o.discount_codes, o.tags, o.processed_at, o.cancelled_at, null, o.test
    from newest o;
end $$;
comment on function store_news is 'Changes since version `since` in the given currency. asked_customers are always returned, with a few changed customers and the customers of the newest orders. Above 200 changed customers, no ranges are returned. The newest orders come last, in order.';

-- The contents of a change, which NOTIFY carries to other processes: see src/db/changes.rs.
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
comment on type changed_day is 'A row of daily_sales.';

create type changed_count as (
  day date,
  earlier_day date,
  customers bigint
);
comment on type changed_count is 'A row of first_customers or returning_customers; earlier_day is its second day.';

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
comment on type changed_customer is 'A customer with all-time totals.';

create type changed_spending as (
  customer_id bigint,
  day date,
  orders bigint,
  total_sales numeric
);
comment on type changed_spending is 'A row of customer_days.';

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
comment on type changed_order is 'An order as shown in lists.';

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

-- The contents of one version. Sequential scans are excluded: after an initial backfill all rows of a shop have the
-- same version, where a sequential scan looks cheaper, and that plan would stay.
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
comment on function told_change is 'changed_orders and changed_customers are the objects of the version. Returns at most most_days rows of spending.';

-- Every user of the database can LISTEN and row security does not apply to notifications, so their contents are
-- encrypted with this key. Only the program's role can read it.
create table change_key (
  key bytea not null check (octet_length(key) = 32)
);
comment on table change_key is 'One row. To rotate the key, delete the row and insert another; running processes keep the old key.';
insert into change_key (key)
  select sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')) from generate_series(1, 4);
grant select on change_key to xboard_system;
