-- A store, what changed of it since a version, and what is as a rule asked for next, in one exchange with the
-- database: it enters the store itself, so that neither a transaction has to be begun before nor ended after it.
-- It is one statement over the caller's snapshot (stable), planned once on each connection like every statement of
-- an operation; plans that read whole tables are ruled out, because a plan from when a table was small stays.
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
comment on type news_line is 'A row of any kind; store_news says by kind what its columns hold.';
comment on column news_line.kind is '0 sales of a day, 1 orders of a day in other currencies, 2 first_customers, 3 returning_customers, 4 what a customer came to in a range, 5 a customer, 6 an order, 7 the store.';

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
    -- The numbers stand in the statement itself, so that the plan is made for few rows. Those who changed are looked up
    -- one by one: joined, all days of all customers would be read.
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
    -- A day with orders in several other currencies is read whole when one of them changed. The days that did are
    -- found first, or all days of the store would be looked through each time.
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
comment on function store_news is 'What changed since version `since`, as far as currency goes. `asked_customers` are given whether they changed or not, with a few of those who changed and those of the newest orders; more than 200 changed customers have no ranges. Newest orders come in their order, behind everything else.';
