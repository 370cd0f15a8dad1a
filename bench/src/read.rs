//! `read`: the cost of the page's two operations for shops of several sizes.
//!
//! The figures operation is measured with nothing changed, recomputed (response cache off), and right after a change.
//! A static handler in the same process, which verifies the same tokens, is the baseline. The costs are CPU time of
//! the program and of the database as the scheduler counts it: on a busy machine it is steadier than elapsed time.

mod changes;
mod rows;
mod wrk;

use std::time::{Duration, Instant};

use clap::Args;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use xboard::db::Database;
use xboard::domain::shop::ShopDomain;

use self::rows::{Rows, Used};
use crate::database;
use crate::fill::{self, FillArgs};
use crate::page::Operation;
use crate::subject::{ResponseCache, Server, Subject, ask, client};
use crate::usage::{self, Postmaster};

/// Requests before a measurement, after which the connections have their plans.
const WARM_UP: u64 = 50;
/// Requests whose statements are counted.
const COUNTED: u64 = 50;

/// What to read.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReadArgs {
    /// The sizes of the shops, in orders.
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
    orders: Vec<i64>,
    /// The duration of each load.
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    seconds: u32,
    /// The connections of each load.
    #[arg(long, default_value_t = 8)]
    connections: u32,
    /// How often each shop is measured. With more than one turn, the medians are printed too.
    #[arg(long, default_value_t = 1)]
    turns: i64,
    /// The changes of each turn, each followed by a request.
    #[arg(long, default_value_t = 200)]
    changes: i64,
}

pub(crate) async fn run(server: &database::Server, arguments: &ReadArgs) -> anyhow::Result<()> {
    let url = server.url();
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let mut connection = PgConnection::connect(url).await?;
    let mut subjects = Vec::new();
    for &orders in &arguments.orders {
        let left = arguments.turns * arguments.changes;
        subjects.push(subject(&database, orders, left).await?);
    }
    // As after some time of operation.
    for statement in ["vacuum analyze", "checkpoint"] {
        sqlx::raw_sql(statement).execute(&mut connection).await?;
    }
    let mut bench = Bench {
        arguments,
        postmaster: Postmaster::of(&mut connection).await?,
        cached: Server::start(url, ResponseCache::On).await?,
        uncached: Server::start(url, ResponseCache::Off).await?,
        rows: Rows::begin(),
    };
    for turn in 0..arguments.turns {
        for subject in &mut subjects {
            bench.measure(&database, subject, turn == 0).await?;
        }
        // The next turn starts with another shop, so that no shop always follows the same one.
        subjects.rotate_left(1);
    }
    if arguments.turns > 1 {
        bench.rows.print_medians();
    }
    bench.cached.stop().await?;
    bench.uncached.stop().await?;
    if let Some(subject) = subjects.first_mut() {
        subject.sign_in(&database).await?;
        count_statements(server, &mut connection, subject).await?;
    }
    database.close().await;
    Ok(())
}

/// A shop of so many orders, with so many more for changes. An existing one is used as it is; `fill --orders 10000200
/// --leave 200 --shop bench-10000000` creates one in advance.
async fn subject(database: &Database, orders: i64, left: i64) -> anyhow::Result<Subject> {
    let arguments = FillArgs::of(orders + left, &format!("bench-{orders}"));
    let domain = ShopDomain::parse(&format!("{}.myshopify.com", arguments.shop))?;
    let mut system = database.system().await?;
    let existing = system.find_tenant(&domain).await?;
    system.commit().await?;
    let tenant = if let Some(tenant) = existing {
        println!("using the existing shop of {orders} orders");
        tenant
    } else {
        let began = Instant::now();
        let tenant = fill::fill_up_to(database, &arguments, orders).await?;
        println!("filled {orders} orders in {:.1?}", began.elapsed());
        tenant
    };
    let mut subject = Subject::of(database, arguments, tenant).await?;
    subject.size = orders;
    subject.left = orders..orders + left;
    Ok(subject)
}

