-- Compares the counts of first, repeat and second orders with the orders.
select
  lower(kind) || '_counts' as "table!",
  'the number of customers of ' || day || ' and ' || other_day || ' in ' || currency as "subject!",
  coalesce(s.customers, 0)::text as "stored!",
  coalesce(r.customers, 0)::text as "recomputed!"
from (select * from customer_counts where tenant_id = $1) s
full join (select * from recomputed_customer_counts where tenant_id = $1) r using (kind, currency, day, other_day)
where coalesce(s.customers, 0) <> coalesce(r.customers, 0)
order by 1, 2
limit $2
