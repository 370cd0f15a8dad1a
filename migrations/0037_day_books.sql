-- A store's day book in one piece: what a process that knows nothing of the store reads instead of all of its days.
-- What changed since its version is read as always, so that it need not be of the present one. Made from the rollups
-- and worth nothing beside them: a row that is missing, or of another form, is made again.
create table day_books (
  tenant_id uuid primary key,
  currency text not null,
  version bigint not null,
  form smallint not null,
  book bytea not null
);
comment on table day_books is 'The rollups of days and of the presence of customers, in the shop''s currency, for quick reading.';
comment on column day_books.version is 'The store''s data_version that it shows.';
comment on column day_books.form is 'How it is written: a program reads its own form only.';
alter table day_books alter column book set storage external;

alter table day_books enable row level security;
alter table day_books force row level security;
grant select, insert, update, delete on day_books to xboard_app;
create policy tenant_isolation on day_books to xboard_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
