//! PostgreSQL alone, by its own load generator: the statements of a dashboard over the rollups, and over the
//! ledger itself.

use std::io::Write as _;

use anyhow::Context as _;
use chrono::TimeDelta;
use tokio::process::Command;

use crate::subject::Subject;

/// What each script is, and its statements.
pub(super) fn scripts(subject: &Subject) -> [(&'static str, String); 2] {
    [
        ("pgbench: its statements", statements(subject)),
        ("pgbench: the same from the ledger", ledger(subject)),
    ]
}

/// How often the script was carried out in so many seconds.
pub(super) async fn run(url: &str, script: &str, seconds: u32) -> anyhow::Result<u64> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(script.as_bytes())?;
    let output = Command::new(crate::database::pgbench())
        .args([
            "--no-vacuum",
            "--protocol",
            "prepared",
            "--client",
            "2",
            "--time",
        ])
        .arg(seconds.to_string())
        .arg("--file")
        .arg(file.path())
        .arg(url)
        .output()
        .await?;
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    report
        .lines()
        .find_map(|line| {
            line.strip_prefix("number of transactions actually processed: ")?
                .split('/')
                .next()?
                .trim()
                .parse()
                .ok()
        })
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

fn statements(subject: &Subject) -> String {
    let (tenant, last) = (subject.tenant, subject.arguments.last_day);
    let (from, years) = (last - TimeDelta::days(89), last - TimeDelta::days(1_094));
    let sums = "sum(orders), sum(units_sold), sum(gross_sales), sum(discounts), sum(returns), sum(shipping), \
                sum(taxes), sum(duties), sum(fees), sum(order_value)";
    let rows = format!(
        "from sales_rollups where tenant_id = '{tenant}' and dimension = 'SHOP' and currency = 'USD' and day between"
    );
    format!(
        "begin isolation level repeatable read read only;\nselect enter_tenant('{tenant}');\n\
         select * from shops where tenant_id = '{tenant}';\n\
         select {sums} {rows} '{from}' and '{last}';\n\
         select day, {sums} {rows} '{from}' and '{last}' group by day order by day;\n\
         select date_trunc('month', day::timestamp), {sums} {rows} '{years}' and '{last}' group by 1 order by 1;\n\
         select * from sales_totals t join customers c on c.tenant_id = t.tenant_id and c.id = t.value_id \
           where t.tenant_id = '{tenant}' and t.dimension = 'CUSTOMER' order by t.total_sales desc, t.value_id desc limit 5;\n\
         select * from orders where tenant_id = '{tenant}' and deleted_at is null \
           order by processed_at desc, id desc limit 5;\nrollback;\n"
    )
}

fn ledger(subject: &Subject) -> String {
    let (tenant, last) = (subject.tenant, subject.arguments.last_day);
    let from = last - TimeDelta::days(89);
    format!(
        "begin isolation level repeatable read read only;\nselect enter_tenant('{tenant}');\n\
         select day, sum(orders), sum(gross_sales), count(distinct customer_id) from sale_contributions \
           where tenant_id = '{tenant}' and day between '{from}' and '{last}' group by day;\nrollback;\n"
    )
}
