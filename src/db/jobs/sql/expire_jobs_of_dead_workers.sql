-- Ends the leases of workers whose heartbeat lock is free. Each worker's lock is tried once, not once per job.
with owners as materialized (
  select distinct claimed_by as worker
  from jobs
  where claimed_until >= $2 and claimed_by <> $1
),
dead as materialized (
  select worker
  from owners
  where pg_try_advisory_xact_lock(hashtextextended(worker::text, 0))
)
update jobs set claimed_until = $2::timestamptz - interval '1 microsecond'
where claimed_until >= $2 and claimed_by in (select worker from dead)
