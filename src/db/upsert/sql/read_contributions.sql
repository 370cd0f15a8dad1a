-- What these orders contribute to the figures at this moment. The view has one column per figure.
select *
from sale_contributions
where tenant_id = $1 and order_id = any($2)
