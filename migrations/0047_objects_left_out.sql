-- A run that left an object as it was, because Shopify fails at it or what it gives cannot be understood, says which.
alter table sync_steps add column left_out bigint[] not null default '{}';
comment on column sync_steps.left_out is 'Numbers of objects that Shopify fails at or that cannot be understood, the first hundred: they stay as they are.';
