//! A database per test: a copy of one that is migrated once per process. One thread with one connection makes
//! and drops them all. A process that was killed leaves its databases behind; the next one removes them: the
//! advisory lock that each process holds tells which are still in use.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Url;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, FromRow, PgConnection};
use uuid::Uuid;
use xboard::db::{Database, MIGRATOR};
use xboard::domain::ids::TenantId;

/// Begins the names of all databases of the tests that were started from this one: locks hold inside of one
/// database, so whoever was started from another cannot tell which are in use.
fn prefix() -> String {
    let url = server_url().unwrap();
    format!("{}_test_", url.path().trim_matches('/'))
}
/// The lock under which templates are made and leftovers removed; roles belong to the whole server.
const SETUP_LOCK: i32 = 0;
/// The first half of every lock's number, apart from the locks of anything else.
const LOCKS: i32 = 0x0b0a_4d01;

type Reply<T> = mpsc::Sender<Result<T, String>>;

enum Order {
    /// Make a database; the answer is its name.
    Create(Reply<String>),
    /// Drop it; the answer is how many jobs were left in it.
    Drop(String, Reply<Vec<String>>),
}

static KEEPER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
    let (sender, orders) = mpsc::channel();
    thread::Builder::new()
        .name("databases".to_owned())
        .spawn(move || keep(&orders))
        .unwrap();
    sender
});

fn ask<T>(order: impl FnOnce(Reply<T>) -> Order) -> Result<T, String> {
    let (reply, answer) = mpsc::channel();
    KEEPER
        .send(order(reply))
        .map_err(|_| "the keeper of the databases is gone".to_owned())?;
    answer
        .recv()
        .map_err(|_| "the keeper of the databases is gone".to_owned())?
}

fn keep(orders: &mpsc::Receiver<Order>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut keeper = runtime.block_on(Keeper::start());
    for order in orders {
        match (&mut keeper, order) {
            (Ok(keeper), Order::Create(reply)) => {
                let result = runtime
                    .block_on(keeper.create())
                    .map_err(|error| error.to_string());
                let _ = reply.send(result);
            }
            (Ok(keeper), Order::Drop(name, reply)) => {
                let result = runtime
                    .block_on(keeper.drop(&name))
                    .map_err(|error| error.to_string());
                let _ = reply.send(result);
            }
            (Err(why), Order::Create(reply)) => drop(reply.send(Err(why.clone()))),
            (Err(why), Order::Drop(_, reply)) => drop(reply.send(Err(why.clone()))),
        }
    }
}

struct Keeper {
    connection: PgConnection,
    template: String,
    made: u32,
}

impl Keeper {
    async fn start() -> Result<Self, String> {
        let url = server_url()?;
        let explain = |error: sqlx::Error| {
            format!("the server of DATABASE_URL cannot be used: {error}. Run: ./run test")
        };
        // Advisory locks belong to a database: all processes must meet in the same one, whichever they are given.
        let mut url = url;
        url.set_path("postgres");
        let mut connection = PgConnection::connect(url.as_str()).await.map_err(explain)?;
        let template = Self::prepare(&mut connection).await.map_err(explain)?;
        Ok(Self {
            connection,
            template,
            made: 0,
        })
    }

    async fn prepare(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
        lock(connection, SETUP_LOCK).await?;
        remove_leftovers(connection).await?;
        let process = i32::try_from(std::process::id()).unwrap();
        lock(connection, process).await?;
        let template = format!("{}{process}", prefix());
        execute(connection, format!("create database {template}")).await?;
        let mut inside = PgConnection::connect(url_of(&template).as_str()).await?;
        MIGRATOR.run(&mut inside).await?;
        inside.close().await?;
        unlock(connection, SETUP_LOCK).await?;
        Ok(template)
    }

    async fn create(&mut self) -> Result<String, sqlx::Error> {
        self.made += 1;
        let name = format!("{}_{}", self.template, self.made);
        let sql = format!("create database {name} template {}", self.template);
        execute(&mut self.connection, sql).await?;
        Ok(name)
    }

    async fn drop(&mut self, name: &str) -> Result<Vec<String>, sqlx::Error> {
        let mut inside = PgConnection::connect(url_of(name).as_str()).await?;
        let jobs =
            sqlx::query_scalar("select kind from jobs where failed_at is null order by kind")
                .fetch_all(&mut inside)
                .await?;
        inside.close().await?;
        execute(
            &mut self.connection,
            format!("drop database {name} with (force)"),
        )
        .await?;
        Ok(jobs)
    }
}

async fn execute(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(drop)
}

async fn lock(connection: &mut PgConnection, number: i32) -> Result<(), sqlx::Error> {
    execute(
        connection,
        format!("select pg_advisory_lock({LOCKS}, {number})"),
    )
    .await
}

async fn unlock(connection: &mut PgConnection, number: i32) -> Result<(), sqlx::Error> {
    execute(
        connection,
        format!("select pg_advisory_unlock({LOCKS}, {number})"),
    )
    .await
}

