//! The command line: see [`xboard::cli`].

use std::process::ExitCode;

/// An answer is made of many small pieces. With the C library's allocator a quarter of its time went into them,
/// and threads waited for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    without_huge_pages();
    xboard::cli::main()
}

/// Has Linux give memory in small pages. Finding a huge one may take it ten milliseconds, in the middle of a request; where
/// it refuses, huge pages it is.
fn without_huge_pages() {
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).ok();
}
