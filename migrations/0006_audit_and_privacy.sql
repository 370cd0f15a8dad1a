-- The audit log, and requests under privacy law.

create table audit_log (
  tenant_id uuid not null,
  id uuid not null,
  at timestamptz not null,
  action text not null,
  succeeded boolean not null,
  actor_kind text not null check (actor_kind in ('USER', 'OPERATOR', 'SHOPIFY', 'PROGRAM')),
  actor_email text,
  subject text,
  address text,
  primary key (tenant_id, id)
);
comment on table audit_log is 'Actions on a shop and its members, with actor, time and address; never a secret. Each row is inserted in the transaction of its action. Maintenance deletes old rows; the program cannot update one.';
comment on column audit_log.actor_email is 'The user''s email address at that time: the entry outlives the user.';
comment on column audit_log.subject is 'The object of the action: an email address, a role, a count.';
create index audit_log_at on audit_log (tenant_id, at desc, id desc);

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
comment on table privacy_requests is 'Requests of customers that Shopify passes on: for their data, or for its erasure.';
comment on column privacy_requests.document is 'The customer''s data, for the shop''s owner to hand over. Erased when the customer is redacted.';
create index privacy_requests_received on privacy_requests (tenant_id, received_at desc, id desc);
create index privacy_requests_customer on privacy_requests (tenant_id, customer_id);

create table erased_shops (
  id uuid primary key,
  shop_domain text not null,
  requested_by text not null check (requested_by in ('OPERATOR', 'SHOPIFY')),
  deleted_at timestamptz not null
);
comment on table erased_shops is 'Erased shops. The erasure deletes the shop''s audit log too, so this is the only record of it. A shop that connects again becomes a new tenant.';
create index erased_shops_deleted on erased_shops (deleted_at);
grant select, insert on erased_shops to xboard_system;

do $$
declare
  name text;
begin
  foreach name in array array['audit_log', 'privacy_requests'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format(
      'create policy tenant_isolation on %I to xboard_app '
      'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
      'with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  end loop;
end $$;
grant select, insert, delete on audit_log to xboard_app;
grant select, insert, update, delete on privacy_requests to xboard_app;
