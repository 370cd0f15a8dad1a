-- Who spent most in a range, planned for the range at hand: how much it holds decides which plan is good. The settings
-- are the function's own, so that an operation whose other statements are planned once need not change them before and
-- after, each of which would be an exchange.
create function top_customers_of_range(
  of_tenant uuid,
  of_currency text,
  first_day date,
  last_day date,
  most bigint
) returns table (customer_id bigint, total_spent numeric, orders bigint) language plpgsql stable
  set plan_cache_mode = force_custom_plan
  set enable_seqscan = on
as $$
begin
  return query
    select d.customer_id, sum(d.total_sales), sum(d.orders)::bigint
    from customer_days d
    where d.tenant_id = of_tenant and d.currency = of_currency and d.day between first_day and last_day
    group by d.customer_id having sum(d.orders) > 0 or sum(d.total_sales) > 0
    order by sum(d.total_sales) desc, d.customer_id desc limit most;
end $$;
comment on function top_customers_of_range is 'Those who ordered in the range, or whose orders grew in it, the first of them.';
