-- What a delivery of a webhook calls for is written, and what is to be followed is read, by one exchange with the
-- database each: the functions enter the store themselves. See src/db/webhooks.rs.

-- The same as before, in half the time.
create or replace function enter_tenant(tenant uuid) returns void language plpgsql as $$
begin
  perform set_config('app.tenant_id', tenant::text, true), set_config('role', 'xboard_app', true);
end $$;
create or replace function enter_system() returns void language plpgsql as $$
begin
  perform set_config('app.tenant_id', '', true), set_config('role', 'xboard_system', true);
end $$;

-- A job whose work ends with a transaction of its store is taken off the queue in that transaction.
grant delete on jobs to xboard_app;

-- A store, the credentials that it is asked with, and the hints that wait longest.
create type store_to_follow as (
  domain text,
  status text,
  credentials_kind text,
  sealed bytea,
  sealed_access_token bytea,
  access_token_expires_at timestamptz,
  kinds text[],
  ids bigint[],
  deleted boolean[],
  versions bigint[]
);
-- Null: the store is gone.
create function hints_to_follow(
  of_tenant uuid,
  most integer
) returns store_to_follow language plpgsql
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
as $$
declare
  follow store_to_follow;
begin
  perform enter_tenant(of_tenant);
  with hints as materialized (
    select * from webhook_hints h where h.tenant_id = of_tenant order by h.heard_at, h.id limit most
  )
  select s.domain, s.status, c.kind, c.sealed, c.sealed_access_token, c.access_token_expires_at,
    coalesce(h.kinds, '{}'), coalesce(h.ids, '{}'), coalesce(h.deleted, '{}'), coalesce(h.versions, '{}')
  into follow
  from shops s left join shop_credentials c on c.tenant_id = of_tenant
  cross join (
    select array_agg(hints.kind) as kinds, array_agg(hints.id) as ids, array_agg(hints.deleted) as deleted,
      array_agg(hints.version) as versions
    from hints
  ) h
  where s.tenant_id = of_tenant;
  if not found then
    return null;
  end if;
  return follow;
end $$;

-- Notes a delivery with its hints and its job, unless it came before: by its id, or by its body where a digest is
-- given. The job is claimed for for_worker, where one is given and no job like it waits or is being worked on;
-- otherwise it waits, unless the same one waits already. The workers are told, unless its like is being worked on: who
-- does that follows this too, or it is found by those who look every second.
create function take_delivery(
  of_tenant uuid,
  delivery text,
  of_topic text,
  of_digest bytea,
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
    select s.tenant_id, delivery, of_topic, of_digest, taken_at from shops s
    where s.tenant_id = of_tenant and (of_digest is null or not exists (
      select from webhook_deliveries d where d.tenant_id = of_tenant and d.digest = of_digest))
    on conflict (tenant_id, id) do nothing returning tenant_id
  ), hinted as (
    insert into webhook_hints (tenant_id, kind, id, deleted, heard_at)
    select t.tenant_id, h.kind, h.id, h.deleted, taken_at
    from taken t, unnest(hint_kinds, hint_ids, hints_deleted) h(kind, id, deleted)
    on conflict (tenant_id, kind, id) do update set deleted = webhook_hints.deleted or excluded.deleted,
      version = webhook_hints.version + 1
  ), alike as materialized (
    select count(*) > 0 as is_there, count(j.claimed_by) > 0 as is_under_way
    from jobs j where j.tenant_id = of_tenant and j.dedupe_key = job_key and j.dead_at is null
  ), caused as (
    insert into jobs (tenant_id, kind, dedupe_key, payload, run_at, created_at, attempts, claimed_by, claimed_until)
    select t.tenant_id, job_kind, job_key, job_payload, taken_at, taken_at, case when c.worker is null then 0 else 1 end,
      c.worker, c.ends
    from taken t cross join alike a
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
comment on function take_delivery is 'noted: it did not come before. queued: its job was written down, it did not wait already. claimed: the job, where it was claimed; follow: what it is to follow, at most most_hints.';
