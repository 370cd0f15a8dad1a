//! `read`: what one dashboard costs, for stores of several sizes: answered from memory, worked out anew, and
//! right after a change; beside a static handler in the same program, and beside PostgreSQL alone (pgbench).
//! Costs are CPU time of the server and of the database, from the scheduler's own counts: on a machine that does
//! other things too they are steadier than times.

use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::TimeDelta;
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _};
use secrecy::ExposeSecret as _;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use xboard::auth::tokens::{AccessTokens, Bearer};
use xboard::db::Database;
use xboard::db::staging::Loader;
use xboard::domain::clock::Clock;
use xboard::domain::email::Email;
use xboard::domain::ids::TenantId;
use xboard::domain::principal::Device;
use xboard::domain::shop::ShopDomain;
use xboard::domain::sync::ObjectKind;

use crate::fill::{self, EMAIL, FillArgs};
use crate::store::Store;
use crate::target;
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
    /// How many changes are made, each followed by a dashboard.
    #[arg(long, default_value_t = 200)]
    changes: i64,
    /// How many stores of the same size change in turn, before all of them are asked for their dashboards at once;
    /// 1: only one store, which is asked after each change while the server does nothing else.
    #[arg(long, default_value_t = 1)]
    stores: usize,
    /// How often they do.
    #[arg(long, default_value_t = 12)]
    rounds: i64,
}

/// A filled store, and somebody who may ask about it.
pub(crate) struct Subject {
    arguments: FillArgs,
    store: Store,
    tenant: TenantId,
    token: String,
    /// The orders that are not in it yet, by number: each is a change.
    left: std::ops::Range<i64>,
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
            let left = arguments.changes + arguments.rounds;
            group.push(subject(&database, (orders, number), left).await?);
        }
        subjects.push(group);
    }
    // What a database that has been running for a while would have done.
    sqlx::query("vacuum analyze")
        .execute(&mut connection)
        .await?;
    sqlx::query("checkpoint").execute(&mut connection).await?;
    let mut server = Server::start(url).await?;
    let mut bench = Bench {
        arguments,
        postmaster,
        url,
    };
    println!("| store | what | requests/s | server CPU | database CPU | together |");
    println!("|---|---|---|---|---|---|");
    for group in &mut subjects {
        bench.group(&database, &mut server, group).await?;
    }
    server.stop().await?;
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
    let subject = Subject::of(database, arguments, tenant).await?;
    Ok(Subject {
        left: orders..orders + left,
        ..subject
    })
}

impl Subject {
    /// A store with all of its orders, and a session of its owner.
    pub(crate) async fn of(
        database: &Database,
        arguments: FillArgs,
        tenant: TenantId,
    ) -> anyhow::Result<Self> {
        let mut subject = Self {
            store: arguments.store()?,
            left: arguments.orders..arguments.orders,
            arguments,
            tenant,
            token: String::new(),
        };
        subject.sign_in(database).await?;
        Ok(subject)
    }

    /// Begins a session: its token is good for a quarter of an hour.
    async fn sign_in(&mut self, database: &Database) -> anyhow::Result<()> {
        let now = Clock::System.now();
        let mut system = database.system().await?;
        let user = system
            .find_user_by_email(&Email::parse(EMAIL)?)
            .await?
            .context("the owner is not there")?
            .id;
        let session = system
            .create_session((user, self.tenant), None, &Device::default(), now)
            .await?
            .context("the owner is not let in")?;
        system.commit().await?;
        let tokens = AccessTokens::new(&target::secret(), Clock::System);
        let token = tokens.issue(Bearer {
            user,
            tenant: self.tenant,
            session,
        })?;
        token.token.expose_secret().clone_into(&mut self.token);
        Ok(())
    }

    /// The next orders that are not in the store yet.
    fn next_orders(&mut self, count: i64) -> std::ops::Range<i64> {
        let first = self.left.start;
        self.left.start = (first + count).min(self.left.end);
        first..self.left.start
    }
}

