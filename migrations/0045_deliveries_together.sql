-- Notes deliveries of one store with their hints and the job that they call for, unless all of them came before: by
-- their ids, or by their bodies where digests are given. A delivery that came before, in the company of one that did
-- not, leaves its hints again, and what they name is looked at once more. The hints are given in the order of their
-- keys, so that two who write the same ones wait for each other in one order.
-- The job is claimed for for_worker, where one is given and no job like it waits or is being worked on; otherwise it
-- waits, unless the same one waits already. The workers are told, unless its like is being worked on: who does that
-- follows this too, or it is found by those who look every second.
-- take_delivery, which took one, stays for the program of before.
create function take_deliveries(
  of_tenant uuid,
  deliveries text[],
  topics text[],
  digests bytea[],
  taken_at timestamptz,
  hint_kinds text[],
  hint_ids bigint[],
  hints_deleted boolean[],
  job_kind text,
  job_key text,
  job_payload jsonb,
  for_worker uuid,
  claim_ends timestamptz,
  channel text,
  message text,
  most_hints integer,
  out noted boolean,
  out queued boolean,
  out claimed bigint,
  out follow store_to_follow
) language plpgsql
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
declare
  alike_is_under_way boolean;
begin
  perform enter_tenant(of_tenant);
  with taken as (
    insert into webhook_deliveries (tenant_id, id, topic, digest, received_at)
    select s.tenant_id, d.id, d.topic, d.digest, taken_at
    from shops s, unnest(deliveries, topics, digests) d(id, topic, digest)
    where s.tenant_id = of_tenant and (d.digest is null or not exists (
      select from webhook_deliveries e where e.tenant_id = of_tenant and e.digest = d.digest))
    on conflict (tenant_id, id) do nothing returning tenant_id
  ), hinted as (
    insert into webhook_hints (tenant_id, kind, id, deleted, heard_at)
    select t.tenant_id, h.kind, h.id, h.deleted, taken_at
    from (select tenant_id from taken limit 1) t, unnest(hint_kinds, hint_ids, hints_deleted) h(kind, id, deleted)
    on conflict (tenant_id, kind, id) do update set deleted = webhook_hints.deleted or excluded.deleted,
      version = webhook_hints.version + 1
  ), alike as materialized (
    select count(*) > 0 as is_there, count(j.claimed_by) > 0 as is_under_way
    from jobs j where j.tenant_id = of_tenant and j.dedupe_key = job_key and j.dead_at is null
  ), caused as (
    insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, created_at, attempts, claimed_by, claimed_until)
    select t.tenant_id, job_kind, job_key, job_payload, taken_at, taken_at, case when c.worker is null then 0 else 1 end,
      c.worker, c.ends
    from (select tenant_id from taken limit 1) t cross join alike a
    left join (values (for_worker, claim_ends)) c(worker, ends) on not a.is_there
    where job_kind is not null
    on conflict do nothing returning id, claimed_by
  )
  select exists (select from taken), exists (select from caused), (select id from caused where claimed_by is not null),
    (select is_under_way from alike)
  into noted, queued, claimed, alike_is_under_way;
  if queued and claimed is null and not alike_is_under_way then
    perform pg_notify(channel, message);
  end if;
  if claimed is not null and job_kind = 'hints' then
    follow := hints_to_follow(of_tenant, most_hints);
  end if;
end $$;
comment on function take_deliveries is 'noted: one of them did not come before. queued: their job was written down, it did not wait already. claimed: the job, where it was claimed; follow: what it is to follow, at most most_hints.';
