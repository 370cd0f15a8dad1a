-- Series by the hour. The definitions of the figures move one step down, from an order's day to the instant
-- of each event, so that days and hours are sums of the same view and the definitions stay in one place.
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
      and (action_type = 'RETURN' or (action_type in ('ORDER', 'UPDATE') and negative)) as taken_back
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
where counted and deleted_at is null;
comment on view order_instant_figures is 'metrics.md in SQL, per order and instant, additive. placed_sales: gross - discounts of the ORDER agreement, for the average order value.';

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
from order_instant_figures
group by tenant_id, order_id, customer_id, currency, day;
comment on view order_day_figures is 'order_instant_figures by day: what the rollups are sums of.';
grant select on order_instant_figures to xboard_app;

-- The first instant of a calendar day. Where clocks go back over midnight, `at time zone` names the second
-- midnight of the day; where they go forward over it, the day begins at one.
create function day_start(day date, zone text) returns timestamptz language sql stable parallel safe
return case
  when ((day::timestamp at time zone zone - interval '1 hour') at time zone zone)::date = day
    then day::timestamp at time zone zone - interval '1 hour'
  else day::timestamp at time zone zone
end;
