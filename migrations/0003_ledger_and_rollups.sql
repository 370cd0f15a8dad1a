-- The sales ledger, and the rollups that summarise it.
--
-- Every figure comes from the ledger, `sales`. The view `sale_contributions` is the only definition of the figures.
-- A rollup is a sum over that view. The transaction that changes an order also adds (new - old) contributions of that
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
comment on table sales is 'One row per Sale of a sales agreement of an order: signed, in shop currency. A change of an order upserts the rows that differ, by position, and deletes the positions that no longer exist.';
comment on column sales.happened_at is 'The order''s processed_at for the agreement that placed the order, else the agreement''s happenedAt.';
comment on column sales.day is 'happened_at as a calendar day in the shop''s time zone.';
create index sales_happened on sales (tenant_id, happened_at);

-- The definition of every figure: for each row of the ledger that counts, and for each order that counts, what the row adds
-- to the figures. Rows add up over any set of orders, days, customers and products. docs/figures.md explains the rules.
create view sale_contributions with (security_invoker = true) as
select
  s.tenant_id,
  s.order_id,
  o.customer_id,
  case when s.line_type = 'PRODUCT' then s.product_id end as product_id,
  s.currency,
  s.day,
  s.happened_at,
  0::bigint as orders,
  case
    when not class.is_sold then 0
    -- An edit that takes units off a line and puts as many back sells no unit.
    when s.action_type = 'UPDATE' and s.quantity > 0 and 0 = (
      select sum(u.quantity) from sales u
      where u.tenant_id = s.tenant_id and u.order_id = s.order_id and u.agreement = s.agreement
        and u.line_item_id = s.line_item_id and u.action_type = 'UPDATE' and u.line_type = 'PRODUCT'
    ) then 0
    else coalesce(s.quantity, 0)
  end::bigint as units_sold,
  case when class.is_sold then amount.net + s.discount else 0 end as gross_sales,
  case when class.is_sold then s.discount else 0 end as discounts,
  case when class.is_reversed then -amount.net else 0 end as returns,
  case when s.line_type = 'SHIPPING' then amount.net else 0 end as shipping,
  s.tax as taxes,
  case when s.line_type = 'DUTY' then amount.net else 0 end as duties,
  case when s.line_type in ('FEE', 'ADDITIONAL_FEE') then amount.net else 0 end as fees,
  case when class.is_sold and s.reason = 'ORDER' then amount.net else 0 end as order_value
from sales s
join orders o on o.tenant_id = s.tenant_id and o.id = s.order_id
cross join lateral (
  select
    s.total - s.tax as net,
    s.quantity < 0 is true or s.total - s.tax + s.discount < 0 as is_negative
) amount
cross join lateral (
  select
    s.line_type = 'PRODUCT' and s.action_type in ('ORDER', 'UPDATE') and not amount.is_negative as is_sold,
    s.line_type in ('PRODUCT', 'ADJUSTMENT')
      and (s.action_type = 'RETURN' or (s.action_type = 'UPDATE' and amount.is_negative)) as is_reversed
) class
where o.deleted_at is null and not o.test and s.line_type not in ('GIFT_CARD', 'TIP')
union all
select
  tenant_id, id, customer_id, null, currency, day, processed_at,
  1, 0, 0, 0, 0, 0, 0, 0, 0, 0
from orders
where counted;
comment on view sale_contributions is
  'What each row of the ledger, and each order that counts, adds to the figures: the only definition of the figures.';
comment on column sale_contributions.product_id is 'Only of sales of products.';
comment on column sale_contributions.order_value is
  'Gross sales less discounts of the agreement that placed the order: the numerator of the average order value.';

-- The rollup: the figures by day, for every value of every dimension. A change of an order adds (new contributions - old
-- contributions) in the transaction of the change.
create table sales_rollups (
  tenant_id uuid not null,
  dimension text not null check (dimension in ('SHOP', 'CUSTOMER', 'PRODUCT')),
  currency text not null,
  day date not null,
  value_id bigint not null,
  orders bigint not null,
  units_sold bigint not null,
  gross_sales numeric(24, 4) not null,
  discounts numeric(24, 4) not null,
  returns numeric(24, 4) not null,
  shipping numeric(24, 4) not null,
  taxes numeric(24, 4) not null,
  duties numeric(24, 4) not null,
  fees numeric(24, 4) not null,
  order_value numeric(24, 4) not null,
  version bigint not null,
  primary key (tenant_id, dimension, currency, day, value_id)
);
comment on table sales_rollups is 'The figures by day, currency and value of a dimension. A row whose figures fall to zero stays.';
comment on column sales_rollups.value_id is 'The id of the customer or of the product; 0 for the whole shop.';
comment on column sales_rollups.version is 'The data_version of the shop in which the row last changed.';
create index sales_rollups_customer on sales_rollups (tenant_id, value_id, currency, day) where dimension = 'CUSTOMER';
create index sales_rollups_version on sales_rollups (tenant_id, version) where dimension = 'SHOP';

