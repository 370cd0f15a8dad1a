//! The command line: see [`xboard::commands`].

use std::process::ExitCode;

/// An answer is made of many small pieces. With the C library's allocator a quarter of its time went into them,
/// and threads waited for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    xboard::commands::main()
}
