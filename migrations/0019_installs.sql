-- Installing the operator's own app by a merchant's consent (the authorization-code grant): a third kind of
-- credentials; consents that are under way; and stores that let us in and wait for somebody to take them over.
-- The last two are known before a store is, so they belong to the role xboard_system, and hold nothing of one.
alter table shop_credentials drop constraint shop_credentials_kind_check;
alter table shop_credentials add constraint shop_credentials_kind_check
  check (kind in ('ACCESS_TOKEN', 'CLIENT_CREDENTIALS', 'OAUTH'));

create table install_states (
  state_hash bytea primary key,
  browser_hash bytea not null,
  shop_domain text not null,
  expires_at timestamptz not null
);
comment on table install_states is 'Consents that merchants are being asked for. The state is good once, for ten minutes, and in the browser that it was made for.';
create index install_states_expiry on install_states (expires_at);

create table install_claims (
  token_hash bytea primary key,
  sealed_for uuid not null,
  sealed bytea not null,
  shop_domain text not null,
  expires_at timestamptz not null
);
comment on table install_claims is 'Stores whose merchants agreed and whom no account has yet: for who holds the token, for half an hour.';
comment on column install_claims.sealed_for is 'The associated data that the tokens are sealed with; they are sealed anew for the tenant that takes them.';
create index install_claims_expiry on install_claims (expires_at);

grant select, insert, update, delete on install_states, install_claims to xboard_system;
