//! Which programs may be started: what the operator lists.

use std::path::{Path, PathBuf};

/// The programs that the operator allows. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    entries: Vec<String>,
    any: bool,
}

impl Allowed {
    /// Reads a list of names (`git`) and absolute paths (`/usr/bin/git`), by commas. `*` allows every program.
    ///
    /// # Errors
    /// An entry is neither, in words.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut allowed = Self::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry {
                "*" => allowed.any = true,
                _ if entry.starts_with('/') && !entry.split('/').any(|part| part == "..") => {
                    allowed.entries.push(entry.to_owned());
                }
                _ if !entry.contains('/') => allowed.entries.push(entry.to_owned()),
                _ => return Err(format!("`{entry}` is neither the name of a program nor an absolute path")),
            }
        }
        Ok(allowed)
    }

    /// The file of a program, which is written as a name or an absolute path. A name is looked up in `path`, the folders of `PATH`.
    ///
    /// A program written as a name is allowed by that name or by the path that it is found at; one written as a path by that path.
    ///
    /// # Errors
    /// It is not allowed or not there, in words.
    pub fn find(&self, program: &str, path: &str) -> Result<PathBuf, String> {
        let is_path = program.starts_with('/');
        if !is_path && program.contains('/') {
            return Err(format!("`{program}` is neither the name of a program nor an absolute path"));
        }
        let found =
            if is_path { Some(PathBuf::from(program)).filter(|file| is_program(file)) } else { search(program, path) };
        let file = found.as_deref().map(Path::to_string_lossy);
        let named = self.entries.iter().any(|entry| entry == program || file.as_deref() == Some(entry.as_str()));
        if !self.any && !named {
            return Err(format!("the operator of this server does not allow the program `{program}`"));
        }
        found.ok_or_else(|| match is_path {
            true => format!("there is no program at `{program}`"),
            false => format!("the program `{program}` is in none of the folders of PATH"),
        })
    }
}

fn search(name: &str, path: &str) -> Option<PathBuf> {
    let folders = path.split(':').filter(|folder| folder.starts_with('/'));
    folders.map(|folder| Path::new(folder).join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::Allowed;

    #[test]
    fn only_what_is_listed() {
        let path = "relative:/nowhere:/usr/bin:/bin";
        let sh = || Allowed::default().find("sh", path).unwrap_err();
        assert_eq!(sh(), "the operator of this server does not allow the program `sh`");
        for (list, program, good) in [
            ("sh", "sh", true),
            ("sh", "/bin/sh", false),
            ("/bin/sh", "/bin/sh", true),
            ("/usr/bin/env", "env", true),
            (" git , env ", "env", true),
            ("*", "/bin/sh", true),
            ("sh", "s", false),
            ("sh", "../bin/sh", false),
            ("*", "bin/sh", false),
            ("*", "no-such-program", false),
            ("/etc/passwd", "/etc/passwd", false),
        ] {
            assert_eq!(Allowed::parse(list).unwrap().find(program, path).is_ok(), good, "{list}: {program}");
        }
        assert!(Allowed::parse("bin/sh").is_err() && Allowed::parse("/bin/../bin/sh").is_err());
    }
}