/// The server, in a process of its own, so that what it uses is known apart.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    pub(crate) process: u32,
}

impl Server {
    pub(crate) async fn start(url: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("target")
            .env("DATABASE_URL", url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let address = BufReader::new(output)
            .lines()
            .next_line()
            .await?
            .context("the server did not start")?;
        let process = child.id().context("the server has ended")?;
        Ok(Self {
            child,
            address,
            process,
        })
    }

    /// Ends when its input does.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        self.child.wait().await?;
        Ok(())
    }
}

struct Bench<'a> {
    arguments: &'a ReadArgs,
    postmaster: Postmaster,
    url: &'a str,
}

/// What requests used.
struct Used {
    requests: u64,
    time: Duration,
    server: Duration,
    database: Duration,
}

impl Used {
    fn print(&self, store: &str, what: &str) {
        let each = |time: Duration| micros_each(time, self.requests);
        println!(
            "| {store} | {what} | {} | {} µs | {} µs | {} µs |",
            u128::from(self.requests) * 1_000_000 / self.time.as_micros().max(1),
            each(self.server),
            each(self.database),
            each(self.server + self.database),
        );
    }
}

fn micros_each(time: Duration, requests: u64) -> u128 {
    (time.as_nanos() / u128::from(requests.max(1)) + 500) / 1_000
}

