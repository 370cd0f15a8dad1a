//! `fill`: a store of any size in the database, through the program's own staging and merge.

use std::time::Instant;

use anyhow::Context as _;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Args;
use secrecy::SecretString;
use xboard::auth::passwords::Passwords;
use xboard::db::Database;
use xboard::domain::email::Email;
use xboard::domain::ids::TenantId;
use xboard::domain::money::Currency;
use xboard::domain::principal::Role;
use xboard::domain::record::Record;
use xboard::domain::shop::{ShopDomain, ShopRecord};
use xboard::domain::sync::ObjectKind;

use crate::store::{CURRENCY, Store, ZONE};

/// Whose stores they are.
pub(crate) const EMAIL: &str = "bench@example.com";
/// How the owner signs in.
pub(crate) const PASSWORD: &str = "bench-password-bench";

/// How many objects are staged at a time.
const WINDOW: usize = 50_000;
/// How many of them are upserted in one transaction.
const BATCH: i64 = 3_000;

/// The store to make.
#[derive(Clone, Debug, Args)]
pub(crate) struct FillArgs {
    /// How many orders.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) orders: i64,
    /// How many of them, the last ones, are left out: to be added later, each as a change.
    #[arg(long, default_value_t = 0)]
    pub(crate) leave: i64,
    /// The label of the store: the first part of its myshopify.com domain.
    #[arg(long, default_value = "bench")]
    pub(crate) shop: String,
    /// Over how many days.
    #[arg(long, default_value_t = 1_095)]
    pub(crate) days: i64,
    /// The last of them.
    #[arg(long, default_value = "2026-10-31")]
    pub(crate) last_day: NaiveDate,
}

impl FillArgs {
    /// A store of so many orders under this label, otherwise as when nothing is said.
    pub(crate) fn of(orders: i64, shop: &str) -> Self {
        Self {
            orders,
            leave: 0,
            shop: shop.to_owned(),
            days: 1_095,
            last_day: NaiveDate::from_ymd_opt(2026, 10, 31).unwrap_or_default(),
        }
    }

    /// The store that they ask for.
    pub(crate) fn store(&self) -> anyhow::Result<Store> {
        Store::new(self.orders, self.days, self.last_day)
    }

    /// When it counts as fetched: after everything in it.
    pub(crate) fn fetched_at(&self) -> DateTime<Utc> {
        self.last_day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::days(60)
    }
}

pub(crate) async fn run(url: &str, arguments: &FillArgs) -> anyhow::Result<()> {
    let database = Database::connect(url, 4).await?;
    database.migrate().await?;
    let began = Instant::now();
    let tenant = fill_up_to(&database, arguments, arguments.orders - arguments.leave).await?;
    println!(
        "{}.myshopify.com: {} orders in {:.1?}; tenant {tenant}; sign in as {EMAIL} with {PASSWORD}",
        arguments.shop,
        arguments.orders,
        began.elapsed(),
    );
    database.close().await;
    Ok(())
}

/// Makes the store, owned by [`EMAIL`].
pub(crate) async fn fill(database: &Database, arguments: &FillArgs) -> anyhow::Result<TenantId> {
    fill_up_to(database, arguments, arguments.orders).await
}

/// The same without the orders from this number on.
pub(crate) async fn fill_up_to(
    database: &Database,
    arguments: &FillArgs,
    orders: i64,
) -> anyhow::Result<TenantId> {
    let tenant = connect(database, arguments).await?;
    let store = arguments.store()?;
    let fetched_at = arguments.fetched_at();
    let customers = (0..store.customers()).map(|number| vec![store.customer(number)]);
    load(
        database,
        tenant,
        ObjectKind::Customers,
        customers,
        fetched_at,
    )
    .await?;
    let products = (0..store.products()).map(|number| store.product(number).to_vec());
    load(database, tenant, ObjectKind::Products, products, fetched_at).await?;
    let mut transaction = database.work(tenant).await?;
    transaction.defer_rollups().await?;
    transaction.commit().await?;
    let orders = (0..orders.min(store.orders())).map(|number| store.order(number));
    load(database, tenant, ObjectKind::Orders, orders, fetched_at).await?;
    let mut transaction = database.work(tenant).await?;
    transaction.build_pending_rollups().await?;
    transaction.commit().await?;
    Ok(tenant)
}

/// Enters an empty store into the directory, and its owner where there is none yet.
pub(crate) async fn connect(database: &Database, arguments: &FillArgs) -> anyhow::Result<TenantId> {
    let now = arguments.fetched_at();
    let shop = ShopRecord {
        gid: format!("gid://shopify/Shop/{}", arguments.shop),
        domain: ShopDomain::parse(&format!("{}.myshopify.com", arguments.shop))?,
        name: arguments.shop.clone(),
        currency: Currency::parse(CURRENCY)?,
        time_zone: ZONE.to_owned(),
        scopes: [
            "read_all_orders",
            "read_customers",
            "read_orders",
            "read_products",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    let email = Email::parse(EMAIL)?;
    // The cheapest hash: what is measured is not the signing in.
    let hash = Passwords::new(4)
        .hash(&SecretString::from(PASSWORD))
        .await?;
    let mut system = database.system().await?;
    let user = match system.find_user_by_email(&email).await? {
        Some(user) => user.id,
        None => system
            .create_user(&email, &hash, now)
            .await?
            .context("the owner could not be added")?,
    };
    let tenant = system
        .create_tenant(&shop, now)
        .await?
        .context("there is a store of this name already")?;
    system
        .create_membership(tenant, user, Role::Owner, now)
        .await?;
    let mut transaction = system.into_tenant(tenant).await?;
    transaction.create_shop(&shop, now).await?;
    transaction.mark_synced(now).await?;
    transaction.commit().await?;
    Ok(tenant)
}

/// Fails when figures that are kept of a store are not those of its ledger.
pub(crate) async fn verify(database: &Database, tenant: TenantId) -> anyhow::Result<()> {
    let mut snapshot = database.tenant_snapshot(tenant).await?;
    let differences = snapshot.verify().await?;
    anyhow::ensure!(
        differences.is_empty(),
        "the figures differ from their recomputation: {differences:?}"
    );
    Ok(())
}

/// Stages and upserts objects, window by window.
async fn load(
    database: &Database,
    tenant: TenantId,
    kind: ObjectKind,
    objects: impl Iterator<Item = Vec<Record>>,
    fetched_at: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut objects = objects.peekable();
    while objects.peek().is_some() {
        let mut staging = database.staging(tenant, kind).await?;
        for object in objects.by_ref().take(WINDOW) {
            staging.add(&object).await?;
        }
        staging.finish().await?;
        while let Some((transaction, _)) = staging.upsert_next(BATCH, fetched_at).await? {
            transaction.commit().await?;
        }
        staging.close().await;
    }
    Ok(())
}
