-- The steps of a run are deleted with it.
delete from sync_runs
where tenant_id = $1
  and id in (
    select id
    from sync_runs
    where tenant_id = $1
      and finished_at < $2
      and id not in (
        select id
        from sync_runs
        where tenant_id = $1
        order by queued_at desc, id desc
        limit $3
      )
    order by queued_at
    limit $4
  )