impl Bench<'_> {
    /// The first of a group of stores of one size, and all of them at once.
    async fn group(
        &mut self,
        database: &Database,
        server: &mut Server,
        group: &mut [Subject],
    ) -> anyhow::Result<()> {
        // Filling the others may have taken longer than a token lasts.
        for subject in &mut *group {
            subject.sign_in(database).await?;
        }
        let subject = group.first_mut().context("no store")?;
        let name = format!("{} orders", subject.left.start);
        self.subject(database, server, subject, &name).await?;
        if group.len() > 1 {
            self.changes_at_once(database, server, group, &name).await?;
        }
        Ok(())
    }

    async fn subject(
        &mut self,
        database: &Database,
        server: &mut Server,
        subject: &mut Subject,
        name: &str,
    ) -> anyhow::Result<()> {
        let client = client()?;
        // The first one, from a process that knows nothing of the store.
        let before = self.cpu(server);
        let began = Instant::now();
        let answer = ask(&client, &server.address, subject, 0).await?;
        let first = began.elapsed();
        let after = self.cpu(server);
        Used {
            requests: 1,
            time: first,
            server: after.0.saturating_sub(before.0),
            database: after.1.saturating_sub(before.1),
        }
        .print(name, "the first after a start");
        for number in 1..200 {
            ask(&client, &server.address, subject, number).await?;
        }

        client
            .put(format!("{}/static", server.address))
            .body(answer)
            .send()
            .await?
            .error_for_status()?;
        let question = body(subject, 0);
        let static_handler = self
            .load(server, subject, "/static", &question, false)
            .await?;
        static_handler.print(name, "static handler with JWT");
        let kept = self
            .load(server, subject, "/graphql", &question, false)
            .await?;
        kept.print(name, "from memory");
        let ratio = micros_each((kept.server + kept.database) * 100, kept.requests)
            / micros_each(static_handler.server, static_handler.requests).max(1);
        println!("| {name} | from memory ÷ static handler | | | | {ratio} % |");
        let anew = self
            .load(server, subject, "/graphql", &question, true)
            .await?;
        anew.print(name, "worked out anew, nothing changed");
        self.changes(database, server, subject, &client, name)
            .await?;
        self.pgbench(subject, name).await?;
        Ok(())
    }

    fn cpu(&self, server: &Server) -> (Duration, Duration) {
        (
            usage::precise_cpu(server.process),
            self.postmaster.precise_cpu(),
        )
    }

    /// A load by wrk.
    async fn load(
        &self,
        server: &Server,
        subject: &Subject,
        path: &str,
        body: &str,
        each_its_own: bool,
    ) -> anyhow::Result<Used> {
        let script = script(subject, body, each_its_own)?;
        let address = format!("{}{path}", server.address);
        let wrk = |time: String| {
            let mut command = Command::new("wrk");
            command
                .args(["--threads", "1", "--connections"])
                .arg(self.arguments.connections.to_string())
                .arg("--duration")
                .arg(time)
                .arg("--script")
                .arg(script.path())
                .arg(&address);
            command
        };
        wrk("1s".to_owned())
            .output()
            .await
            .context("wrk is needed")?;
        let before = self.cpu(server);
        let began = Instant::now();
        let output = wrk(format!("{}s", self.arguments.seconds)).output().await?;
        let time = began.elapsed();
        let after = self.cpu(server);
        let report = String::from_utf8_lossy(&output.stdout).into_owned();
        anyhow::ensure!(
            output.status.success() && !report.contains("Non-2xx"),
            "the load failed: {report}"
        );
        let requests = report
            .lines()
            .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok())
            .context("wrk did not say how many requests it made")?;
        Ok(Used {
            requests,
            time,
            server: after.0.saturating_sub(before.0),
            database: after.1.saturating_sub(before.1),
        })
    }

    /// One order at a time, through the program's own merge, and after each the dashboard; after every fourth the static
    /// handler instead, which shows what it costs to be asked while nothing is at hand of the caches.
    async fn changes(
        &self,
        database: &Database,
        server: &Server,
        subject: &mut Subject,
        client: &reqwest::Client,
        name: &str,
    ) -> anyhow::Result<()> {
        let mut loader = database.loader(subject.tenant).await?;
        let (mut reads, mut writes, mut heard) = (Vec::new(), Vec::new(), Vec::new());
        let mut static_reads = Vec::new();
        let asked_at = subject.arguments.asked_at();
        for number in subject.next_orders(self.arguments.changes) {
            let before = self.cpu(server);
            change(
                &mut loader,
                subject,
                number,
                asked_at + TimeDelta::seconds(number),
            )
            .await?;
            // The news is on its way.
            tokio::time::sleep(Duration::from_millis(3)).await;
            let between = self.cpu(server);
            let is_static = number % 4 == 3;
            let began = Instant::now();
            if is_static {
                ask_at(client, &server.address, "/static", subject, 0).await?;
            } else {
                ask(client, &server.address, subject, 0).await?;
            }
            let time = began.elapsed();
            // A connection that was used is given back behind the answer.
            tokio::time::sleep(Duration::from_millis(3)).await;
            let after = self.cpu(server);
            heard.push(between.0.saturating_sub(before.0));
            writes.push(between.1.saturating_sub(before.1));
            let used = (
                time,
                after.0.saturating_sub(between.0),
                after.1.saturating_sub(between.1),
            );
            if is_static {
                static_reads.push(used);
            } else {
                reads.push(used);
            }
        }
        loader.close().await;
        if reads.is_empty() {
            return Ok(());
        }
        let middle = |mut values: Vec<Duration>| {
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        for (reads, what) in [
            (reads, "the first after a change (median)"),
            (static_reads, "static handler, asked like that (median)"),
        ] {
            Used {
                requests: 1,
                time: middle(reads.iter().map(|read| read.0).collect()),
                server: middle(reads.iter().map(|read| read.1).collect()),
                database: middle(reads.iter().map(|read| read.2).collect()),
            }
            .print(name, what);
        }
        println!(
            "| {name} | one order merged by another process, and heard of (median) | | {} µs | {} µs | |",
            middle(heard).as_micros(),
            middle(writes).as_micros()
        );
        Ok(())
    }

    /// All stores of a group change, one order each; then all are asked, so many at a time as there are connections.
    async fn changes_at_once(
        &self,
        database: &Database,
        server: &Server,
        group: &mut [Subject],
        name: &str,
    ) -> anyhow::Result<()> {
        let client = client()?;
        let mut rounds = Vec::new();
        for subject in &*group {
            ask(&client, &server.address, subject, 0).await?;
        }
        for _ in 0..self.arguments.rounds {
            for subject in &mut *group {
                let mut loader = database.loader(subject.tenant).await?;
                let asked_at = subject.arguments.asked_at();
                for number in subject.next_orders(1) {
                    let at = asked_at + TimeDelta::seconds(number);
                    change(&mut loader, subject, number, at).await?;
                }
                loader.close().await;
            }
            // The news is on its way.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let before = self.cpu(server);
            let began = Instant::now();
            let asked = group.iter().map(|subject| {
                let (client, address) = (&client, &server.address);
                async move { ask(client, address, subject, 0).await }
            });
            let answers: Vec<_> = futures_util::stream::iter(asked)
                .buffer_unordered(usize::try_from(self.arguments.connections)?)
                .try_collect()
                .await?;
            let time = began.elapsed();
            // The connections are given back behind the answers.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let after = self.cpu(server);
            rounds.push((
                time,
                after.0.saturating_sub(before.0),
                after.1.saturating_sub(before.1),
                answers.len(),
            ));
        }
        rounds.sort_unstable_by_key(|round| round.1 + round.2);
        let (time, server, database, requests) =
            *rounds.get(rounds.len() / 2).context("there was no round")?;
        Used {
            requests: u64::try_from(requests)?,
            time,
            server,
            database,
        }
        .print(
            name,
            &format!("the first after a change, {requests} stores asked at once (median round)"),
        );
        Ok(())
    }

    /// PostgreSQL alone: the statements of a dashboard over the rollups, and over the ledger itself.
    async fn pgbench(&self, subject: &Subject, name: &str) -> anyhow::Result<()> {
        for (what, script) in [
            ("pgbench: its statements", statements(subject)),
            ("pgbench: the same from the ledger", ledger(subject)),
        ] {
            let file = file(&script)?;
            // Its connections end with it: only the count of ended processes has them all.
            let before = self.postmaster.cpu();
            let began = Instant::now();
            let output = Command::new(crate::database::pgbench())
                .args([
                    "--no-vacuum",
                    "--protocol",
                    "prepared",
                    "--client",
                    "2",
                    "--time",
                ])
                .arg(self.arguments.seconds.to_string())
                .arg("--file")
                .arg(file.path())
                .arg(self.url)
                .output()
                .await?;
            let (time, used) = (
                began.elapsed(),
                self.postmaster.cpu().saturating_sub(before),
            );
            let report = String::from_utf8_lossy(&output.stdout).into_owned();
            let requests = report
                .lines()
                .find_map(|line| {
                    line.strip_prefix("number of transactions actually processed: ")?
                        .split('/')
                        .next()?
                        .trim()
                        .parse()
                        .ok()
                })
                .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
            Used {
                requests,
                time,
                server: Duration::ZERO,
                database: used,
            }
            .print(name, what);
        }
        Ok(())
    }
}

