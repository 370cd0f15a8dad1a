-- Queues a job of a store, unless the same one waits already, and tells the workers: one exchange, where a transaction
-- takes three. True: it was queued.
create function queue_job(
  of_tenant uuid,
  job_kind text,
  job_key text,
  job_payload jsonb,
  due timestamptz,
  channel text,
  message text
) returns boolean language plpgsql
as $$
begin
  perform enter_tenant(of_tenant);
  insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, created_at)
  values (of_tenant, job_kind, job_key, job_payload, due, due) on conflict do nothing;
  if found then
    perform pg_notify(channel, message);
  end if;
  return found;
end $$;
