-- Compares the rollups with the ledger, figure by figure. A missing row stands for zeros.
with stored as (
  select
    dimension, value_id, currency, day,
    to_jsonb(r) - array['tenant_id', 'dimension', 'value_id', 'currency', 'day', 'version'] as figures
  from sales_rollups r
  where tenant_id = $1
), recomputed as (
  select
    dimension, value_id, currency, day,
    to_jsonb(r) - array['tenant_id', 'dimension', 'value_id', 'currency', 'day'] as figures
  from recomputed_sales_rollups($1) r
)
select
  'sales_rollups' as "table!",
  figure || ' of ' || lower(dimension) || coalesce(' ' || nullif(value_id, 0), '') || ' on ' || day || ' in ' || currency
    as "subject!",
  coalesce(s.figures ->> figure, '0') as "stored!",
  coalesce(r.figures ->> figure, '0') as "recomputed!"
from stored s
full join recomputed r using (dimension, value_id, currency, day)
cross join lateral jsonb_object_keys(coalesce(s.figures, r.figures)) figure
where s.figures is distinct from r.figures
  and coalesce(s.figures -> figure, '0') <> coalesce(r.figures -> figure, '0')
order by dimension, value_id, currency, day, figure
limit $2
