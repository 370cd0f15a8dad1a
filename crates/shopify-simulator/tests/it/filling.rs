//! Generated stores and data sets.

use std::collections::HashMap;

use shopify_simulator::{
    Amount, DatasetReport, Generation, LeftOut, Order, Reason, SaleKind, ShopSettings,
};

use crate::client::{World, settings};

fn generation(seed: u64, orders: u64) -> Generation {
    Generation {
        seed,
        ..Generation::of(orders, "2026-02-28".parse().unwrap())
    }
}

async fn generated(seed: u64, orders: u64) -> World {
    let world = World::with(settings()).await;
    world.shop.generate(&generation(seed, orders));
    world
}

#[tokio::test]
async fn the_same_seed_gives_the_same_store() {
    let (one, two, other) = (
        generated(5, 400).await,
        generated(5, 400).await,
        generated(6, 400).await,
    );
    let contents = |world: &World| format!("{:?}{:?}", world.shop.orders(), world.shop.customers());
    assert_eq!(contents(&one), contents(&two));
    assert_ne!(contents(&one), contents(&other));
    assert_eq!(one.shop.orders().len(), 400);
}

/// What must hold of every order.
fn check(order: &Order) {
    for (place, line) in order.line_items.iter().enumerate() {
        let place = u32::try_from(place).unwrap();
        let sales = || order.sales().filter(|sale| sale.line == Some(place));
        let left: i32 = sales().filter_map(|sale| sale.quantity).sum();
        assert_eq!(left, line.current_quantity, "{order:?}");
        if left == 0 {
            assert_eq!(sales().map(|sale| sale.total).sum::<Amount>(), Amount::ZERO);
        }
    }
    let first = &order.agreements[0];
    assert_eq!(first.reason, Reason::Order);
    let placed: Amount = first.sales.iter().map(|sale| sale.total).sum();
    assert_eq!(placed, order.original_total());
    let last = order.agreements.last().unwrap().happened_at;
    assert!(order.updated_at >= last || order.agreements.len() == 1);
    let returned: Amount = order
        .agreements
        .iter()
        .filter(|agreement| agreement.reason == Reason::Refund)
        .flat_map(|agreement| &agreement.sales)
        .map(|sale| sale.total)
        .sum();
    let refunded = if order.paid { -returned } else { Amount::ZERO };
    assert_eq!(order.refunded(), refunded);
}

#[tokio::test]
async fn a_generated_store_is_believable_and_its_ledger_agrees() {
    let world = generated(1, 3000).await;
    let orders = world.shop.orders();
    orders.iter().for_each(check);
    let share = |holds: fn(&Order) -> bool| orders.iter().filter(|order| holds(order)).count();
    assert!((100..300).contains(&share(|order| order.customer.is_none())));
    assert!((80..300).contains(&share(|order| !order.refunds.is_empty())));
    assert!((20..120).contains(&share(|order| order.cancelled_at.is_some())));
    assert!(share(|order| order.test) > 5);
    assert!(share(|order| order.line_items.len() > 60) >= 1);
    assert!(share(|order| order.agreements.len() > 10) >= 1);
    assert!(share(|order| order.line_items.len() > 250) == 1);
    for kind in [
        SaleKind::Tip,
        SaleKind::GiftCard,
        SaleKind::Duty,
        SaleKind::Adjustment,
    ] {
        assert!(
            orders
                .iter()
                .flat_map(Order::sales)
                .any(|sale| sale.kind == kind),
            "{kind:?}"
        );
    }
    let mut by_customer: HashMap<u64, usize> = HashMap::new();
    for customer in orders.iter().filter_map(|order| order.customer) {
        *by_customer.entry(customer).or_default() += 1;
    }
    let returning = by_customer.values().filter(|count| **count > 1).count();
    assert!(
        returning * 100 > by_customer.len() * 10,
        "{returning} of {}",
        by_customer.len()
    );
    assert!(by_customer.values().max() > Some(&8));
    let over = "2026-02-28T18:30:00Z".parse().unwrap();
    assert!(orders.iter().all(|order| order.updated_at < over));
}

const CSV: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,LAMP,6,2011-03-26 08:26:00,2.55,17850.0,United Kingdom
1,B,MUG,2,2011-03-26 08:26:00,1.00,17850.0,United Kingdom
1,F,SAMPLE,1,2011-03-26 08:26:00,0.0,17850.0,United Kingdom
2,A,LAMP,4,2011-03-27 09:00:00,3.00,17850.0,United Kingdom
3,A,LAMP,1,2011-03-28 09:00:00,3.00,,France
4,A,damaged,-7,2011-03-28 10:00:00,0.0,,United Kingdom
A5,B,Adjust bad debt,1,2011-03-28 10:00:00,-11.5,,United Kingdom
C6,A,LAMP,-5,2011-03-29 09:00:00,3.00,17850.0,United Kingdom
C6,B,MUG,-9,2011-03-29 09:00:00,1.00,17850.0,United Kingdom
C7,A,LAMP,-1,2011-03-29 09:00:00,3.00,,France
C8,Z,NEVER SOLD,-2,2011-03-29 09:00:00,4.00,17850.0,United Kingdom
";

#[tokio::test]
async fn a_data_set_becomes_orders_and_nothing_is_lost_silently() {
    let world = World::with(ShopSettings::new("retail")).await;
    let report = world.shop.read_dataset(CSV.as_bytes()).unwrap();
    let left_out = |lines, units, amount: &str| LeftOut {
        lines,
        units,
        amount: amount.parse().unwrap(),
    };
    assert_eq!(
        report,
        DatasetReport {
            lines: 11,
            orders: 3,
            guest_orders: 1,
            line_items: 5,
            free_line_items: 1,
            customers: 1,
            products: 3,
            return_lines: 2,
            units_returned: 7,
            returns_split: 1,
            returns_at_another_price: 1,
            other_price_difference: "0.45".parse().unwrap(),
            refunds: 2,
            returns_unmatched: left_out(2, -9, "-15"),
            returns_of_guests: left_out(1, -1, "-3"),
            stock_corrections: left_out(1, -7, "0"),
            adjustments: left_out(1, 1, "-11.5"),
        }
    );
    let orders = world.shop.orders();
    orders.iter().for_each(check);
    assert_eq!(orders[0].number, 1);
    assert_eq!(orders[0].processed_at.to_string(), "2011-03-26T08:26:00Z");
    // Summer time began in the night to the 27th.
    assert_eq!(orders[1].processed_at.to_string(), "2011-03-27T08:00:00Z");
    assert_eq!(orders[1].updated_at.to_string(), "2011-03-29T08:00:00Z");
    assert_eq!(orders[1].line_items[0].current_quantity, 0);
    assert_eq!(orders[0].line_items[0].current_quantity, 5);
    assert_eq!(orders[0].refunded().to_string(), "4.55");
    assert_eq!(orders[2].customer, None);
}
