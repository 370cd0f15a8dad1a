-- Users, tenants, and how users reach tenants.
--
-- Two roles separate the data. These tables are read before the tenant is resolved: at sign-in, by the
-- scheduler, when a webhook names its shop. They belong to xboard_system, which cannot read the data of any
-- shop. The data of shops belongs to xboard_app, which row security limits to one tenant per transaction.
-- Neither role can log in or bypass row security; every transaction of the program runs as one of the two.

-- Roles belong to the whole server, so another database may have created them already.
do $$ begin
  create role xboard_app nologin nosuperuser nobypassrls;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
  create role xboard_system nologin nosuperuser nobypassrls;
exception when duplicate_object or unique_violation then null; end $$;

-- The connecting user needs the right to switch to both roles. From PostgreSQL 16 on, the creator of a role is a
-- member without that right, so membership alone proves nothing there.
do $$
declare
  name text;
  privilege text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
  foreach name in array array['xboard_app', 'xboard_system'] loop
    if not pg_has_role(current_user, name, privilege) then
      execute format('grant %I to %I', name, current_user);
    end if;
  end loop;
end $$;

-- Both settings last until the end of the transaction. The tenant is set by SET LOCAL, which Citus propagates to its
-- workers; set_config does not reach them. Each function is called by a statement of its own.
create function enter_tenant(tenant uuid) returns void language plpgsql as $$
begin
  execute format('set local app.tenant_id = %L', tenant);
  perform set_config('role', 'xboard_app', true);
end $$;
create function enter_system() returns void language plpgsql as $$
begin
  set local app.tenant_id = '';
  perform set_config('role', 'xboard_system', true);
end $$;

create table users (
  id uuid primary key,
  email text not null unique,
  password_hash text not null,
  created_at timestamptz not null,
  disabled_at timestamptz
);
comment on column users.email is 'Lower case, as parsed by domain::Email.';
comment on column users.disabled_at is 'When the operator disabled the user; null: the user may sign in.';

create table tenants (
  id uuid primary key,
  shop_domain text not null unique,
  shop_gid text not null unique,
  shop_name text not null,
  status text not null check (status in ('CONNECTED', 'DISCONNECTED')),
  next_sync_at timestamptz,
  next_maintenance_at timestamptz,
  created_at timestamptz not null
);
comment on table tenants is 'The directory of shops, with the times of their next scheduled sync and maintenance. Of a shop''s data it holds the name and the domain, for the list of a user''s shops.';
comment on column tenants.shop_name is 'Copy of shops.name, renewed by each sync.';
create index tenants_due on tenants (next_sync_at) where status = 'CONNECTED';
-- Disconnected shops need maintenance too: their old webhook deliveries and audit entries expire.
create index tenants_maintenance on tenants (next_maintenance_at);

create table memberships (
  tenant_id uuid not null references tenants (id) on delete cascade,
  user_id uuid not null references users (id) on delete cascade,
  role text not null check (role in ('OWNER', 'ADMIN', 'VIEWER')),
  created_at timestamptz not null,
  primary key (tenant_id, user_id)
);
create index memberships_user on memberships (user_id);

create table sessions (
  id uuid primary key,
  user_id uuid not null references users (id) on delete cascade,
  tenant_id uuid not null references tenants (id) on delete cascade,
  created_at timestamptz not null,
  signed_in_at timestamptz,
  last_used_at timestamptz,
  expires_at timestamptz not null,
  ended_at timestamptz,
  address text,
  user_agent text
);
comment on column sessions.signed_in_at is 'When the user last entered the password. A session derived from another one does not outlive it. Null: at created_at.';
comment on column sessions.last_used_at is 'When the refresh token was last exchanged; null: never.';
create index sessions_user on sessions (user_id);
create index sessions_tenant on sessions (tenant_id);

create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  created_at timestamptz not null,
  used_at timestamptz
);
comment on column refresh_tokens.token_hash is 'SHA-256 of the token. Using a token again after used_at ends its session.';
create index refresh_tokens_session on refresh_tokens (session_id);

create table invitations (
  id uuid primary key,
  tenant_id uuid not null references tenants (id) on delete cascade,
  email text not null,
  role text not null check (role in ('OWNER', 'ADMIN', 'VIEWER')),
  token_hash bytea not null unique,
  invited_by uuid not null references users (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  unique (tenant_id, email)
);
comment on table invitations is 'Open invitations. The row is deleted on acceptance, withdrawal, replacement, and when the inviter leaves.';
comment on column invitations.token_hash is 'SHA-256 of the token; only the inviter has seen the token.';
create index invitations_inviter on invitations (invited_by);
create index invitations_expiry on invitations (expires_at);

create table password_resets (
  user_id uuid primary key references users (id) on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
comment on table password_resets is 'Single-use tokens created by an operator. A new one replaces the user''s previous one.';

-- The OAuth install of the operator's own Shopify app. Neither table refers to a tenant: the tenant does not
-- exist until a user claims the shop.
create table install_states (
  state_hash bytea primary key,
  browser_hash bytea not null,
  shop_domain text not null,
  expires_at timestamptz not null
);
comment on table install_states is 'OAuth states of pending consents: single-use, valid for ten minutes and only in the browser that started the install.';
create index install_states_expiry on install_states (expires_at);

create table install_claims (
  token_hash bytea primary key,
  sealed_for uuid not null,
  sealed bytea not null,
  shop_domain text not null,
  expires_at timestamptz not null
);
comment on table install_claims is 'Installed shops without a tenant. The holder of the token can claim the shop for half an hour.';
comment on column install_claims.sealed_for is 'Associated data of the encrypted tokens; they are encrypted again for the tenant that claims the shop.';
create index install_claims_expiry on install_claims (expires_at);

grant select, insert, update, delete on
  users, tenants, memberships, sessions, refresh_tokens, invitations, password_resets, install_states, install_claims
  to xboard_system;

-- Tables with a tenant_id have row security even here, so that "every tenant table has it" is a rule without
-- exceptions that the start-up check can verify.
do $$
declare
  name text;
begin
  foreach name in array array['memberships', 'sessions', 'invitations'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy system_access on %I to xboard_system using (true) with check (true)', name);
  end loop;
end $$;
