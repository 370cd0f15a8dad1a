-- How many customers a store has, kept by whoever writes them: counting half a million takes longer than the
-- whole of a dashboard. Null for stores that are older than the column, until the next customer is written. A
-- program that is older than the column writes none: what it adds meanwhile is counted by the reconciliation.
alter table shops add column customers bigint;
alter table shops alter column customers set default 0;
comment on column shops.customers is 'Customers that are not deleted; null: not counted yet.';