/// Prints the round trips to the database of each operation, by the database's log of statements.
async fn count_statements(
    database: &database::Server,
    connection: &mut PgConnection,
    subject: &Subject,
) -> anyhow::Result<()> {
    if database.logged_statements()?.is_none() {
        return Ok(());
    }
    let log = "do $$ begin execute format('alter database %I set log_statement = ''all''', current_database()); end $$";
    sqlx::raw_sql(log).execute(connection).await?;
    // Only new sessions log their statements.
    let server = Server::start(database.url(), ResponseCache::Off).await?;
    let client = client()?;
    println!();
    for operation in [Operation::Account, Operation::Figures] {
        for _ in 0..WARM_UP {
            ask(&client, &server.address, subject, operation).await?;
        }
        let before = database.logged_statements()?.unwrap_or_default();
        for _ in 0..COUNTED {
            ask(&client, &server.address, subject, operation).await?;
        }
        let statements = database.logged_statements()?.unwrap_or_default() - before;
        println!(
            "{operation:?} without the response cache: {} round trips to the database per request",
            (statements + COUNTED / 2) / COUNTED
        );
    }
    server.stop().await
}

struct Bench<'a> {
    arguments: &'a ReadArgs,
    postmaster: Postmaster,
    cached: Server,
    uncached: Server,
    rows: Rows,
}

impl Bench<'_> {
    async fn measure(
        &mut self,
        database: &Database,
        subject: &mut Subject,
        is_first: bool,
    ) -> anyhow::Result<()> {
        // The previous measurements may have taken longer than a token is valid.
        subject.sign_in(database).await?;
        self.warm_up(subject, is_first).await?;
        self.loads(subject).await?;
        self.changes(database, subject).await
    }

    /// The first request of the shop, whose response becomes that of the static handler; then more of both operations.
    async fn warm_up(&mut self, subject: &Subject, is_first: bool) -> anyhow::Result<()> {
        let client = client()?;
        let before = self.cpu(&self.cached);
        let began = Instant::now();
        let figures = ask(&client, &self.cached.address, subject, Operation::Figures).await?;
        let first = self.used(&self.cached, before, began.elapsed(), 1);
        if is_first {
            let name = "figures, first after a start";
            self.rows.add(&subject.name(), name, first);
        }
        for server in [&self.cached, &self.uncached] {
            for operation in [Operation::Account, Operation::Figures] {
                for _ in 0..WARM_UP {
                    ask(&client, &server.address, subject, operation).await?;
                }
            }
        }
        client
            .put(format!("{}/static", self.cached.address))
            .body(figures)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    async fn loads(&mut self, subject: &Subject) -> anyhow::Result<()> {
        let name = subject.name();
        let figures = Operation::Figures;
        let baseline = self.load(&self.cached, subject, "/static", figures).await?;
        self.rows.add(&name, "static handler with JWT", baseline);
        let hit = self
            .load(&self.cached, subject, "/graphql", figures)
            .await?;
        self.rows.add(&name, "figures, nothing changed", hit);
        let percent = hit.cpu() * 100 / baseline.cpu().max(1);
        println!("| {name} | figures, nothing changed ÷ static handler | | | | {percent} % |");
        let account = self
            .load(&self.cached, subject, "/graphql", Operation::Account)
            .await?;
        self.rows.add(&name, "account", account);
        let recomputed = self
            .load(&self.uncached, subject, "/graphql", figures)
            .await?;
        self.rows.add(
            &name,
            "figures, recomputed (response cache off)",
            recomputed,
        );
        Ok(())
    }

    fn cpu(&self, server: &Server) -> (Duration, Duration) {
        (
            usage::precise_cpu(server.process),
            self.postmaster.precise_cpu(),
        )
    }

    /// The CPU time of so many requests since `before`.
    fn used(
        &self,
        server: &Server,
        before: (Duration, Duration),
        time: Duration,
        requests: u64,
    ) -> Used {
        let after = self.cpu(server);
        Used {
            requests,
            time,
            server: after.0.saturating_sub(before.0),
            database: after.1.saturating_sub(before.1),
        }
    }

    /// A load of one operation, generated by wrk.
    async fn load(
        &self,
        server: &Server,
        subject: &Subject,
        path: &str,
        operation: Operation,
    ) -> anyhow::Result<Used> {
        let load = wrk::Load {
            address: format!("{}{path}", server.address),
            token: &subject.token,
            body: &operation.body(subject),
            connections: self.arguments.connections,
        };
        load.run(1).await?;
        let before = self.cpu(server);
        let began = Instant::now();
        let requests = load.run(self.arguments.seconds).await?;
        Ok(self.used(server, before, began.elapsed(), requests))
    }
}
