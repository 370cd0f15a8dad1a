-- Inserts the deliveries that were not recorded before, by their id or by the digest of their body.
insert into webhook_deliveries (tenant_id, id, topic, digest, received_at)
select s.tenant_id, d.id, d.topic, d.digest, $5
from shops s
cross join unnest($2::text[], $3::text[], $4::bytea[]) d (id, topic, digest)
where s.tenant_id = $1
  and (d.digest is null or not exists (
    select from webhook_deliveries e
    where e.tenant_id = $1 and e.digest = d.digest
  ))
on conflict (tenant_id, id) do nothing
returning topic
