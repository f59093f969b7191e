//! A file of the operator that says what names stand for, in the form of `/etc/hosts`.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Resolver, system_resolver};

/// Largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// A resolver that looks into a file first (`ADDRESS NAME…` a line, `#` for comments) and asks the system for names that are
/// not there. The file is read at each lookup, so a change needs no new start; what it says passes every check.
pub fn file_resolver(path: PathBuf) -> Resolver {
    let system = system_resolver();
    let path: Arc<PathBuf> = Arc::new(path);
    Arc::new(move |name| {
        let (path, system) = (Arc::clone(&path), Arc::clone(&system));
        Box::pin(async move {
            let named = |error: io::Error| {
                io::Error::new(error.kind(), format!("the file of hosts {} cannot be read: {error}", path.display()))
            };
            if tokio::fs::metadata(&*path).await.map_err(named)?.len() > FILE_BYTES_MAX {
                return Err(named(io::Error::other(format!("it is larger than {FILE_BYTES_MAX} bytes"))));
            }
            let text = tokio::fs::read_to_string(&*path).await.map_err(named)?;
            let found = addresses(&text, &name);
            if found.is_empty() { system(name).await } else { Ok(found) }
        })
    })
}

fn addresses(text: &str, name: &str) -> Vec<IpAddr> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let fits = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    });
    fits.collect()
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn names_stand_for_all_addresses_of_their_lines() {
        let text = "# a comment\n192.0.2.1 a.example b.example # 192.0.2.9 a.example\n2001:db8::1\tA.Example\nnone a.example\n\n";
        let found = |name| addresses(text, name).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found("a.example"), ["192.0.2.1", "2001:db8::1"]);
        assert_eq!(found("B.EXAMPLE"), ["192.0.2.1"]);
        assert!(found("example").is_empty() && found("192.0.2.1").is_empty());
    }
}
