-- That everything of a store was deleted, at whose request and when: its own audit log goes with it, so somebody
-- who asks later would find nothing. It names the store, and nothing else of it. Belongs to the role
-- xboard_system. Code that does not know the table yet works beside it.
create table forgotten_stores (
  id uuid primary key,
  shop_domain text not null,
  asked_by text not null check (asked_by in ('OPERATOR', 'SHOPIFY')),
  deleted_at timestamptz not null
);
comment on table forgotten_stores is 'Stores of which everything was deleted. A store that comes again is another one.';
create index forgotten_stores_deleted on forgotten_stores (deleted_at);

grant select, insert on forgotten_stores to xboard_system;