async fn change(
    loader: &mut Loader,
    subject: &Subject,
    number: i64,
    asked_at: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<()> {
    let (transaction, merged) = loader
        .merge(ObjectKind::Orders, &subject.store.order(number), asked_at)
        .await?;
    transaction.commit().await?;
    anyhow::ensure!(merged.changed == 1, "the order was not new");
    Ok(())
}

/// The dashboard of the last ninety days: headline figures, ninety days, thirty-six months, the five who spent
/// most, the five newest orders.
fn body(subject: &Subject, number: u64) -> String {
    let last = subject.arguments.last_day;
    let range = |days: i64| {
        format!(
            "{{ between: {{ from: \"{}\", to: \"{last}\" }} }}",
            last - TimeDelta::days(days - 1)
        )
    };
    let (quarter, years) = (range(90), range(1_095));
    let query = format!(
        "query Dashboard {{ \
           overview(range: {quarter}, compareTo: PREVIOUS_PERIOD) {{ \
             metrics {{ orders unitsSold grossSales {{ amount }} netSales {{ amount }} totalSales {{ amount currencyCode }} \
               averageOrderValue {{ amount }} customers newCustomers returningCustomerRate }} \
             previous {{ metrics {{ orders totalSales {{ amount }} customers }} }} }} \
           days: ordersByDate(range: {quarter}) {{ date metrics {{ orders totalSales {{ amount }} }} }} \
           months: ordersByDate(range: {years}, interval: MONTH) {{ date metrics {{ orders totalSales {{ amount }} }} }} \
           topCustomers(first: 5, range: {quarter}) {{ rank totalSpent {{ amount }} orders customer {{ id displayName }} }} \
           recentOrders(first: 5) {{ nodes {{ id name processedAt totalPrice {{ amount }} financialStatus customer {{ displayName }} }} }} }}"
    );
    // A member that says nothing makes each question one of its own.
    serde_json::json!({ "query": query, "extensions": { "number": number } }).to_string()
}

/// Asks for answers as they are: compressing them would count too, and wrk does not ask for it.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_gzip().build()?)
}

