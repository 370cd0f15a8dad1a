-- Webhooks: what was delivered, which objects are to be fetched because of it, what privacy requests ask for,
-- and how the store's upkeep (subscriptions, reconciliation) stands. Bodies of deliveries are never kept: a
-- delivery is a hint, and what is not stored needs no redaction.
create table webhook_deliveries (
  tenant_id uuid not null,
  id text not null,
  topic text not null,
  digest bytea,
  received_at timestamptz not null,
  primary key (tenant_id, id)
);
comment on table webhook_deliveries is 'One row per X-Shopify-Webhook-Id, so that a repeated delivery is done once. Pruned by the upkeep.';
comment on column webhook_deliveries.digest is 'SHA-256 of the body where a replay under another id would do harm; null elsewhere.';
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
comment on table webhook_hints is 'Objects that Shopify said have changed, each once however often it was said.';
comment on column webhook_hints.version is 'Moves with each mention: a hint that was heard again while it was worked on stays.';
create index webhook_hints_heard on webhook_hints (tenant_id, heard_at);

create table privacy_requests (
  tenant_id uuid not null,
  id uuid not null,
  kind text not null check (kind in ('DATA_REQUEST', 'CUSTOMER_REDACTION')),
  customer_id bigint not null,
  order_ids bigint[] not null,
  received_at timestamptz not null,
  completed_at timestamptz,
  document jsonb,
  primary key (tenant_id, id)
);
comment on column privacy_requests.document is 'What is held of the customer, for the owner to hand over; gone when the customer is redacted.';
create index privacy_requests_received on privacy_requests (tenant_id, received_at desc, id desc);
create index privacy_requests_customer on privacy_requests (tenant_id, customer_id);

create table shop_upkeep (
  tenant_id uuid primary key,
  reconciled_at timestamptz,
  reconciled_missed int not null default 0,
  reconciled_deleted int not null default 0,
  webhooks_checked_at timestamptz,
  webhooks_registered int not null default 0,
  webhooks_problem text
);
comment on table shop_upkeep is 'When the ids of a store were last compared, and whether its webhooks are registered.';

alter table tenants add column next_upkeep_at timestamptz;
create index tenants_upkeep on tenants (next_upkeep_at) where status = 'CONNECTED';
-- After a secret is replaced Shopify goes on signing with the old one for a while.
alter table shop_credentials add column sealed_previous bytea, add column replaced_at timestamptz;
-- A customer whose personal fields were redacted stays without them, whatever is fetched later.
alter table customers add column redacted_at timestamptz;

do $$
declare
  name text;
begin
  foreach name in array array['webhook_deliveries', 'webhook_hints', 'privacy_requests', 'shop_upkeep'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select, insert, update, delete on %I to xboard_app', name);
    execute format(
      'create policy tenant_isolation on %I to xboard_app '
      'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
      'with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  end loop;
end $$;
