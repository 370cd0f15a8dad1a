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
  bulk_requested_at timestamptz,
  bulk_attempts int not null default 0,
  page_cursor text,
  since timestamptz,
  high_water timestamptz,
  done int not null default 0,
  total int,
  skipped_objects bigint[] not null default '{}',
  finished_at timestamptz,
  primary key (tenant_id, run_id, kind),
  foreign key (tenant_id, run_id) references sync_runs (tenant_id, id) on delete cascade
);
comment on table sync_steps is 'Progress of a run for each kind of object, so that a run continues after a crash.';
comment on column sync_steps.bulk_created_at is 'By Shopify''s clock; bulk_requested_at is by ours.';
comment on column sync_steps.high_water is 'The newest updatedAt of the fetched objects; becomes the shop''s cursor when the step ends.';
comment on column sync_steps.skipped_objects is 'Ids of skipped objects, at most 100: Shopify fails to return them, or the program cannot parse them. Their stored state stays.';

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
  failed_at timestamptz,
  created_at timestamptz not null
);
comment on table jobs is 'The queue. A job is inserted in the transaction that causes it, and claimed with SKIP LOCKED under a lease that its worker renews.';
comment on column jobs.attempts is 'Counted when the job is claimed, so that a job that kills its process fails in the end too.';
comment on column jobs.failed_at is 'When the job became a dead letter. Maintenance deletes old ones.';
-- At most one waiting job per key. A claimed job does not count: a change during its execution queues another one.
create unique index jobs_waiting on jobs (dedupe_key) where claimed_by is null and failed_at is null;
create index jobs_due on jobs (run_at, id) where failed_at is null;
create index jobs_claimed on jobs (claimed_until) where claimed_by is not null;
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
create index webhook_deliveries_received on webhook_deliveries (tenant_id, received_at);
create index webhook_deliveries_digest on webhook_deliveries (tenant_id, digest) where digest is not null;

create table webhook_topics (
  tenant_id uuid not null,
  topic text not null,
  last_received_at timestamptz not null,
  primary key (tenant_id, topic)
) with (fillfactor = 50);
comment on table webhook_topics is 'When the last delivery of each topic was received; updated in the transaction that records the delivery.';

create table pending_refetches (
  tenant_id uuid not null,
  kind text not null check (kind in ('CUSTOMERS', 'PRODUCTS', 'ORDERS')),
  id bigint not null,
  deleted boolean not null,
  version bigint not null default 1,
  requested_at timestamptz not null,
  primary key (tenant_id, kind, id)
);
comment on table pending_refetches is 'Objects to fetch again because a webhook named them; one row per object, however many deliveries.';
comment on column pending_refetches.version is 'Increases with each delivery: a row that changed during its processing stays.';
create index pending_refetches_requested on pending_refetches (tenant_id, requested_at);

create table shop_maintenance (
  tenant_id uuid primary key,
  reconciled_at timestamptz,
  reconciled_missed int not null default 0,
  reconciled_deleted int not null default 0,
  webhooks_checked_at timestamptz,
  webhooks_registered int not null default 0,
  webhooks_problem text
);
comment on table shop_maintenance is 'Results of maintenance: the last reconciliation of ids, and the state of the webhook subscriptions.';

do $$
declare
  name text;
begin
  foreach name in array array[
    'sync_runs', 'sync_steps', 'webhook_deliveries', 'webhook_topics', 'pending_refetches', 'shop_maintenance'
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

-- Both roles use the queue: a tenant's transaction queues jobs, and its maintenance deletes old dead letters.
alter table jobs enable row level security;
alter table jobs force row level security;
grant select, insert, update, delete on jobs to xboard_system;
grant select, insert, delete on jobs to xboard_app;
create policy system_access on jobs to xboard_system using (true) with check (true);
create policy tenant_isolation on jobs to xboard_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
