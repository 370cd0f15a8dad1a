-- Customers whom an order names before Shopify has sent them.
insert into customers (tenant_id, id, display_name, tags, content_hash, synced_at)
select $1::uuid, o.customer_id, '', '{}', 0, min(o.synced_at)
from orders o
where o.tenant_id = $1 and o.customer_id is not null
  and not exists (select from customers c where c.tenant_id = $1 and c.id = o.customer_id)
group by o.customer_id
on conflict do nothing
