//! `forget`: has everything deleted that is kept of a store which its owner disconnected. A worker does it.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
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
    #[arg(long, value_name = "DOMAIN")]
    shop: String,
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
pub(super) fn forget(settings: &Settings, args: &ForgetArgs) -> anyhow::Result<ExitCode> {
    let running = database::join(settings)?;
    let domain = ShopDomain::parse(&args.shop)?;
    runtime()?.block_on(async {
        let database = running.open().await?;
        let mut system = database.system().await?;
        let tenant = system.find_tenant(&domain).await?;
        let tenant = tenant.with_context(|| format!("there is no store {domain}"))?;
        let mut transaction = system.into_tenant(tenant).await?;
        let shop = transaction.shop().await?;
        if shop.is_some_and(|shop| shop.status != ShopStatus::Disconnected) {
            bail!("{domain} is connected: an owner has to disconnect it first");
        }
        let now = Clock::System.now();
        transaction.queue_job(JobKind::RedactShop, now).await?;
        transaction.commit().await?;
        println!("everything of {domain} will be deleted by the next worker");
        database.close().await;
        anyhow::Ok(())
    })?;
    running.stop()?;
    Ok(ExitCode::SUCCESS)
}
