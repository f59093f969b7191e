//! The names `mcp-create`, `mcp-list` and so on: the same binary under other names.

use std::ffi::OsString;
use std::path::Path;

/// Commands that have a name of their own.
pub(crate) const NAMES: [&str; 17] = [
    "create", "list", "status", "remove", "test", "run", "serve", "deploy", "start", "stop", "logs", "validate",
    "plan", "fmt", "schema", "explain", "doctor",
];

/// Turns `mcp-create ARGS` into `mcp-factory create ARGS`; anything else stays as it is.
pub(crate) fn expand(words: Vec<OsString>) -> Vec<OsString> {
    let command = words.first().and_then(|program| command_of(program));
    match command {
        Some(command) => {
            let own = ["mcp-factory".into(), command.into()];
            own.into_iter().chain(words.into_iter().skip(1)).collect()
        }
        None => words,
    }
}

fn command_of(program: &OsString) -> Option<&'static str> {
    let stem = Path::new(program).file_stem()?.to_str()?;
    let command = stem.strip_prefix("mcp-")?;
    NAMES.iter().find(|known| **known == command).copied()
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn a_name_of_its_own_is_a_command() {
        let expanded = |words: &[&str]| {
            let words = expand(words.iter().map(Into::into).collect());
            words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(expanded(&["/usr/bin/mcp-create", "--json", "{}"]), ["mcp-factory", "create", "--json", "{}"]);
        assert_eq!(expanded(&["mcp-test.exe", "x"]), ["mcp-factory", "test", "x"]);
        assert_eq!(expanded(&["mcp-factory", "list"]), ["mcp-factory", "list"]);
        assert_eq!(expanded(&["mcp-other", "list"]), ["mcp-other", "list"]);
        assert!(expanded(&[]).is_empty());
    }
}
