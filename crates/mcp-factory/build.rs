//! Asks the linker to keep one copy of functions that came out the same: generic code makes many, and the binary is to be small.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let told = |name: &str| env::var(name).unwrap_or_default();
    // rust-lld is what links for this target unless somebody chose another linker, which may not know the option.
    let ours = told("TARGET") == "x86_64-unknown-linux-gnu" && told("HOST") == told("TARGET");
    let chosen = told("CARGO_ENCODED_RUSTFLAGS").contains("link") || !told("RUSTC_LINKER").is_empty();
    if ours && !chosen && told("PROFILE") == "release" {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}
