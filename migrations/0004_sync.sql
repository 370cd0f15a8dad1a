-- Syncs and the jobs that carry them out.
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
-- One at a time: a second request finds the run that is under way.
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
  finished_at timestamptz,
  primary key (tenant_id, run_id, kind),
  foreign key (tenant_id, run_id) references sync_runs (tenant_id, id) on delete cascade
);
comment on table sync_steps is 'Where each kind of object of a run stands, so that a killed run goes on where it was.';
comment on column sync_steps.bulk_created_at is 'By Shopify''s clock; bulk_asked_at is by ours.';
comment on column sync_steps.high_water is 'The newest updatedAt of the root objects seen; becomes the shop''s cursor when the step ends.';

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
comment on table jobs is 'Queued in the transaction that causes them; claimed with SKIP LOCKED under a lease that its worker renews.';
-- At most one waiting job per key; one that is being worked on does not count, so nothing that comes in meanwhile is lost.
create unique index jobs_waiting on jobs (dedupe_key) where claimed_by is null and dead_at is null;
create index jobs_due on jobs (run_at) where dead_at is null;
create index jobs_tenant on jobs (tenant_id);

grant select, insert, update, delete on jobs to xboard_system;
grant select, insert on jobs to xboard_app;
alter table jobs enable row level security;
alter table jobs force row level security;
create policy system_access on jobs to xboard_system using (true) with check (true);

-- Every table of a store's data is held to the transaction's tenant, whoever owns it. A policy per table,
-- written out by a loop: the expression must be the same everywhere, and a policy may hold no subquery.
do $$
declare
  name text;
begin
  foreach name in array array[
    'shops', 'shop_credentials', 'customers', 'products', 'product_variants', 'tombstones', 'orders', 'line_items', 'refunds',
    'sales', 'daily_sales', 'customer_days', 'customer_totals', 'product_totals', 'sync_runs', 'sync_steps'
  ] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select, insert, update, delete on %I to xboard_app', name);
  end loop;
  foreach name in array array[
    'shops', 'shop_credentials', 'customers', 'products', 'product_variants', 'tombstones', 'orders', 'line_items', 'refunds',
    'sales', 'daily_sales', 'customer_days', 'customer_totals', 'product_totals', 'sync_runs', 'sync_steps', 'jobs'
  ] loop
    execute format(
      'create policy tenant_isolation on %I to xboard_app '
      'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
      'with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  end loop;
end $$;
grant select on order_instant_figures, order_day_figures, product_order_figures to xboard_app;
