//! Rebuilds when a migration or a Shopify query is added, which the compiler itself does not see, and puts
//! the pages into the program, if they were built (`./run setup` does that).

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The pages: their directories below `web/`, each of which leaves what it built in its `dist/`.
const PAGES: [&str; 2] = ["dashboard", "graphiql"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=shopify_queries");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not say where to write")?);
    for page in PAGES {
        let built = format!("web/{page}/dist");
        println!("cargo:rerun-if-changed={built}");
        let files = page_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(built));
        fs::write(out.join(format!("{page}_files.rs")), files)?;
    }
    Ok(())
}

/// A list of names and contents, as an expression; empty when the page was not built.
fn page_files(directory: &Path) -> String {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|extension| {
                extension == "gz" || extension == "html" || extension == "json"
            })
        })
        .collect();
    paths.sort();
    let files = paths.iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let path = path.to_str()?;
        Some(format!("({name:?}, include_bytes!({path:?})),"))
    });
    format!("&[{}]", files.collect::<String>())
}
