-- Claims the oldest due job that no worker holds. The caller excludes kinds, tenants and dedupe keys.
update jobs set
  claimed_by = $1,
  claimed_until = $3,
  attempts = attempts + 1
where id = (
  select id
  from jobs
  where failed_at is null
    and run_at <= $2
    and (claimed_until is null or claimed_until < $2)
    and kind <> all ($4::text[])
    and tenant_id <> all ($5::uuid[])
    and dedupe_key <> all ($6::text[])
  order by run_at, id
  limit 1
  for update skip locked
)
returning
  id,
  tenant_id as "tenant: TenantId",
  payload,
  attempts
