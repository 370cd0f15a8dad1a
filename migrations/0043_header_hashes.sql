-- An order of which nothing but its own row is different is written without its parts.
alter table orders add column header_hash bigint;
comment on column orders.header_hash is 'content_hash is this # the hash of the parts: lines, refunds, ledger, and whether it is a test. Null: written by a program of before.';
create table loaded_whole_orders (like loaded_orders, header_hash bigint not null);
comment on table loaded_whole_orders is 'The shape of a temporary table; loaded_orders is for programs of before.';
grant select on loaded_whole_orders to xboard_app;
