-- What orders add to the figures, as the program hands it over with the orders themselves: see src/db/merge/replace.rs.
create type given_figure as (
  customer_id bigint,
  currency text,
  happened_at timestamptz,
  orders bigint,
  units_sold bigint,
  gross_sales numeric,
  discounts numeric,
  returns numeric,
  shipping numeric,
  taxes numeric,
  duties numeric,
  fees numeric,
  placed_sales numeric,
  product_id bigint
);
comment on type given_figure is 'What a sale adds to the figures, or (orders is 1) an order by being placed. product_id: the product that was sold or taken back.';
