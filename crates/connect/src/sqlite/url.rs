//! URLs of SQLite databases.

use std::path::PathBuf;

use crate::percent::decode;

/// Which database a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A file.
    File {
        /// As given, relative to the working directory or absolute.
        path: PathBuf,
        /// What may be done with it.
        mode: Mode,
        /// The file cannot change while it is open: no locks, no journal.
        immutable: bool,
    },
    /// A database in memory, shared by the connections of one pool and gone with it. A name shares
    /// it with every pool of this process that uses the same name.
    Memory {
        /// Name, if any.
        name: Option<String>,
    },
}

/// `?mode=` of a URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// `ro`: nothing is ever written, not even by tools that may write.
    ReadOnly,
    /// `rw`: the file must exist.
    #[default]
    ReadWrite,
    /// `rwc`: a file that does not exist is created.
    Create,
}

/// Reads `sqlite:rel.db`, `sqlite://rel.db`, `sqlite:///abs/path.db`, `sqlite::memory:` (as sqlx
/// does) and the `file:` URIs of SQLite itself (<https://sqlite.org/uri.html>), all percent-decoded, with the
/// parameters `mode=ro|rw|rwc|memory`, `immutable=1` and `cache`.
///
/// The error is a sentence without the URL in it.
pub(super) fn parse(url: &str) -> Result<Location, String> {
    let (scheme, rest) = url.split_once(':').ok_or("the URL has no scheme")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path(rest, scheme.eq_ignore_ascii_case("file"))?;

    let mut mode = Mode::default();
    let mut immutable = false;
    let mut memory = path == ":memory:";
    for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (key, value) {
            ("mode", "ro") => mode = Mode::ReadOnly,
            ("mode", "rw") => mode = Mode::ReadWrite,
            ("mode", "rwc") => mode = Mode::Create,
            ("mode", "memory") => memory = true,
            ("immutable", "1" | "true") => immutable = true,
            // Connections of a pool never share a page cache: its locks cannot be waited for.
            ("immutable", "0" | "false") | ("cache", "private" | "shared") => {}
            ("mode", _) => return Err(format!("`mode={value}` is none of `ro`, `rw`, `rwc`, `memory`")),
            ("immutable" | "cache", _) => return Err(format!("`{key}={value}` is not a value of `{key}`")),
            _ => return Err(format!("the URL parameter `{key}` is not known; `mode`, `immutable` and `cache` are")),
        }
    }
    if memory {
        let name = Some(path).filter(|path| !path.is_empty() && path != ":memory:");
        return Ok(Location::Memory { name });
    }
    if path.is_empty() {
        return Err("the URL names no file".to_owned());
    }
    Ok(Location::File { path: PathBuf::from(path), mode, immutable })
}

/// The path in a URL without its scheme and parameters. After `//` a `file:` URI has an authority,
/// which must be empty or `localhost`; a `sqlite:` URL has the path at once.
fn path(rest: &str, file: bool) -> Result<String, String> {
    let path = match rest.strip_prefix("//") {
        Some(after) if file => match after.split_once('/') {
            Some(("" | "localhost", _)) => &after[after.find('/').unwrap_or(0)..],
            _ => return Err("a `file:` URL with `//` needs an absolute path: `file:///path`".to_owned()),
        },
        Some(after) => after,
        None => rest,
    };
    let path = decode(path).ok_or("the URL's percent-encoding is not valid UTF-8")?;
    if path.contains('\0') { Err("the path has a zero byte".to_owned()) } else { Ok(path) }
}

#[cfg(test)]
mod tests {
    use super::{Location, Mode, parse};

    fn file(path: &str, mode: Mode) -> Location {
        Location::File { path: path.into(), mode, immutable: false }
    }

    #[test]
    fn urls_name_files_and_memory() {
        let cases = [
            ("sqlite:shop.db", file("shop.db", Mode::ReadWrite)),
            ("sqlite://shop.db", file("shop.db", Mode::ReadWrite)),
            ("sqlite:///var/shop.db", file("/var/shop.db", Mode::ReadWrite)),
            ("sqlite:/var/shop.db?mode=ro", file("/var/shop.db", Mode::ReadOnly)),
            ("sqlite:my%20shop%3F.db?mode=rwc", file("my shop?.db", Mode::Create)),
            ("sqlite:100%.db", file("100%.db", Mode::ReadWrite)),
            ("SQLite3:shop.db", file("shop.db", Mode::ReadWrite)),
            ("file:shop.db", file("shop.db", Mode::ReadWrite)),
            ("file:///var/shop.db?cache=private", file("/var/shop.db", Mode::ReadWrite)),
            ("file://localhost/var/shop.db", file("/var/shop.db", Mode::ReadWrite)),
            (
                "file:shop.db?immutable=1",
                Location::File { path: "shop.db".into(), mode: Mode::ReadWrite, immutable: true },
            ),
            ("sqlite::memory:", Location::Memory { name: None }),
            ("sqlite://:memory:", Location::Memory { name: None }),
            ("sqlite:?mode=memory", Location::Memory { name: None }),
            ("file:shop?mode=memory&cache=shared", Location::Memory { name: Some("shop".into()) }),
        ];
        for (url, wanted) in cases {
            assert_eq!(parse(url), Ok(wanted), "{url}");
        }
    }

    #[test]
    fn wrong_urls_are_refused() {
        for url in [
            "sqlite:",
            "sqlite:a.db?mode=x",
            "sqlite:a.db?vfs=unix-none",
            "file://host/a.db",
            "sqlite:%00",
            "sqlite:%ff",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
