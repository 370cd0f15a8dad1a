-- The sales ledger and what is kept beside it. Every figure comes from `sales`; the rollups are sums of
-- `order_day_figures`, moved in the transaction of each change by (new rows - old rows) of the order.
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
comment on table sales is 'One row per Sale of an agreement of an order, in shop money, signed. An order''s rows are replaced together.';
comment on column sales.happened_at is 'processed_at of the order for the agreement that placed it, else the agreement''s happenedAt.';
comment on column sales.day is 'happened_at as a calendar day of the shop''s time zone.';
create index sales_happened on sales (tenant_id, happened_at);

-- The definitions of the figures, in one place: per order and instant, additive. Everything else sums this.
create view order_instant_figures with (security_invoker = true) as
select
  s.tenant_id, s.order_id, o.customer_id, s.currency, s.day, s.happened_at,
  0 as orders,
  coalesce(sum(s.quantity) filter (where s.sold), 0)::bigint as units_sold,
  coalesce(sum(s.net + s.discount) filter (where s.sold), 0) as gross_sales,
  coalesce(sum(s.discount) filter (where s.sold), 0) as discounts,
  coalesce(-sum(s.net) filter (where s.taken_back), 0) as returns,
  coalesce(sum(s.net) filter (where s.line_type = 'SHIPPING'), 0) as shipping,
  coalesce(sum(s.tax), 0) as taxes,
  coalesce(sum(s.net) filter (where s.line_type = 'DUTY'), 0) as duties,
  coalesce(sum(s.net) filter (where s.line_type in ('FEE', 'ADDITIONAL_FEE')), 0) as fees,
  coalesce(sum(s.net) filter (where s.sold and s.reason = 'ORDER'), 0) as placed_sales
from (
  select
    sales.*,
    total - tax as net,
    line_type = 'PRODUCT' and action_type in ('ORDER', 'UPDATE') and not negative as sold,
    line_type in ('PRODUCT', 'ADJUSTMENT')
      and (action_type = 'RETURN' or (action_type = 'UPDATE' and negative)) as taken_back
  from sales,
    lateral (select case when coalesce(quantity, 0) <> 0 then quantity < 0 else total < 0 end as negative) sign
  where line_type not in ('GIFT_CARD', 'TIP')
) s
join orders o on o.tenant_id = s.tenant_id and o.id = s.order_id
where o.deleted_at is null and not o.test
group by s.tenant_id, s.order_id, o.customer_id, s.currency, s.day, s.happened_at
union all
select tenant_id, id, customer_id, currency, day, processed_at, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
from orders
where counted;
comment on view order_instant_figures is 'metrics.md in SQL, per order and instant, additive. placed_sales: gross - discounts of the ORDER agreement, for the average order value.';

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
from order_instant_figures
group by tenant_id, order_id, customer_id, currency, day;
comment on view order_day_figures is 'order_instant_figures by day: what the rollups are sums of.';

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
  primary key (tenant_id, currency, day)
);

create table customer_days (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  customer_id bigint not null,
  orders bigint not null,
  total_sales numeric(24, 4) not null,
  primary key (tenant_id, currency, day, customer_id)
);
comment on table customer_days is 'What each customer ordered and spent on each day: distinct customers and top customers of any range.';
create index customer_days_customer on customer_days (tenant_id, customer_id, day);

create table customer_totals (
  tenant_id uuid not null,
  customer_id bigint not null,
  orders bigint not null,
  total_spent numeric(24, 4) not null,
  first_order_at timestamptz,
  first_order_day date,
  last_order_at timestamptz,
  primary key (tenant_id, customer_id)
);
comment on table customer_totals is 'Of all time: orders and total_spent in the shop''s current currency, first and last order in any.';
create index customer_totals_spent on customer_totals (tenant_id, total_spent desc, customer_id desc);
create index customer_totals_orders on customer_totals (tenant_id, orders desc, customer_id desc);
-- Those without an order come last. A keyset page seeks by row comparison, which no index on a nullable column
-- can serve, so the index holds -infinity for "never".
create index customer_totals_last on customer_totals
  (tenant_id, (coalesce(last_order_at, '-infinity'::timestamptz)) desc, customer_id desc);
create index customer_totals_first on customer_totals (tenant_id, first_order_day);

create table product_totals (
  tenant_id uuid not null,
  product_id bigint not null,
  units_sold bigint not null,
  net_sales numeric(24, 4) not null,
  primary key (tenant_id, product_id)
);
comment on table product_totals is 'Of all time, in the shop''s current currency.';
create index product_totals_sales on product_totals (tenant_id, net_sales desc, product_id desc);
create index product_totals_units on product_totals (tenant_id, units_sold desc, product_id desc);

-- The same definitions seen by product, for product_totals.
create view product_order_figures with (security_invoker = true) as
select
  s.tenant_id, s.order_id, s.product_id, s.currency,
  coalesce(sum(s.quantity) filter (where s.sold), 0)::bigint as units_sold,
  coalesce(sum(s.net) filter (where s.sold or s.taken_back), 0) as net_sales
from (
  select
    sales.*,
    total - tax as net,
    action_type in ('ORDER', 'UPDATE') and not negative as sold,
    action_type = 'RETURN' or (action_type = 'UPDATE' and negative) as taken_back
  from sales,
    lateral (select case when coalesce(quantity, 0) <> 0 then quantity < 0 else total < 0 end as negative) sign
  where line_type = 'PRODUCT' and product_id is not null
) s
join orders o on o.tenant_id = s.tenant_id and o.id = s.order_id
where o.deleted_at is null and not o.test
group by s.tenant_id, s.order_id, s.product_id, s.currency;

-- The first instant of a calendar day. Where clocks go back over midnight, `at time zone` names the second
-- midnight of the day; where they go forward over it, the day begins at one.
create function day_start(day date, zone text) returns timestamptz language sql stable parallel safe
return case
  when ((day::timestamp at time zone zone - interval '1 hour') at time zone zone)::date = day
    then day::timestamp at time zone zone - interval '1 hour'
  else day::timestamp at time zone zone
end;
