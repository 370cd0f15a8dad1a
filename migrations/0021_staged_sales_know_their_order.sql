-- Shopify's file gives a sale only its agreement. Which order that is of is noted while the file is read, so that the
-- sales of an order are found, summed and numbered without joining all agreements of the store first.
-- The staging shapes hold no rows.
alter table staged_sales add column order_id bigint;
comment on column staged_sales.order_id is 'The order of its agreement; null where that agreement was not at hand when the sale was read.';
