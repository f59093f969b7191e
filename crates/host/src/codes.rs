//! The diagnostics of opening a server's connections and keys.

/// Code, title and help of each diagnostic of this crate.
pub fn codes() -> &'static [(&'static str, &'static str, &'static str)] {
    &CODES
}

pub(crate) const MISSING: &str = "MF0911";
pub(crate) const URL: &str = "MF0912";
pub(crate) const MISMATCH: &str = "MF0913";
pub(crate) const UNREACHABLE: &str = "MF0914";
pub(crate) const NO_KEY: &str = "MF0915";
pub(crate) const OAUTH: &str = "MF0916";

const CODES: [(&str, &str, &str); 6] = [
    (
        MISSING,
        "a connection's URL is not known",
        "The environment variable or file that holds the URL of a connection is not there. The server lists its tools, and the \
         tools of this connection answer that it is not available. Set the variable, or put it into a file and give that with \
         `--env-file`.",
    ),
    (
        URL,
        "a connection's URL cannot be used",
        "The URL has a scheme that no engine knows, or cannot be read. It looks like `postgresql://user:password@host:5432/database`, \
         `mysql://user:password@host:3306/database`, `sqlite:/path/to/file.db` or `sqlite::memory:`.",
    ),
    (
        MISMATCH,
        "a URL names another engine than its connection",
        "The connection's `type` says which engine the spec was written for, and its URL names another one. Written SQL may not \
         run there. Correct one of them; for trying a spec out on another engine, `--dev` makes this a warning.",
    ),
    (
        UNREACHABLE,
        "a database cannot be reached",
        "The URL is there, but the database did not answer or refused the login. What its tools do could not be looked up or \
         checked.",
    ),
    (
        NO_KEY,
        "no key is set for callers",
        "The spec asks HTTP callers for a key, and the environment variable that holds the accepted key is not set. The server \
         does not start unprotected. Set the variable to a long random text; several keys are separated by commas.",
    ),
    (
        OAUTH,
        "OAuth is not enforced here",
        "`auth: oauth2` is validated, and enforced only where an issuer's tokens can be checked, which `run` does not do. The \
         server does not start unprotected over HTTP. Use `bearer` or `api_key`, or stdio.",
    ),
];
