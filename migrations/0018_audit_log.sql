-- Who did what to a store and its members, when and from where. Written in the transaction of what it tells of,
-- so that neither is there without the other. Never a secret in it. Rows are only ever added, and pruned when
-- they are old; they go with the store.
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
comment on column audit_log.actor_email is 'The address of the user at that time: users may go, what they did stays.';
comment on column audit_log.subject is 'To whom or what it was done: an email address, a role, a count.';
create index audit_log_at on audit_log (tenant_id, at desc, id desc);

do $$ begin
  alter table audit_log enable row level security;
  alter table audit_log force row level security;
  grant select, insert, delete on audit_log to xboard_app;
  create policy tenant_isolation on audit_log to xboard_app
    using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
end $$;
