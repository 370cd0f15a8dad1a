-- The customer counts in a currency that changed after a version.
select
  kind as "kind!",
  day as "day!",
  nullif(other_day, 'infinity') as other_day,
  customers as "customers!"
from customer_counts
where tenant_id = $1 and currency = $2 and version > $3
