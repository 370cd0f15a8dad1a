-- Users whom the operator does not let in. Their memberships stay. Code that does not know the column yet lets a
-- disabled user sign in, so nobody is to be disabled before every process has been replaced.
alter table users add column disabled_at timestamptz;
comment on column users.disabled_at is 'Since when the operator does not let the user in; null: they may sign in.';
