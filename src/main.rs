//! The command line: see [`xboard::cli`].

use std::process::ExitCode;

/// A response consists of many small allocations. With the C library's allocator, a quarter of the
/// response time was spent on them, and threads waited for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    without_huge_pages();
    xboard::cli::main()
}

/// Makes Linux use small memory pages. Providing a huge page may take ten milliseconds in the
/// middle of a request. If Linux refuses, huge pages stay in use.
fn without_huge_pages() {
    #[cfg(target_os = "linux")]
    rustix::thread::disable_transparent_huge_pages(true).ok();
}
