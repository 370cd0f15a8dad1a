select
  j.id,
  t.shop_domain as "shop?",
  j.kind,
  j.attempts,
  j.run_at,
  j.last_error,
  case
    when j.failed_at is not null then 'DEAD'
    when j.claimed_until >= $2 then 'RUNNING'
    else 'WAITING'
  end as "state!"
from jobs j
left join tenants t on t.id = j.tenant_id
where not $1 or j.failed_at is not null
order by j.failed_at is null, j.run_at, j.id
limit 1000