pub(crate) async fn ask(
    client: &reqwest::Client,
    address: &str,
    subject: &Subject,
    number: u64,
) -> anyhow::Result<String> {
    ask_at(client, address, "/graphql", subject, number).await
}

async fn ask_at(
    client: &reqwest::Client,
    address: &str,
    path: &str,
    subject: &Subject,
    number: u64,
) -> anyhow::Result<String> {
    let response = client
        .post(format!("{address}{path}"))
        .bearer_auth(&subject.token)
        .header("content-type", "application/json")
        .body(body(subject, number))
        .send()
        .await?
        .error_for_status()?;
    let text = response.text().await?;
    anyhow::ensure!(!text.contains("\"errors\""), "{text}");
    Ok(text)
}

fn file(text: &str) -> anyhow::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// What wrk sends.
fn script(
    subject: &Subject,
    body: &str,
    each_its_own: bool,
) -> anyhow::Result<tempfile::NamedTempFile> {
    let mut script = format!(
        "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
         wrk.headers[\"Authorization\"] = \"Bearer {}\"\nwrk.body = [==[{body}]==]\n",
        subject.token
    );
    if each_its_own {
        script.push_str(
            "local number = os.time() % 100000 * 1000000\n\
             local before, after = wrk.body:match('^(.*\"number\":)0(.*)$')\n\
             request = function() number = number + 1; \
             return wrk.format(nil, nil, nil, before .. string.format('%d', number) .. after) end\n",
        );
    }
    file(&script)
}

fn statements(subject: &Subject) -> String {
    let (tenant, last) = (subject.tenant, subject.arguments.last_day);
    let (from, years) = (last - TimeDelta::days(89), last - TimeDelta::days(1_094));
    let sums = "sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), sum(shipping), \
                sum(taxes), sum(duties), sum(fees), sum(placed_sales)";
    let rows = format!(
        "from daily_sales where tenant_id = '{tenant}' and currency = 'USD' and day between"
    );
    format!(
        "begin isolation level repeatable read read only;\nselect enter_tenant('{tenant}');\n\
         select * from shops where tenant_id = '{tenant}';\n\
         select {sums} {rows} '{from}' and '{last}';\n\
         select day, {sums} {rows} '{from}' and '{last}' group by day order by day;\n\
         select date_trunc('month', day::timestamp), {sums} {rows} '{years}' and '{last}' group by 1 order by 1;\n\
         select * from customer_totals t join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id \
           where t.tenant_id = '{tenant}' order by t.total_spent desc, t.customer_id desc limit 5;\n\
         select * from orders where tenant_id = '{tenant}' and deleted_at is null \
           order by processed_at desc, id desc limit 5;\nrollback;\n"
    )
}

fn ledger(subject: &Subject) -> String {
    let (tenant, last) = (subject.tenant, subject.arguments.last_day);
    let from = last - TimeDelta::days(89);
    format!(
        "begin isolation level repeatable read read only;\nselect enter_tenant('{tenant}');\n\
         select day, sum(orders), sum(gross_sales), count(distinct customer_id) from order_day_figures \
           where tenant_id = '{tenant}' and day between '{from}' and '{last}' group by day;\nrollback;\n"
    )
}
