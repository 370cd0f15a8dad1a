//! A filled shop with a signed-in user, and the program that serves it.

use std::process::Stdio;

use anyhow::Context as _;
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
use crate::page::Operation;
use crate::store::Store;
use crate::target;

/// A filled shop with a session of its owner.
pub(crate) struct Subject {
    pub(crate) arguments: FillArgs,
    /// The number of orders before the changes.
    pub(crate) size: i64,
    store: Store,
    pub(crate) tenant: TenantId,
    pub(crate) token: String,
    /// The numbers of the orders that are not stored yet: each is a change.
    pub(crate) left: std::ops::Range<i64>,
}

impl Subject {
    /// A shop with all of its orders, and a session of its owner.
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

    /// Starts a session; its access token is valid for 15 minutes.
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

    /// The name in reports.
    pub(crate) fn name(&self) -> String {
        format!("{} orders", self.size)
    }

    /// The next orders that are not stored yet.
    pub(crate) fn next_orders(&mut self, count: i64) -> std::ops::Range<i64> {
        let first = self.left.start;
        self.left.start = (first + count).min(self.left.end);
        first..self.left.start
    }
}

/// Whether the program caches responses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ResponseCache {
    On,
    Off,
}

/// The program in its own process, so that its CPU time and memory can be read.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    pub(crate) process: u32,
}

impl Server {
    pub(crate) async fn start(url: &str, cache: ResponseCache) -> anyhow::Result<Self> {
        let no_cache = matches!(cache, ResponseCache::Off).then_some("--no-response-cache");
        let mut child = Command::new(std::env::current_exe()?)
            .arg("target")
            .args(no_cache)
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

    /// Closes its input, upon which it exits.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        self.child.wait().await?;
        Ok(())
    }
}

/// Upserts one order through the program's own code, as another process would.
pub(crate) async fn change(
    database: &Database,
    subject: &Subject,
    number: i64,
    fetched_at: chrono::DateTime<chrono::Utc>,
) -> anyhow::Result<()> {
    let records = subject.store.order(number);
    let (transaction, upserted) = database
        .upsert(subject.tenant, ObjectKind::Orders, records, fetched_at)
        .await?;
    transaction.commit().await?;
    anyhow::ensure!(upserted.changed == 1, "the order was not new");
    Ok(())
}

/// A client without compression, because wrk requests none and compression costs CPU time.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_gzip().build()?)
}

pub(crate) async fn ask(
    client: &reqwest::Client,
    address: &str,
    subject: &Subject,
    operation: Operation,
) -> anyhow::Result<String> {
    ask_at(client, address, "/graphql", subject, operation).await
}

pub(crate) async fn ask_at(
    client: &reqwest::Client,
    address: &str,
    path: &str,
    subject: &Subject,
    operation: Operation,
) -> anyhow::Result<String> {
    let response = client
        .post(format!("{address}{path}"))
        .bearer_auth(&subject.token)
        .header("content-type", "application/json")
        .body(operation.body(subject))
        .send()
        .await?
        .error_for_status()?;
    let text = response.text().await?;
    anyhow::ensure!(!text.contains("\"errors\""), "{text}");
    Ok(text)
}
