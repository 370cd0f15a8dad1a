//! `erase`: queues the deletion of all data of a disconnected shop. A worker deletes it.

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

/// The arguments of `erase`.
#[derive(Debug, Clone, Args)]
pub(super) struct EraseArgs {
    /// The shop's domain
    #[arg(long, value_name = "DOMAIN", required_unless_present = "list")]
    shop: Option<String>,
    /// List the erased shops, with the time and the requester (the operator or Shopify)
    #[arg(long, conflicts_with = "shop")]
    list: bool,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(super) fn erase(settings: &Settings, args: &EraseArgs) -> anyhow::Result<ExitCode> {
    let domain = args.shop.as_deref().map(ShopDomain::parse).transpose()?;
    let running = database::join(settings)?;
    runtime()?.block_on(async {
        let database = running.open().await?;
        let mut system = database.system().await?;
        let Some(domain) = domain else {
            for shop in system.erased_shops().await? {
                let at = shop.deleted_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                println!("{at}\t{}\t{}", shop.domain, shop.requested_by);
            }
            return anyhow::Ok(());
        };
        let tenant = system.find_tenant(&domain).await?;
        let tenant = tenant.with_context(|| format!("there is no shop {domain}"))?;
        let mut transaction = system.into_tenant(tenant).await?;
        let shop = transaction.shop().await?;
        if shop.is_some_and(|shop| shop.status != ShopStatus::Disconnected) {
            bail!("{domain} is connected: an owner has to disconnect it first");
        }
        let now = Clock::System.now();
        let job = JobKind::RedactShop { by_operator: true };
        transaction.queue_job(job, now).await?;
        transaction.commit().await?;
        println!("a worker will delete all data of {domain}");
        database.close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}
