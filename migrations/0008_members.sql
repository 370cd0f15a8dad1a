-- Stores with several members: invitations, what is known of a session beyond its life, and passwords that are
-- set anew. All of it is read before a store is known, so it belongs to the role xboard_system. New columns may
-- be null, because an older program writes rows without them.
alter table sessions
  add column signed_in_at timestamptz,
  add column last_used_at timestamptz,
  add column address text,
  add column user_agent text;
comment on column sessions.signed_in_at is 'When the password was last given: a session that was made from another one lives no longer than that one could. Null: when it was created.';
comment on column sessions.last_used_at is 'When its refresh token was last traded. Null: never.';

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
comment on table invitations is 'Open invitations: the row goes when it is accepted, withdrawn or replaced by a newer one, or when its maker leaves.';
comment on column invitations.token_hash is 'SHA-256 of the token, which only the inviter has seen.';
create index invitations_inviter on invitations (invited_by);
create index invitations_expiry on invitations (expires_at);
alter table invitations enable row level security;
alter table invitations force row level security;
create policy system_access on invitations to xboard_system using (true) with check (true);

create table password_resets (
  user_id uuid primary key references users (id) on delete cascade,
  token_hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
comment on table password_resets is 'Made by an operator; each good once. A newer one of the same user replaces it.';

grant select, insert, update, delete on invitations, password_resets to xboard_system;
