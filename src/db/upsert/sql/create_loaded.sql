-- Tables with the columns of their namesakes, without row security, emptied with each commit.
set local client_min_messages = warning;
create temporary table if not exists loaded_orders (like orders including generated) on commit delete rows;
create temporary table if not exists loaded_line_items (like line_items) on commit delete rows;
create temporary table if not exists loaded_refunds (like refunds) on commit delete rows;
create temporary table if not exists loaded_sales (like sales) on commit delete rows;
