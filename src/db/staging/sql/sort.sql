-- Brings the records of each object together, in the order of the ids. The children of an object may be anywhere in the
-- file. Records without their object, and sales without their agreement, belong to nothing that is stored.
analyze staged_records, staged_sales, staged_agreements;
insert into staged_objects (object_id, records)
select object_id, string_agg(records, ''::bytea)
from (
  select object_id, batch, has_object, records from staged_records
  union all
  select a.order_id, s.batch, false, s.records
  from staged_sales s join staged_agreements a on a.agreement_key = s.agreement_key
  order by object_id, batch
) parts
group by object_id
having bool_or(has_object)
order by object_id;
truncate staged_records, staged_sales, staged_agreements;
create index on staged_objects (object_id);
analyze staged_objects;
