-- What a sale means for each figure stands in one function now, and not in two views: metrics.md in SQL. It is
-- inlined into whatever reads it, so that rows on their way into the ledger are counted by the same words as
-- those that are there.
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
comment on function sale_amounts is 'metrics.md in SQL, for one sale: what it adds to each figure. No row for what is in no figure. placed_sales: gross - discounts of the ORDER agreement, for the average order value.';

create or replace view sale_figures with (security_invoker = true) as
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
comment on view sale_figures is 'sale_amounts of every sale, and a row for every order that counts: additive.';
comment on column sale_figures.product_id is 'Of what was sold or taken back as a product.';

create or replace view product_order_figures with (security_invoker = true) as
select
  tenant_id, order_id, product_id, currency,
  sum(units_sold)::bigint as units_sold,
  sum(gross_sales - discounts - returns) as net_sales
from sale_figures
where product_id is not null
group by tenant_id, order_id, product_id, currency;
comment on view product_order_figures is 'sale_figures by order and product: what product_totals is a sum of.';
