//! All faults at once: a shop sells while its deliveries are dropped, repeated and shuffled, Shopify fails now and then,
//! and the program is killed repeatedly. Afterwards every figure is exact.

use std::time::Duration;

use shopify_simulator::{
    EditLine, Fault, FaultRate, NewLine, NewOrder, OrderChange, RefundLine, RefundRequest, Shop,
    WebhookPlan,
};

use super::world::World;

/// A random number generator with a fixed seed.
struct Rng(u64);

impl Rng {
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

/// Places an order and changes an earlier one. A change that the order does not allow is skipped.
fn live_on(shop: &Shop, rng: &mut Rng, customers: &[u64], placed: &mut Vec<u64>) {
    let lines = 1 + rng.below(3);
    let line = |rng: &mut Rng| NewLine {
        title: Some("Article".to_owned()),
        price: Some(
            format!("{}.{:02}", rng.below(80), rng.below(100))
                .parse()
                .unwrap(),
        ),
        quantity: i32::try_from(1 + rng.below(4)).unwrap(),
        ..NewLine::default()
    };
    let order = NewOrder {
        customer: (rng.below(5) > 0).then(|| *rng.one_of(customers)),
        lines: (0..lines).map(|_| line(rng)).collect(),
        shipping: "2.95".parse().unwrap(),
        ..NewOrder::default()
    };
    placed.push(shop.place_order(&order).unwrap().id);
    let id = *rng.one_of(placed);
    let Some(order) = shop.order(id) else { return };
    let line = order.line_items[0].id;
    let _refused = match rng.below(8) {
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

/// Places orders while the program is killed between them.
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
    let mut rng = Rng(seed);
    let customers: Vec<u64> = world.shop.customers().iter().map(|one| one.id).collect();
    let mut placed = Vec::new();
    let between = orders / (kills + 1);
    for number in 1..=orders {
        live_on(&world.shop, &mut rng, &customers, &mut placed);
        if number % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if number % between == 0 && number / between <= kills {
            tokio::time::sleep(Duration::from_millis(rng.below(900))).await;
            world.kill_now().await;
            let delivered = world.shop.delivery_counts().delivered;
            world.launch().await;
            // On a slow machine, the next kill must not come before the first delivery.
            world.receives_more_than(delivered).await;
        }
    }
    world.deliveries_settled().await;
    world.shop.set_fault_rate(None);
    world.assert_webhooks_worked(orders).await;
    world.reconcile().await;
    world.idle().await;
    world.assert_nothing_lost().await;
    world.assert_no_refetches_left().await;
}

#[tokio::test]
async fn every_figure_is_exact_after_dropped_repeated_and_shuffled_deliveries_and_kills() {
    chaos(20_261_123, 2_000, 6).await;
}

/// For longer: `CHAOS_SEED=7 CHAOS_ORDERS=20000 cargo test --test it chaos -- --ignored`.
#[tokio::test]
#[ignore = "takes minutes; the short one runs always"]
async fn chaos_for_longer_with_a_chosen_seed() {
    let of = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().unwrap())
    };
    let orders = usize::try_from(of("CHAOS_ORDERS", 10_000)).unwrap();
    chaos(of("CHAOS_SEED", 7).max(1), orders, orders / 250).await;
}
