-- For loads of whole stores. Agreements and sales are staged under the hashes of their gids: numbers are
-- sorted, indexed and joined several times faster than texts. The figures of a sale are a view of their own,
-- so that a whole store can be summed without going through every order first. And the first load of a store
-- builds the rollups once, when all its orders are there; until then the store says that they are missing.
alter table shops add column figures_pending boolean not null default false;
comment on column shops.figures_pending is 'The first load is under way: orders are stored, the rollups are built when it ends.';

-- The staging shapes hold no rows.
alter table staged_agreements add column key bigint not null;
alter table staged_sales drop column agreement_gid, drop column gid;
alter table staged_sales add column agreement bigint not null, add column key bigint not null;
comment on column staged_agreements.key is 'The first 64 bits of the SHA-256 of its gid.';
comment on column staged_sales.agreement is 'The key of the agreement it belongs to.';
comment on column staged_sales.key is 'The first 64 bits of the SHA-256 of its gid.';

-- metrics.md in SQL, per sale and per order that counts: additive. Everything else sums this.
create view sale_figures with (security_invoker = true) as
select
  s.tenant_id, s.order_id, o.customer_id, s.currency, s.day, s.happened_at,
  0 as orders,
  case when s.sold then coalesce(s.quantity, 0) else 0 end as units_sold,
  case when s.sold then s.net + s.discount else 0 end as gross_sales,
  case when s.sold then s.discount else 0 end as discounts,
  case when s.taken_back then -s.net else 0 end as returns,
  case when s.line_type = 'SHIPPING' then s.net else 0 end as shipping,
  s.tax as taxes,
  case when s.line_type = 'DUTY' then s.net else 0 end as duties,
  case when s.line_type in ('FEE', 'ADDITIONAL_FEE') then s.net else 0 end as fees,
  case when s.sold and s.reason = 'ORDER' then s.net else 0 end as placed_sales
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
union all
select tenant_id, id, customer_id, currency, day, processed_at, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
from orders
where counted;
comment on view sale_figures is 'metrics.md in SQL, per sale and per order that counts, additive. placed_sales: gross - discounts of the ORDER agreement, for the average order value.';

create or replace view order_instant_figures with (security_invoker = true) as
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
comment on view order_instant_figures is 'sale_figures by order and instant.';

create or replace view order_day_figures with (security_invoker = true) as
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
comment on view order_day_figures is 'sale_figures by order and day: what the rollups are sums of.';
grant select on sale_figures to xboard_app;
