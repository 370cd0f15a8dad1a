-- Syncs, the job queue, and webhooks.

create table sync_runs (
  tenant_id uuid not null,
  id uuid not null,
  mode text not null check (mode in ('INCREMENTAL', 'FULL')),
  trigger text not null check (trigger in ('REGISTER', 'MANUAL', 'WEBHOOK', 'SCHEDULE')),
  status text not null check (status in ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  queued_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  error text,
  primary key (tenant_id, id)
);
-- One active run per shop: a second request joins it.
create unique index sync_runs_active on sync_runs (tenant_id) where status in ('QUEUED', 'RUNNING');
create index sync_runs_queued on sync_runs (tenant_id, queued_at desc, id desc);

create table sync_steps (
  tenant_id uuid not null,
  run_id uuid not null,
  kind text not null check (kind in ('CUSTOMERS', 'PRODUCTS', 'ORDERS')),
  method text not null check (method in ('BULK', 'PAGED')),
  bulk_operation_gid text,
  bulk_created_at timestamptz,
  bulk_asked_at timestamptz,
  bulk_attempts int not null default 0,
  page_cursor text,
  since timestamptz,
  high_water timestamptz,
  done int not null default 0,
  total int,
  left_out bigint[] not null default '{}',
  finished_at timestamptz,
  primary key (tenant_id, run_id, kind),
  foreign key (tenant_id, run_id) references sync_runs (tenant_id, id) on delete cascade
);
comment on table sync_steps is 'Progress of a run for each kind of object, so that a run continues after a crash.';
comment on column sync_steps.bulk_created_at is 'By Shopify''s clock; bulk_asked_at is by ours.';
comment on column sync_steps.high_water is 'The newest updatedAt of the fetched objects; becomes the shop''s cursor when the step ends.';
comment on column sync_steps.left_out is 'Ids of skipped objects, at most 100: Shopify fails to return them, or the program cannot parse them. Their stored state stays.';

create table jobs (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  kind text not null,
  dedupe_key text not null,
  payload jsonb not null,
  attempts int not null default 0,
  run_at timestamptz not null,
  claimed_by uuid,
  claimed_until timestamptz,
  last_error text,
  dead_at timestamptz,
  created_at timestamptz not null
);
comment on table jobs is 'The queue. A job is inserted in the transaction that causes it, and claimed with SKIP LOCKED under a lease that its worker renews.';
-- At most one waiting job per key. A claimed job does not count: a change during its execution queues another one.
create unique index jobs_waiting on jobs (dedupe_key) where claimed_by is null and dead_at is null;
create index jobs_due on jobs (run_at) where dead_at is null;
create index jobs_tenant on jobs (tenant_id);

create table webhook_deliveries (
  tenant_id uuid not null,
  id text not null,
  topic text not null,
  digest bytea,
  received_at timestamptz not null,
  primary key (tenant_id, id)
);
comment on table webhook_deliveries is 'One row per X-Shopify-Webhook-Id, so that a repeated delivery has no effect. Maintenance deletes old rows. Bodies are not stored, so they need no redaction.';
comment on column webhook_deliveries.digest is 'SHA-256 of the body for topics where a replay under another id would do harm; null elsewhere.';
create index webhook_deliveries_topic on webhook_deliveries (tenant_id, topic, received_at);
create index webhook_deliveries_received on webhook_deliveries (tenant_id, received_at);
create index webhook_deliveries_digest on webhook_deliveries (tenant_id, digest) where digest is not null;

create table webhook_hints (
  tenant_id uuid not null,
  kind text not null check (kind in ('CUSTOMERS', 'PRODUCTS', 'ORDERS')),
  id bigint not null,
  deleted boolean not null,
  version bigint not null default 1,
  heard_at timestamptz not null,
  primary key (tenant_id, kind, id)
);
comment on table webhook_hints is 'Objects to fetch again because a webhook named them; one row per object, however many deliveries.';
comment on column webhook_hints.version is 'Increases with each delivery: a row that changed during its processing stays.';
create index webhook_hints_heard on webhook_hints (tenant_id, heard_at);

create table shop_upkeep (
  tenant_id uuid primary key,
  reconciled_at timestamptz,
  reconciled_missed int not null default 0,
  reconciled_deleted int not null default 0,
  webhooks_checked_at timestamptz,
  webhooks_registered int not null default 0,
  webhooks_problem text
);
comment on table shop_upkeep is 'Results of maintenance: the last reconciliation of ids, and the state of the webhook subscriptions.';

do $$
declare
  name text;
begin
  foreach name in array array[
    'sync_runs', 'sync_steps', 'webhook_deliveries', 'webhook_hints', 'shop_upkeep'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select, insert, update, delete on %I to xboard_app', name);
    execute format(
      'create policy tenant_isolation on %I to xboard_app '
      'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
      'with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  end loop;
end $$;

-- Both roles use the queue: a tenant's transaction queues jobs, and deletes a job that it completes.
alter table jobs enable row level security;
alter table jobs force row level security;
grant select, insert, update, delete on jobs to xboard_system;
grant select, insert, delete on jobs to xboard_app;
create policy system_access on jobs to xboard_system using (true) with check (true);
create policy tenant_isolation on jobs to xboard_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

-- Functions that do in one round trip what a transaction does in several: each sets the tenant itself.

-- Queues a job, unless the same one is waiting, and notifies the workers. Returns whether it queued one.
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
comment on type store_to_follow is 'A shop, its credentials, and the objects that wait longest for a fetch.';

-- Returns null if the shop is gone.
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

-- Records deliveries of one shop, the objects that they name and the job that they require, unless all of them were
-- received before: by their ids, or by their bodies where digests are given. A repeated delivery in a batch with a new
-- one names its objects again, which are then fetched once more. The objects come sorted by key, so that concurrent
-- calls lock rows in the same order. The job is claimed for for_worker, if that is given and no job of the same key
-- exists; otherwise it waits. The workers are notified, unless a job of the same key is claimed: its worker, or the
-- poll of the queue every second, handles the new one too.
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
comment on function take_deliveries is 'noted: at least one delivery is new. queued: the job was inserted. claimed: id of the job if it was claimed; follow: its objects, at most most_hints.';
