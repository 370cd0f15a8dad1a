//! The command line: see [`xboard::commands`].

use std::process::ExitCode;

fn main() -> ExitCode {
    xboard::commands::main()
}
