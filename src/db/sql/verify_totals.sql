-- Compares the totals of customers and products with the rollups and the orders, figure by figure.
with stored as (
  select
    dimension, value_id,
    to_jsonb(t) - array['tenant_id', 'dimension', 'value_id', 'version', 'net_sales', 'total_sales'] as figures
  from sales_totals t
  where tenant_id = $1
), recomputed as (
  select
    dimension, value_id,
    to_jsonb(t) - array['tenant_id', 'dimension', 'value_id'] as figures
  from recomputed_sales_totals t
  where tenant_id = $1
)
select
  'sales_totals' as "table!",
  figure || ' of ' || lower(dimension) || ' ' || value_id as "subject!",
  coalesce(s.figures ->> figure, 'missing') as "stored!",
  coalesce(r.figures ->> figure, 'missing') as "recomputed!"
from stored s
full join recomputed r using (dimension, value_id)
cross join lateral jsonb_object_keys(coalesce(s.figures, r.figures)) figure
where s.figures is distinct from r.figures
  and s.figures -> figure is distinct from r.figures -> figure
order by dimension, value_id, figure
limit $2
