delete from webhook_deliveries
where tenant_id = $1
  and id in (
    select id
    from webhook_deliveries
    where tenant_id = $1 and received_at < $2 and digest is null
    order by received_at
    limit $3
  )
