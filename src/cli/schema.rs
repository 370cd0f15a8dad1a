//! `schema`: prints the GraphQL schema.

use std::io::Write as _;
use std::process::ExitCode;

use crate::graphql;

pub(super) fn schema() -> anyhow::Result<ExitCode> {
    std::io::stdout()
        .lock()
        .write_all(graphql::sdl().as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
