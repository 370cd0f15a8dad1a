//! Rebuilds when a migration or a Shopify query is added: neither is seen by the compiler itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=shopify_queries");
}
