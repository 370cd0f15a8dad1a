//! A store that dashboards are asked of, somebody who asks, and the server that answers.

use std::process::Stdio;

use anyhow::Context as _;
use chrono::TimeDelta;
use secrecy::ExposeSecret as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use xboard::auth::tokens::{AccessTokens, Bearer};
use xboard::db::Database;
use xboard::domain::clock::Clock;
use xboard::domain::email::Email;
use xboard::domain::ids::TenantId;
use xboard::domain::principal::Device;
use xboard::domain::sync::ObjectKind;

use crate::fill::{EMAIL, FillArgs};
use crate::store::Store;
use crate::target;

/// A filled store, and somebody who may ask about it.
pub(crate) struct Subject {
    pub(crate) arguments: FillArgs,
    /// How many orders it has before it is changed.
    pub(crate) size: i64,
    store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) token: String,
    /// The orders that are not in it yet, by number: each is a change.
    pub(crate) left: std::ops::Range<i64>,
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
            size: arguments.orders,
            left: arguments.orders..arguments.orders,
            arguments,
            tenant,
            token: String::new(),
        };
        subject.sign_in(database).await?;
        Ok(subject)
    }

    /// Begins a session: its token is good for a quarter of an hour.
    pub(crate) async fn sign_in(&mut self, database: &Database) -> anyhow::Result<()> {
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

    /// What it is called in a report.
    pub(crate) fn name(&self) -> String {
        format!("{} orders", self.size)
    }

    /// The next orders that are not in the store yet.
    pub(crate) fn next_orders(&mut self, count: i64) -> std::ops::Range<i64> {
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

pub(crate) async fn change(
    database: &Database,
    subject: &Subject,
    number: i64,
    asked_at: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<()> {
    let records = subject.store.order(number);
    let (transaction, upserted) = database
        .upsert(subject.tenant, ObjectKind::Orders, records, asked_at)
        .await?;
    transaction.commit().await?;
    anyhow::ensure!(upserted.changed == 1, "the order was not new");
    Ok(())
}

/// The dashboard of the last ninety days: headline figures, ninety days, thirty-six months, the five who spent
/// most, the five newest orders.
pub(crate) fn body(subject: &Subject, number: u64) -> String {
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

pub(crate) async fn ask_at(
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
