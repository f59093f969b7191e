//! The diagnostics of opening a server's connections and keys.

/// Code, title and help page (Markdown) of each diagnostic of this crate.
pub fn codes() -> &'static [(&'static str, &'static str, &'static str)] {
    &CODES
}

pub(crate) const MISSING: &str = "MF0911";
pub(crate) const URL: &str = "MF0912";
pub(crate) const MISMATCH: &str = "MF0913";
pub(crate) const UNREACHABLE: &str = "MF0914";
pub(crate) const NO_KEY: &str = "MF0915";
pub(crate) const OAUTH: &str = "MF0916";
pub(crate) const NETWORKS: &str = "MF0917";
pub(crate) const OPERATION: &str = "MF0918";
pub(crate) const UNTOLD: &str = "MF0919";
pub(crate) const PROGRAMS: &str = "MF0923";
pub(crate) const PROGRAM: &str = "MF0924";
pub(crate) const CALL: &str = "MF0925";
pub(crate) const UNLISTED: &str = "MF0926";
pub(crate) const DOPPLER: &str = "MF0929";
pub(crate) const AUTHORIZE: &str = "MF0930";

const CODES: [(&str, &str, &str); 15] = [
    (MISSING, "a connection's URL or secret is not known", include_str!("codes/MF0911.md")),
    (URL, "a connection's URL cannot be used", include_str!("codes/MF0912.md")),
    (MISMATCH, "a URL names another engine than its connection", include_str!("codes/MF0913.md")),
    (UNREACHABLE, "a database cannot be reached", include_str!("codes/MF0914.md")),
    (NO_KEY, "no key is set for callers", include_str!("codes/MF0915.md")),
    (OAUTH, "OAuth is not enforced here", include_str!("codes/MF0916.md")),
    (NETWORKS, "the list of private networks cannot be read", include_str!("codes/MF0917.md")),
    (OPERATION, "an operation does not fit the API's schema", include_str!("codes/MF0918.md")),
    (UNTOLD, "an API did not tell its schema", include_str!("codes/MF0919.md")),
    (PROGRAMS, "the list of allowed programs cannot be read", include_str!("codes/MF0923.md")),
    (PROGRAM, "a program cannot be started", include_str!("codes/MF0924.md")),
    (CALL, "a call does not fit the other server's tool", include_str!("codes/MF0925.md")),
    (UNLISTED, "another server did not list its tools", include_str!("codes/MF0926.md")),
    (DOPPLER, "the secrets of Doppler could not be fetched", include_str!("codes/MF0929.md")),
    (AUTHORIZE, "a user could not authorise", include_str!("codes/MF0930.md")),
];
