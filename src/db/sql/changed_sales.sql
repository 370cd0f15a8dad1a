-- The rollup rows of the whole shop that changed after a version, in every currency.
select *
from sales_rollups
where tenant_id = $1 and dimension = 'SHOP' and version > $2
