-- Customers that only an order names: an order may come before its customer, or outlive it.
insert into customers (tenant_id, id, display_name, tags, content_hash, synced_at)
select $1::uuid, o.customer_id, '', '{}', 0, min(o.synced_at)
from orders o
where o.tenant_id = $1
  and o.customer_id is not null
  and not exists (select from customers c where c.tenant_id = $1 and c.id = o.customer_id)
group by o.customer_id
on conflict (tenant_id, id) do nothing
