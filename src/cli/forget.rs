//! `forget`: has everything deleted that is kept of a store which its owner disconnected. A worker does it.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::SecondsFormat;
use clap::Args;

use super::{database, runtime};
use crate::config::Settings;
use crate::db::jobs::JobKind;
use crate::db::shops::ShopStatus;
use crate::domain::clock::Clock;
use crate::domain::shop::ShopDomain;

/// What `forget` takes besides the settings.
#[derive(Debug, Clone, Args)]
pub(super) struct ForgetArgs {
    /// The store's domain
    #[arg(long, value_name = "DOMAIN", required_unless_present = "list")]
    shop: Option<String>,
    /// List the stores of which everything was deleted, when, and whether the operator or Shopify asked for it
    #[arg(long, conflicts_with = "shop")]
    list: bool,
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(super) fn forget(settings: &Settings, args: &ForgetArgs) -> anyhow::Result<ExitCode> {
    let domain = args.shop.as_deref().map(ShopDomain::parse).transpose()?;
    let running = database::join(settings)?;
    runtime()?.block_on(async {
        let database = running.open().await?;
        let mut system = database.system().await?;
        let Some(domain) = domain else {
            for store in system.erased_shops().await? {
                let at = store.deleted_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                println!("{at}\t{}\t{}", store.domain, store.requested_by);
            }
            return anyhow::Ok(());
        };
        let tenant = system.find_tenant(&domain).await?;
        let tenant = tenant.with_context(|| format!("there is no store {domain}"))?;
        let mut transaction = system.into_tenant(tenant).await?;
        let shop = transaction.shop().await?;
        if shop.is_some_and(|shop| shop.status != ShopStatus::Disconnected) {
            bail!("{domain} is connected: an owner has to disconnect it first");
        }
        let now = Clock::System.now();
        let job = JobKind::RedactShop { by_operator: true };
        transaction.queue_job(job, now).await?;
        transaction.commit().await?;
        println!("everything of {domain} will be deleted by the next worker");
        database.close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}
