-- Positions of a ledger have no gaps: whatever is behind the last one is gone.
delete from sales s
using unnest($2::bigint[], $3::int[]) ledger(order_id, last_position)
where s.tenant_id = $1 and s.order_id = ledger.order_id and s.position > ledger.last_position
