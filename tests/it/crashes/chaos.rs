//! Everything at once: a store lives on while its deliveries are dropped, doubled and shuffled, Shopify fails
//! now and then, and the program is killed again and again. Afterwards every figure is exact.

use std::time::Duration;

use shopify_simulator::{
    EditLine, Fault, FaultRate, NewLine, NewOrder, OrderChange, RefundLine, RefundRequest, Shop,
    WebhookPlan,
};

use super::world::World;

/// Decides what happens; the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        let place = self.below(u64::try_from(things.len()).unwrap());
        &things[usize::try_from(place).unwrap()]
    }
}

/// A new order, and something that happens to an earlier one. What an order no longer allows is no event.
fn live_on(shop: &Shop, dice: &mut Dice, customers: &[u64], placed: &mut Vec<u64>) {
    let lines = 1 + dice.below(3);
    let line = |dice: &mut Dice| NewLine {
        title: Some("Article".to_owned()),
        price: Some(
            format!("{}.{:02}", dice.below(80), dice.below(100))
                .parse()
                .unwrap(),
        ),
        quantity: i32::try_from(1 + dice.below(4)).unwrap(),
        ..NewLine::default()
    };
    let order = NewOrder {
        customer: (dice.below(5) > 0).then(|| *dice.one_of(customers)),
        lines: (0..lines).map(|_| line(dice)).collect(),
        shipping: "2.95".parse().unwrap(),
        ..NewOrder::default()
    };
    placed.push(shop.place_order(&order).unwrap().id);
    let id = *dice.one_of(placed);
    let Some(order) = shop.order(id) else { return };
    let line = order.line_items[0].id;
    let _refused = match dice.below(8) {
        0 => shop.edit_order(id, &[EditLine { line, by: 1 }]).map(drop),
        1 => shop.edit_order(id, &[EditLine { line, by: -1 }]).map(drop),
        2 | 3 => {
            let request = RefundRequest {
                lines: vec![RefundLine { line, quantity: 1 }],
                ..RefundRequest::default()
            };
            shop.refund_order(id, &request).map(drop)
        }
        4 => shop.cancel_order(id).map(drop),
        5 => shop.delete_order(id).map(drop),
        6 => shop.change_order(id, &OrderChange::default()).map(drop),
        _ => Ok(()),
    };
}

/// Lets so many orders happen to a store, in about so many seconds, with kills in between.
async fn chaos(seed: u64, orders: usize, kills: usize) {
    let mut world = World::start_reachable("chaos", 60).await;
    world.finish().await;
    world.shop.set_webhook_plan(WebhookPlan {
        allow_http: true,
        drop_percent: 20,
        duplicate_percent: 20,
        shuffle_millis: 400,
        retry_millis: 150,
        seed,
    });
    let faults = [
        Fault::TooManyRequests {
            retry_after: "0.05".to_owned(),
        },
        Fault::ServerError { status: 502 },
        Fault::InternalServerError,
        Fault::DropConnection,
    ];
    world.shop.set_fault_rate(Some(FaultRate {
        percent: 10,
        faults: faults.to_vec(),
        seed,
    }));
    let mut dice = Dice(seed);
    let customers: Vec<u64> = world.shop.customers().iter().map(|one| one.id).collect();
    let mut placed = Vec::new();
    let between = orders / (kills + 1);
    for number in 1..=orders {
        live_on(&world.shop, &mut dice, &customers, &mut placed);
        if number % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if number % between == 0 && number / between <= kills {
            tokio::time::sleep(Duration::from_millis(dice.below(900))).await;
            world.kill_now().await;
            let heard = world.shop.delivery_counts().delivered;
            world.launch().await;
            // However slow the machine is: a program that is killed before it hears anything hears nothing.
            world.hears_more_than(heard).await;
        }
    }
    world.deliveries_settled().await;
    world.shop.set_fault_rate(None);
    world.assert_most_was_heard(orders).await;
    world.reconcile().await;
    world.idle().await;
    world.assert_nothing_lost().await;
    world.assert_no_hints_left().await;
}

#[tokio::test]
async fn whatever_is_dropped_doubled_shuffled_or_killed_every_figure_is_exact_in_the_end() {
    chaos(20_261_123, 2_000, 6).await;
}

/// The longer command: `CHAOS_SEED=7 CHAOS_ORDERS=20000 cargo test --test it chaos -- --ignored`.
#[tokio::test]
#[ignore = "takes minutes; the short one runs always"]
async fn chaos_for_longer_with_a_seed_of_your_own() {
    let of = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().unwrap())
    };
    let orders = usize::try_from(of("CHAOS_ORDERS", 10_000)).unwrap();
    chaos(of("CHAOS_SEED", 7).max(1), orders, orders / 250).await;
}
