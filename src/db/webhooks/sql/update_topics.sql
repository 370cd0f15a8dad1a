insert into webhook_topics (tenant_id, topic, last_received_at)
select $1, topic, $3
from unnest($2::text[]) topics (topic)
on conflict (tenant_id, topic) do update set
  last_received_at = greatest(webhook_topics.last_received_at, excluded.last_received_at)