-- What the rollup must hold: one branch for each dimension. A rebuild copies these rows, and `xboard verify` compares the rollup
-- with them. The ledger is read once. Numbers come before texts in `group by`, because sorts compare them faster, and because
-- rows of one day are read together.
create function recomputed_sales_rollups(of_tenant uuid) returns table (
  tenant_id uuid,
  dimension text,
  currency text,
  day date,
  value_id bigint,
  orders bigint,
  units_sold bigint,
  gross_sales numeric,
  discounts numeric,
  returns numeric,
  shipping numeric,
  taxes numeric,
  duties numeric,
  fees numeric,
  order_value numeric
) language sql stable as $$
with contributions as materialized (
  select * from sale_contributions c where c.tenant_id = of_tenant
)
select
  of_tenant,
  'SHOP',
  currency,
  day,
  0,
  sum(orders)::bigint,
  sum(units_sold)::bigint,
  sum(gross_sales),
  sum(discounts),
  sum(returns),
  sum(shipping),
  sum(taxes),
  sum(duties),
  sum(fees),
  sum(order_value)
from contributions
group by day, currency
union all
select
  of_tenant,
  'CUSTOMER',
  currency,
  day,
  customer_id,
  sum(orders)::bigint,
  sum(units_sold)::bigint,
  sum(gross_sales),
  sum(discounts),
  sum(returns),
  sum(shipping),
  sum(taxes),
  sum(duties),
  sum(fees),
  sum(order_value)
from contributions
where customer_id is not null
group by day, customer_id, currency
union all
select
  of_tenant,
  'PRODUCT',
  currency,
  day,
  product_id,
  sum(orders)::bigint,
  sum(units_sold)::bigint,
  sum(gross_sales),
  sum(discounts),
  sum(returns),
  sum(shipping),
  sum(taxes),
  sum(duties),
  sum(fees),
  sum(order_value)
from contributions
where product_id is not null
group by day, product_id, currency
$$;

-- Sorted lists of customers and products need figures of all time with an index for each sort order.
create table sales_totals (
  tenant_id uuid not null,
  dimension text not null check (dimension in ('CUSTOMER', 'PRODUCT')),
  value_id bigint not null,
  orders bigint not null default 0,
  units_sold bigint not null default 0,
  gross_sales numeric(24, 4) not null default 0,
  discounts numeric(24, 4) not null default 0,
  returns numeric(24, 4) not null default 0,
  shipping numeric(24, 4) not null default 0,
  taxes numeric(24, 4) not null default 0,
  duties numeric(24, 4) not null default 0,
  fees numeric(24, 4) not null default 0,
  order_value numeric(24, 4) not null default 0,
  first_order_at timestamptz,
  first_order_day date,
  first_order_currency text,
  last_order_at timestamptz,
  version bigint not null,
  net_sales numeric(24, 4) not null generated always as (gross_sales - discounts - returns) stored,
  total_sales numeric(24, 4) not null
    generated always as (gross_sales - discounts - returns + shipping + taxes + duties + fees) stored,
  primary key (tenant_id, dimension, value_id)
);
comment on table sales_totals is
  'Figures of all time in the current currency of the shop. Every customer and every product has a row, if only of zeros.';
comment on column sales_totals.first_order_at is 'Of customers: the first order ever, in any currency.';
comment on column sales_totals.first_order_currency is 'The currency of the first order ever: customer counts need it.';
comment on column sales_totals.version is 'The data_version of the shop in which the row last changed. A cached ranking of customers reads newer rows.';
create index sales_totals_customer_spent on sales_totals (tenant_id, total_sales desc, value_id desc) where dimension = 'CUSTOMER';
create index sales_totals_customer_orders on sales_totals (tenant_id, orders desc, value_id desc) where dimension = 'CUSTOMER';
-- Customers without an order come last. A keyset page seeks by row comparison, which no index on a nullable column can
-- serve, so the index holds -infinity for "never".
create index sales_totals_customer_last_order on sales_totals
  (tenant_id, (coalesce(last_order_at, '-infinity'::timestamptz)) desc, value_id desc) where dimension = 'CUSTOMER';
create index sales_totals_customer_first_order on sales_totals (tenant_id, first_order_day) where dimension = 'CUSTOMER';
create index sales_totals_product_sales on sales_totals (tenant_id, net_sales desc, value_id desc) where dimension = 'PRODUCT';
create index sales_totals_product_units on sales_totals (tenant_id, units_sold desc, value_id desc) where dimension = 'PRODUCT';

create index sales_totals_version on sales_totals (tenant_id, version) where dimension = 'CUSTOMER';

create view customer_first_orders with (security_invoker = true) as
select distinct on (tenant_id, customer_id)
  tenant_id,
  customer_id,
  min(processed_at) over customer as first_order_at,
  day as first_order_day,
  currency as first_order_currency,
  max(processed_at) over customer as last_order_at
