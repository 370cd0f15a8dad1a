//! `verify`: recomputes all figures and reports differences. Exits with 1 if there are any.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::{database, runtime};
use crate::config::Settings;
use crate::domain::ids::TenantId;
use crate::domain::shop::ShopDomain;

/// The arguments of `verify`.
#[derive(Debug, Clone, Args)]
pub(super) struct VerifyArgs {
    /// The shop's domain [default: all shops]
    #[arg(long, value_name = "DOMAIN")]
    shop: Option<String>,
}

#[expect(clippy::print_stdout, reason = "the output of the command")]
pub(super) fn verify(settings: &Settings, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let running = database::join(settings)?;
    let found = runtime()?.block_on(async {
        let database = running.open().await?;
        let mut found = 0;
        for (tenant, domain) in stores(&database, args.shop.as_deref()).await? {
            let mut snapshot = database.tenant_snapshot(tenant).await?;
            let differences = snapshot.verify().await?;
            println!("{domain}: {}", summary(differences.len()));
            for difference in &differences {
                println!("  {difference}");
            }
            found += differences.len();
        }
        database.close().await;
        anyhow::Ok(found)
    })?;
    running.stop()?;
    Ok(if found == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(differences: usize) -> String {
    match differences {
        0 => "all stored figures equal the recomputed ones".to_owned(),
        1 => "1 difference".to_owned(),
        some => format!("{some} differences"),
    }
}

/// The shop with this domain, or all shops.
pub(super) async fn stores(
    database: &crate::db::Database,
    domain: Option<&str>,
) -> anyhow::Result<Vec<(TenantId, ShopDomain)>> {
    let mut system = database.system().await?;
    let Some(domain) = domain else {
        return Ok(system.tenants().await?);
    };
    let domain = ShopDomain::parse(domain)?;
    let tenant = system
        .find_tenant(&domain)
        .await?
        .with_context(|| format!("{domain} is not connected: register it first"))?;
    Ok(vec![(tenant, domain)])
}