async fn remove_leftovers(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let names: Vec<String> =
        sqlx::query_scalar("select datname::text from pg_database where starts_with(datname, $1)")
            .bind(prefix())
            .fetch_all(&mut *connection)
            .await?;
    for name in names {
        let process = name
            .trim_start_matches(&prefix())
            .split('_')
            .next()
            .and_then(|id| id.parse().ok());
        let Some(process): Option<i32> = process else {
            continue;
        };
        let unused: bool = sqlx::query_scalar("select pg_try_advisory_lock($1, $2)")
            .bind(LOCKS)
            .bind(process)
            .fetch_one(&mut *connection)
            .await?;
        if unused {
            execute(connection, format!("drop database {name} with (force)")).await?;
            unlock(connection, process).await?;
        }
    }
    Ok(())
}

fn server_url() -> Result<Url, String> {
    let text = std::env::var("DATABASE_URL")
        .map_err(|_| "the tests need a PostgreSQL server in DATABASE_URL. Run: ./run test")?;
    Url::parse(&text).map_err(|error| format!("DATABASE_URL is not an address: {error}"))
}

fn url_of(name: &str) -> Url {
    let mut url = server_url().unwrap();
    url.set_path(name);
    url
}

/// An empty, migrated database, dropped with this value.
pub(crate) struct TestDatabase {
    name: String,
    database: Database,
    jobs_left: AtomicUsize,
}

impl TestDatabase {
    /// Makes one.
    pub(crate) async fn create() -> Self {
        let name = ask(Order::Create).unwrap_or_else(|why| panic!("{why}"));
        let database = Database::connect(url_of(&name).as_str(), 8).await.unwrap();
        Self {
            name,
            database,
            jobs_left: AtomicUsize::new(0),
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        url_of(&self.name).into()
    }

    /// The database, as the program sees it.
    pub(crate) fn db(&self) -> &Database {
        &self.database
    }

    /// The id of a tenant that is not in the directory: enough for what is about a store's own tables.
    #[expect(
        clippy::unused_self,
        reason = "reads as what it is: a tenant of this database"
    )]
    pub(crate) fn new_tenant(&self) -> TenantId {
        TenantId::generate()
    }

    /// A connection of its own, with all rights of the server's owner, to look behind the program's back.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// What a query finds inside a store; `$1` is the tenant.
    pub(crate) async fn rows<T>(&self, sql: &'static str, tenant: TenantId) -> Vec<T>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut connection = self.connection().await;
        let mut transaction = connection.begin().await.unwrap();
        enter_tenant(&mut transaction, tenant.uuid()).await;
        sqlx::query_as(sql)
            .bind(tenant.uuid())
            .fetch_all(&mut *transaction)
            .await
            .unwrap()
    }

    /// The number of rows of every table, in order of their names: to show that nothing was half-made.
    pub(crate) async fn row_counts(&self) -> Vec<(String, i64)> {
        let mut connection = self.connection().await;
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace \
             order by relname",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let mut counts = Vec::new();
        for table in tables {
            let count = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table}")))
                .fetch_one(&mut connection)
                .await
                .unwrap();
            counts.push((table, count));
        }
        counts
    }

    /// The same without the audit log, into which it is written that somebody was refused, after the answer.
    pub(crate) async fn row_counts_beside_the_log(&self) -> Vec<(String, i64)> {
        let mut counts = self.row_counts().await;
        counts.retain(|(table, _)| table != "audit_log");
        counts
    }

    /// How many jobs wait or are worked on.
    pub(crate) async fn jobs(&self) -> i64 {
        let mut transaction = self.database.system().await.unwrap();
        transaction.count_jobs().await.unwrap()
    }

    /// Waits until so many statements wait for a lock.
    pub(crate) async fn waits_for_locks(&self, number: i64) {
        let mut connection = self.connection().await;
        let began = Instant::now();
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity \
                 where datname = current_database() and wait_event_type = 'Lock'",
            )
            .fetch_one(&mut connection)
            .await
            .unwrap();
            if waiting == number {
                break;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{waiting} statements wait for a lock, not {number}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many sessions there are.
    pub(crate) async fn sessions(&self) -> i64 {
        let mut connection = self.connection().await;
        sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() \
             and backend_type = 'client backend' and pid <> pg_backend_pid()",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap()
    }

    /// How many rows of tables have been read so far, once there are no more than so many sessions: each says what it read
    /// when it ends.
    pub(crate) async fn rows_read(&self, sessions: i64) -> i64 {
        let began = Instant::now();
        while self.sessions().await > sessions {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "sessions do not end"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut connection = self.connection().await;
        sqlx::query_scalar(
            "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_user_tables",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap()
    }

    /// Says that the test ends with so many jobs in the queue. Without it there must be none.
    pub(crate) fn leaves_jobs(&self, number: usize) {
        self.jobs_left.store(number, Ordering::Relaxed);
    }

    /// Closes the pool, then drops the database.
    pub(crate) async fn drop(self) {
        self.database.close().await;
    }
}

/// Makes the transaction of a connection one inside a store, as the program does.
pub(crate) async fn enter_tenant(connection: &mut PgConnection, tenant: Uuid) {
    sqlx::query("select enter_tenant($1)")
        .bind(tenant)
        .execute(connection)
        .await
        .unwrap();
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = ask(|reply| Order::Drop(self.name.clone(), reply));
        if !thread::panicking() {
            let left = dropped.unwrap();
            let expected = self.jobs_left.load(Ordering::Relaxed);
            assert_eq!(
                left.len(),
                expected,
                "jobs left behind in the queue: {left:?}"
            );
        }
    }
}