from orders
where counted and customer_id is not null
window customer as (partition by tenant_id, customer_id)
order by tenant_id, customer_id, day, processed_at, id;
comment on view customer_first_orders is
  'The first order ever of each customer, by day and instant: where clocks go back over midnight, an order of the day before may be placed later.';

-- What sales_totals must hold: a row for every customer and product, and for every product that an order names. A row of
-- zeros stands for those without a sale.
create view recomputed_sales_totals with (security_invoker = true) as
with parts as (
  select
    r.tenant_id, r.dimension, r.value_id, r.orders, r.units_sold, r.gross_sales, r.discounts, r.returns, r.shipping,
    r.taxes, r.duties, r.fees, r.order_value
  from sales_rollups r
  join shops s on s.tenant_id = r.tenant_id and s.currency = r.currency
  where r.dimension <> 'SHOP'
  union all
  select tenant_id, 'CUSTOMER', id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from customers
  union all
  select tenant_id, 'PRODUCT', id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from products
), sums as (
  select
    tenant_id,
    dimension,
    value_id,
    sum(orders)::bigint as orders,
    sum(units_sold)::bigint as units_sold,
    sum(gross_sales) as gross_sales,
    sum(discounts) as discounts,
    sum(returns) as returns,
    sum(shipping) as shipping,
    sum(taxes) as taxes,
    sum(duties) as duties,
    sum(fees) as fees,
    sum(order_value) as order_value
  from parts
  group by tenant_id, dimension, value_id
)
select
  s.*,
  f.first_order_at,
  f.first_order_day,
  f.first_order_currency,
  f.last_order_at
from sums s
left join customer_first_orders f
  on f.tenant_id = s.tenant_id and f.customer_id = s.value_id and s.dimension = 'CUSTOMER';

-- Distinct customers of any range of days, exactly, from counts of pairs of days (decision 9).
create table first_order_counts (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  first_order_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, first_order_day)
);
comment on table first_order_counts is
  'Customers by the day of their first order in the currency and the day of their first order in any currency.';
create index first_order_counts_version on first_order_counts (tenant_id, version);

create table repeat_order_counts (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  previous_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, previous_day)
);
comment on table repeat_order_counts is
  'Customers with an order in the currency on the day, by the day of their order before. A count that falls to zero stays.';
create index repeat_order_counts_version on repeat_order_counts (tenant_id, version);

create table second_order_counts (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  second_order_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, second_order_day)
);
comment on table second_order_counts is
  'Customers by the day of their first order ever and the day of their next order, in the currency of the first.';
comment on column second_order_counts.second_order_day is 'The first day itself after two orders on it; infinity without a second order.';
create index second_order_counts_version on second_order_counts (tenant_id, version);

-- What the three tables of counts must hold.
create view recomputed_customer_counts with (security_invoker = true) as
with days as (
  select tenant_id, customer_id, currency, day, count(*) as orders
  from orders
  where counted and customer_id is not null
  group by tenant_id, customer_id, currency, day
), chain as (
  select
    tenant_id, customer_id, currency, day, orders,
    lag(day) over chain as previous_day,
    lead(day) over chain as next_day,
    min(day) over (partition by tenant_id, customer_id) as first_order_day
  from days
  window chain as (partition by tenant_id, customer_id, currency order by day)
)
select tenant_id, 'FIRST_ORDER' as kind, currency, day, first_order_day as other_day, count(*) as customers
from chain where previous_day is null
group by tenant_id, currency, day, first_order_day
union all
select tenant_id, 'REPEAT_ORDER', currency, day, previous_day, count(*)
from chain where previous_day is not null
group by tenant_id, currency, day, previous_day
union all
select
  c.tenant_id, 'SECOND_ORDER', c.currency, c.day,
  case when c.orders > 1 then c.day else coalesce(c.next_day, 'infinity') end, count(*)
from chain c
join customer_first_orders f on f.tenant_id = c.tenant_id and f.customer_id = c.customer_id
where c.currency = f.first_order_currency and c.day = f.first_order_day
group by 1, 2, 3, 4, 5;

-- The stored counts, in the same shape.
create view customer_counts with (security_invoker = true) as
select tenant_id, 'FIRST_ORDER' as kind, currency, day, first_order_day as other_day, customers, version from first_order_counts
union all
select tenant_id, 'REPEAT_ORDER', currency, day, previous_day, customers, version from repeat_order_counts
union all
select tenant_id, 'SECOND_ORDER', currency, day, second_order_day, customers, version from second_order_counts;

do $$
declare
  name text;
begin
  foreach name in array array[
    'sales', 'sales_rollups', 'sales_totals', 'first_order_counts', 'repeat_order_counts', 'second_order_counts'
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
grant select on
  sale_contributions, recomputed_sales_totals, customer_first_orders, recomputed_customer_counts,
  customer_counts
  to xboard_app;
