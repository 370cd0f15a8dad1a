-- Who may sign in, and which stores exist. These tables are read before a tenant is known (a login, a
-- scheduler, a webhook's shop domain), so they belong to the role xboard_system, which is given nothing of
-- any store's data. A store's own rows belong to xboard_app, which row security holds to one tenant.
-- Neither role can log in or bypass row security; every transaction of the program runs as one of the two.
do $$ begin
  create role xboard_app nologin nosuperuser nobypassrls;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
  create role xboard_system nologin nosuperuser nobypassrls;
exception when duplicate_object or unique_violation then null; end $$;
-- The connecting role must be able to become them; a superuser always can. From PostgreSQL 16 on, whoever made a
-- role is its member without the right to become it: being a member is not enough to know.
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

-- `set local` inside a function lasts until the end of the transaction, and (unlike set_config) reaches the
-- workers of a Citus cluster. Called as its own statement, right after BEGIN.
create function enter_tenant(tenant uuid) returns void language plpgsql as $$
begin
  execute format('set local app.tenant_id = %L', tenant);
  set local role xboard_app;
end $$;
create function enter_system() returns void language plpgsql as $$
begin
  set local app.tenant_id = '';
  set local role xboard_system;
end $$;

create table users (
  id uuid primary key,
  email text not null unique,
  password_hash text not null,
  created_at timestamptz not null
);
comment on column users.email is 'Lower case, as parsed by domain::Email.';

create table tenants (
  id uuid primary key,
  shop_domain text not null unique,
  shop_gid text not null unique,
  status text not null check (status in ('CONNECTED', 'DISCONNECTED')),
  next_sync_at timestamptz,
  created_at timestamptz not null
);
comment on table tenants is 'The directory: which stores exist and when each is due for its scheduled sync. No data of a store.';
create index tenants_due on tenants (next_sync_at) where status = 'CONNECTED';

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
  expires_at timestamptz not null,
  ended_at timestamptz
);
create index sessions_user on sessions (user_id);
create index sessions_tenant on sessions (tenant_id);

create table refresh_tokens (
  token_hash bytea primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  created_at timestamptz not null,
  used_at timestamptz
);
comment on column refresh_tokens.token_hash is 'SHA-256 of the token. A token presented after used_at ends its session.';
create index refresh_tokens_session on refresh_tokens (session_id);

grant select, insert, update, delete on users, tenants, memberships, sessions, refresh_tokens to xboard_system;

alter table memberships enable row level security;
alter table memberships force row level security;
create policy system_access on memberships to xboard_system using (true) with check (true);
alter table sessions enable row level security;
alter table sessions force row level security;
create policy system_access on sessions to xboard_system using (true) with check (true);
