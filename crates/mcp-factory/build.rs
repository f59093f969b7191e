//! Asks the linker for a small binary: one copy of functions that came out the same (generic code makes many), and the list of
//! addresses to be relocated at the start in its short form, which also is read faster.

use std::env;
use std::process::Command;

/// The first C library (glibc) that reads the short form.
const SHORT_RELOCATIONS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let told = |name: &str| env::var(name).unwrap_or_default();
    // rust-lld is what links for this target unless somebody chose another linker, which may not know the options.
    let ours = told("TARGET") == "x86_64-unknown-linux-gnu" && told("HOST") == told("TARGET");
    let chosen = told("CARGO_ENCODED_RUSTFLAGS").contains("link") || !told("RUSTC_LINKER").is_empty();
    if ours && !chosen && told("PROFILE") == "release" {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        if library().is_some_and(|version| version >= SHORT_RELOCATIONS) {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
}

/// The version of this machine's C library, where it is glibc.
fn library() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(told.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
