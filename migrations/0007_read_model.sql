-- What lets readers keep a store's figures in memory, and count the distinct customers of any range of days
-- without reading the customers. Each rollup row says in which data version it last changed, so that a reader
-- who knows an earlier one reads what changed since and nothing else. Distinct customers come from two tables
-- of counts: of a range [a, b], Sum(first_customers of its days) + Sum(returning_customers of its days whose
-- previous day lies before a). Both are as large as pairs of days, however many customers a store has.
alter table shops add column rebuilt_version bigint not null default 0;
comment on column shops.rebuilt_version is 'The data_version in which every rollup was worked out anew: a reader who knows an earlier one reads everything again.';

alter table daily_sales add column version bigint not null default 0;
alter table daily_sales alter column version drop default;
comment on column daily_sales.version is 'The store''s data_version in which the row was last written.';
create index daily_sales_version on daily_sales (tenant_id, version);

alter table customer_totals add column version bigint not null default 0;
alter table customer_totals alter column version drop default;
comment on column customer_totals.version is 'The store''s data_version in which these totals or any of the customer''s customer_days last changed.';
create index customer_totals_version on customer_totals (tenant_id, version);

create table first_customers (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  first_order_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, first_order_day)
);
comment on table first_customers is 'How many customers ordered in the currency for the first time on this day, by the day of their first order in any currency.';
create index first_customers_version on first_customers (tenant_id, version);

create table returning_customers (
  tenant_id uuid not null,
  currency text not null,
  day date not null,
  previous_day date not null,
  customers bigint not null,
  version bigint not null,
  primary key (tenant_id, currency, day, previous_day)
);
comment on table returning_customers is 'How many customers ordered in the currency on this day, and before it last on that one.';
comment on column returning_customers.customers is 'A row that reaches zero stays, with the version in which it did.';
create index returning_customers_version on returning_customers (tenant_id, version);

-- A customer's neighbouring days of one currency, from either side.
drop index customer_days_customer;
create index customer_days_customer on customer_days (tenant_id, customer_id, currency, day);

-- The counts of what is there already. The owner of the tables is held by row security too, so it is lifted
-- inside this transaction.
alter table customer_days no force row level security;
alter table customer_totals no force row level security;
insert into first_customers (tenant_id, currency, day, first_order_day, customers, version)
select d.tenant_id, d.currency, d.day, t.first_order_day, count(*), 0
from (select tenant_id, currency, customer_id, min(day) as day from customer_days where orders > 0
      group by tenant_id, currency, customer_id) d
join customer_totals t on t.tenant_id = d.tenant_id and t.customer_id = d.customer_id
group by d.tenant_id, d.currency, d.day, t.first_order_day;
insert into returning_customers (tenant_id, currency, day, previous_day, customers, version)
select tenant_id, currency, day, previous_day, count(*), 0
from (select tenant_id, currency, day,
             lag(day) over (partition by tenant_id, currency, customer_id order by day) as previous_day
      from customer_days where orders > 0) d
where previous_day is not null
group by tenant_id, currency, day, previous_day;
alter table customer_days force row level security;
alter table customer_totals force row level security;

do $$
declare
  name text;
begin
  foreach name in array array['first_customers', 'returning_customers'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('grant select, insert, update, delete on %I to xboard_app', name);
    execute format(
      'create policy tenant_isolation on %I to xboard_app '
      'using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) '
      'with check (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)', name);
  end loop;
end $$;
