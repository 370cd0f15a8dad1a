//! `read`: what one dashboard costs, for stores of several sizes: answered from memory, worked out anew, and
//! right after a change; beside a static handler in the same program, and beside PostgreSQL alone (pgbench).
//! Costs are CPU time of the server and of the database, from the scheduler's own counts: on a machine that does
//! other things too they are steadier than times.

mod changes;
mod pgbench;
mod rows;
mod wrk;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use xboard::db::Database;
use xboard::domain::shop::ShopDomain;

use self::rows::{Rows, Used};
use crate::fill::{self, FillArgs};
use crate::subject::{Server, Subject, ask, body, client};
use crate::usage::{self, Postmaster};

/// What to read.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReadArgs {
    /// The sizes of the stores, in orders.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000,1000000")]
    orders: Vec<i64>,
    /// How long each load lasts.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    seconds: u32,
    /// How many connections the load uses.
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// How often the stores are measured, each turn beginning with the next of them; more than once, the medians are printed too.
    #[arg(long, default_value_t = 1)]
    turns: i64,
    /// How many changes are made in a turn, each followed by a dashboard.
    #[arg(long, default_value_t = 200)]
    changes: i64,
    /// How many stores of the same size change in turn, before all of them are asked for their dashboards at once;
    /// 1: only one store, which is asked after each change while the server does nothing else.
    #[arg(long, default_value_t = 1)]
    stores: usize,
    /// How often they do in a turn.
    #[arg(long, default_value_t = 12)]
    rounds: i64,
}

pub(crate) async fn run(url: &str, arguments: &ReadArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let mut connection = PgConnection::connect(url).await?;
    let postmaster = Postmaster::of(&mut connection).await?;
    let mut subjects = Vec::new();
    for &orders in &arguments.orders {
        let mut group = Vec::new();
        for number in 0..arguments.stores.max(1) {
            let left = arguments.turns * (arguments.changes + arguments.rounds);
            group.push(subject(&database, (orders, number), left).await?);
        }
        subjects.push(group);
    }
    // What a database that has been running for a while would have done.
    sqlx::query("vacuum analyze")
        .execute(&mut connection)
        .await?;
    sqlx::query("checkpoint").execute(&mut connection).await?;
    let mut bench = Bench {
        arguments,
        postmaster,
        url,
        server: Server::start(url).await?,
        rows: Rows::begin(),
    };
    for turn in 0..arguments.turns {
        for group in &mut subjects {
            bench.group(&database, group, turn == 0).await?;
        }
        // What is measured after what makes a difference, and is none of the stores'.
        subjects.rotate_left(1);
    }
    if arguments.turns > 1 {
        bench.rows.print_medians();
    }
    bench.server.stop().await?;
    database.close().await;
    Ok(())
}

/// A store of so many orders, and so many more that are left for changes. One that was made before, with so many
/// left out, is used as it is: `fill --orders 10000212 --leave 212 --shop bench-10000000-0`.
async fn subject(
    database: &Database,
    (orders, number): (i64, usize),
    left: i64,
) -> anyhow::Result<Subject> {
    let arguments = FillArgs::of(orders + left, &format!("bench-{orders}-{number}"));
    let domain = ShopDomain::parse(&format!("{}.myshopify.com", arguments.shop))?;
    let mut system = database.system().await?;
    let there = system.find_tenant(&domain).await?;
    system.commit().await?;
    let tenant = if let Some(tenant) = there {
        println!("{orders} orders were there");
        tenant
    } else {
        let began = Instant::now();
        let tenant = fill::fill_up_to(database, &arguments, orders).await?;
        println!("{orders} orders filled in {:.1?}", began.elapsed());
        tenant
    };
    let mut subject = Subject::of(database, arguments, tenant).await?;
    subject.size = orders;
    subject.left = orders..orders + left;
    Ok(subject)
}

struct Bench<'a> {
    arguments: &'a ReadArgs,
    postmaster: Postmaster,
    url: &'a str,
    server: Server,
    rows: Rows,
}

impl Bench<'_> {
    /// The first of a group of stores of one size, and all of them at once.
    async fn group(
        &mut self,
        database: &Database,
        group: &mut [Subject],
        is_first: bool,
    ) -> anyhow::Result<()> {
        // What went before may have taken longer than a token lasts.
        for subject in &mut *group {
            subject.sign_in(database).await?;
        }
        let subject = group.first_mut().context("no store")?;
        self.warm(subject, is_first).await?;
        self.loads(subject).await?;
        self.changes(database, subject).await?;
        if is_first {
            self.pgbench(subject).await?;
        }
        if group.len() > 1 {
            self.changes_at_once(database, group).await?;
        }
        Ok(())
    }

    /// The first one, from a process that knows nothing of the store, and those that its connections need.
    async fn warm(&mut self, subject: &Subject, is_first: bool) -> anyhow::Result<()> {
        let client = client()?;
        let before = self.cpu();
        let began = Instant::now();
        let answer = ask(&client, &self.server.address, subject, 0).await?;
        let first = self.used(before, began.elapsed(), 1);
        if is_first {
            self.rows
                .add(&subject.name(), "the first after a start", first);
        }
        for number in 1..200 {
            ask(&client, &self.server.address, subject, number).await?;
        }
        client
            .put(format!("{}/static", self.server.address))
            .body(answer)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    async fn loads(&mut self, subject: &Subject) -> anyhow::Result<()> {
        let name = subject.name();
        let static_handler = self.load(subject, "/static", false).await?;
        self.rows
            .add(&name, "static handler with JWT", static_handler);
        let kept = self.load(subject, "/graphql", false).await?;
        self.rows.add(&name, "from memory", kept);
        let together = |used: &Used| used.each().0 + used.each().1;
        println!(
            "| {name} | from memory ÷ static handler | | | | {} % |",
            together(&kept) * 100 / together(&static_handler).max(1)
        );
        let anew = self.load(subject, "/graphql", true).await?;
        self.rows
            .add(&name, "worked out anew, nothing changed", anew);
        Ok(())
    }

    fn cpu(&self) -> (Duration, Duration) {
        (
            usage::precise_cpu(self.server.process),
            self.postmaster.precise_cpu(),
        )
    }

    /// What so many requests have used since.
    fn used(&self, before: (Duration, Duration), time: Duration, requests: u64) -> Used {
        let after = self.cpu();
        Used {
            requests,
            time,
            server: after.0.saturating_sub(before.0),
            database: after.1.saturating_sub(before.1),
        }
    }

    /// A load by wrk.
    async fn load(
        &self,
        subject: &Subject,
        path: &str,
        each_its_own: bool,
    ) -> anyhow::Result<Used> {
        let load = wrk::Load {
            address: format!("{}{path}", self.server.address),
            subject,
            body: &body(subject, 0),
            each_its_own,
            connections: self.arguments.connections,
        };
        load.run(1).await?;
        let before = self.cpu();
        let began = Instant::now();
        let requests = load.run(self.arguments.seconds).await?;
        Ok(self.used(before, began.elapsed(), requests))
    }

    async fn pgbench(&mut self, subject: &Subject) -> anyhow::Result<()> {
        for (what, script) in pgbench::scripts(subject) {
            // Its connections end with it: only the count of ended processes has them all.
            let before = self.postmaster.cpu();
            let began = Instant::now();
            let requests = pgbench::run(self.url, &script, self.arguments.seconds).await?;
            let used = Used {
                requests,
                time: began.elapsed(),
                server: Duration::ZERO,
                database: self.postmaster.cpu().saturating_sub(before),
            };
            self.rows.add(&subject.name(), what, used);
        }
        Ok(())
    }
}
