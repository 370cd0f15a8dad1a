-- The staging tables of one bulk file. They are temporary: private to the connection, without write-ahead log, gone with
-- it. A row holds records of one object (or sales of one agreement) as the program encodes them.
create temporary table staged_records (
  object_id bigint not null,
  batch int not null,           -- the order in the file
  has_object boolean not null,  -- false: only children of the object
  records bytea not null
) with (toast_tuple_target = 8160);
-- A sale names only its agreement, so the order of a sale is found by a join.
create temporary table staged_sales (
  agreement_key bigint not null,  -- hash of the agreement's gid
  batch int not null,
  records bytea not null
) with (toast_tuple_target = 8160);
create temporary table staged_agreements (
  agreement_key bigint not null,
  order_id bigint not null
);
-- A row for each object, with all of its records.
create temporary table staged_objects (
  object_id bigint not null,
  records bytea not null
) with (toast_tuple_target = 8160);
-- Compressing rows that live for a minute costs more than it saves.
alter table staged_records alter column records set storage external;
alter table staged_sales alter column records set storage external;
alter table staged_objects alter column records set storage external;
