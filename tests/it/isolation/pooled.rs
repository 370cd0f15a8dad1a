//! Connections are shared by all stores. Whatever becomes of an operation (an error, a client that goes away,
//! a time-out, a statement that is cancelled, a connection that is cut), the next one that gets its
//! connection finds nothing of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use apollo_compiler::ast::OperationType;
use futures_util::future::join_all;

use super::SEED;
use super::dice::Dice;
use super::operations::{Operation, Operations};
use super::world::{OWN_MARK, Party, World};
use crate::support::Beside;

/// How long it goes on.
const TIME: Duration = Duration::from_secs(8);

/// One party that asks again and again, often without waiting for the answer.
struct Asking<'a> {
    world: &'a World,
    program: &'a Beside,
    party: &'a Party,
    all: &'a [Operation],
}

impl Asking<'_> {
    /// Asks until the time is over; how many answers came.
    async fn until(&self, over: &AtomicBool, seed: u64) -> usize {
        let (world, party) = (self.world, self.party);
        let mut dice = Dice::new(seed);
        let mut answered = 0;
        while !over.load(Ordering::Relaxed) {
            let operation = dice.one_of(self.all).clone();
            let patience = match dice.below(3) {
                0 => Duration::from_micros(u64::try_from(dice.below(8_000)).unwrap()),
                _ => Duration::from_secs(30),
            };
            let sending = world.send_to(self.program, &operation, &party.token, patience);
            let Some(answer) = sending.await else {
                continue;
            };
            answered += 1;
            if party.label == world.ours.label {
                world.assert_clean(&operation.body().to_string(), &answer);
            } else {
                assert!(!answer.text.contains(OWN_MARK), "{}", answer.text);
            }
        }
        answered
    }
}

/// Cancels statements and cuts connections of the program, at any time.
async fn disturb(world: &World, over: &AtomicBool) {
    let mut connection = world.simulated.app.database.connection().await;
    let mut dice = Dice::new(SEED);
    while !over.load(Ordering::Relaxed) {
        let sql = if dice.percent(80) {
            "select count(pg_cancel_backend(pid)) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid() and state = 'active'"
        } else {
            "select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid() and state like 'idle%' limit 1) one"
        };
        let _: i64 = sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_given_up_midway_carries_nothing_over_to_another_store() {
    let world = World::start(SEED).await;
    let mut operations = Operations::new(SEED);
    let mut prepare = |party: &Party| -> Vec<Operation> {
        (0..80)
            .map(|_| operations.next(OperationType::Query, &party.words))
            .collect()
    };
    let (ours, theirs) = (prepare(&world.ours), prepare(&world.theirs));
    let over = Arc::new(AtomicBool::new(false));
    let answered = AtomicUsize::new(0);
    let hurried = world.hurried().await;
    let parties = (0..6_u64).map(|number| {
        let (party, all) = if number % 2 == 0 {
            (&world.ours, &ours)
        } else {
            (&world.theirs, &theirs)
        };
        let (program, world) = (&hurried, &world);
        let (over, answered) = (&over, &answered);
        async move {
            let asking = Asking {
                world,
                program,
                party,
                all,
            };
            answered.fetch_add(asking.until(over, SEED + number).await, Ordering::Relaxed);
        }
    });
    let end = async {
        tokio::time::sleep(TIME).await;
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(join_all(parties), disturb(&world, &over), end);
    let answered = answered.load(Ordering::Relaxed);
    assert!(answered > 40, "{answered} answers");
    // And it serves as before.
    for (party, all) in [(&world.ours, &ours), (&world.theirs, &theirs)] {
        let patience = Duration::from_secs(30);
        let mut whole = 0;
        for operation in all.iter().take(30) {
            let answer = world
                .send_to(&hurried, operation, &party.token, patience)
                .await;
            whole += usize::from(answer.is_some_and(|answer| answer.status.is_success()));
        }
        assert!(whole > 10, "{whole} of 30");
    }
}
