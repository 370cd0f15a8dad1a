-- A dead job is dropped when the same job waits already, or when a newer dead one is retried with it.
delete from jobs j
where j.failed_at is not null
  and ($1::bigint is null or j.id = $1)
  and exists (
    select from jobs o
    where o.dedupe_key = j.dedupe_key
      and o.claimed_by is null
      and (o.failed_at is null or (o.id > j.id and ($1::bigint is null or o.id = $1)))
  )
