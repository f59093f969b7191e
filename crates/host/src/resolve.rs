//! References to secrets, resolved at the moment of use.

use std::io::Read as _;

use crate::limits::SECRET_FILE_BYTES_MAX;

/// Gives the value of an environment variable; an empty one counts as unset.
pub type Lookup<'a> = &'a (dyn Fn(&str) -> Option<String> + Send + Sync);

/// Why a reference has no value: what is missing, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) what: String,
    pub(crate) help: String,
}

pub(crate) fn variable(name: &str, lookup: Lookup<'_>, example: &str) -> Result<String, Missing> {
    set(name, lookup)?.ok_or_else(|| Missing {
        what: format!("environment variable {name} is not set"),
        help: format!("set it, for example: export {name}='{example}'"),
    })
}

/// Whether the operator gives the variable any value, readable or not.
pub(crate) fn is_set(name: &str, lookup: Lookup<'_>) -> bool {
    [name.to_owned(), format!("{name}_FILE")].iter().any(|name| lookup(name).is_some_and(|value| !value.is_empty()))
}

/// What a variable holds, or the file that `NAME_FILE` names, as containers are given their secrets.
fn set(name: &str, lookup: Lookup<'_>) -> Result<Option<String>, Missing> {
    if let Some(value) = lookup(name).filter(|value| !value.is_empty()) {
        return Ok(Some(value));
    }
    lookup(&format!("{name}_FILE")).filter(|path| !path.is_empty()).map(|path| file(&path)).transpose()
}

/// How a secret of Doppler is looked up: names of variables have no colon.
pub(crate) const DOPPLER: &str = "doppler:";

/// A secret of Doppler, which was fetched before the spec was opened.
pub(crate) fn managed(name: &str, lookup: Lookup<'_>) -> Result<String, Missing> {
    lookup(&format!("{DOPPLER}{name}")).filter(|value| !value.is_empty()).ok_or_else(|| Missing {
        what: format!("Doppler gave no secret {name}"),
        help: format!("set {name} in the config that DOPPLER_TOKEN belongs to, and see what was told about Doppler"),
    })
}

/// Replaces `${env:NAME}`, `${env:NAME:-value}` (the value when it is not set), `${doppler:NAME}` and `${file:/path}`; the values are put in as they are, so inside of a URL they have to be
/// percent-encoded already.
pub(crate) fn expand(text: &str, lookup: Lookup<'_>, example: &str) -> Result<String, Missing> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((reference, after)) = after.split_once('}') else {
            return Err(Missing {
                what: "a `${` is not closed".to_owned(),
                help: "write `${env:NAME}`, `${file:/path}` or `${doppler:NAME}`".to_owned(),
            });
        };
        match reference.split_once(':') {
            Some(("env", inside)) => match inside.split_once(":-") {
                Some((name, otherwise)) => {
                    out.push_str(set(name.trim(), lookup)?.as_deref().unwrap_or(otherwise));
                }
                None => out.push_str(&variable(inside.trim(), lookup, example)?),
            },
            Some(("file", path)) => out.push_str(&file(path.trim())?),
            Some(("doppler", name)) => out.push_str(&managed(name.trim(), lookup)?),
            _ => {
                let what = format!("`${{{reference}}}` is no reference");
                return Err(Missing {
                    what,
                    help: "write `${env:NAME}`, `${file:/path}` or `${doppler:NAME}`".to_owned(),
                });
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The values that are put into a URL's path or query. A key may stand there, so they count as secrets; what stands before the
/// path, such as a host, is no secret.
pub(crate) fn in_path(url: &str, lookup: Lookup<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_path = false;
    let mut rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    while let Some((before, after)) = rest.split_once("${") {
        in_path |= before.contains(['/', '?']);
        let Some((reference, after)) = after.split_once('}') else { break };
        if in_path {
            found.extend(expand(&format!("${{{reference}}}"), lookup, "a value").ok());
        }
        rest = after;
    }
    found
}

/// The contents of a secret's file without the line break at its end.
pub(crate) fn file(path: &str) -> Result<String, Missing> {
    let missing = |why: String| Missing {
        what: format!("file {path} cannot be read: {why}"),
        help: "make it readable for this process; it holds the value alone".to_owned(),
    };
    let mut text = String::new();
    let opened = std::fs::File::open(path).map_err(|error| missing(error.to_string()))?;
    opened.take(SECRET_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| missing(error.to_string()))?;
    if text.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(missing(format!("it is larger than {SECRET_FILE_BYTES_MAX} bytes")));
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{expand, in_path};

    #[test]
    fn values_in_a_path_count_as_secrets() {
        let lookup = |name: &str| Some(format!("<{name}>"));
        assert_eq!(
            in_path("https://${env:HOST}.example.com/bot${env:KEY}/x?a=${env:OTHER}", &lookup),
            ["<KEY>", "<OTHER>"]
        );
        assert_eq!(in_path("${env:BASE}/v1/${env:KEY}", &lookup), ["<KEY>"]);
        assert!(in_path("https://${env:HOST}:${env:PORT}/v1", &lookup).is_empty());
    }

    #[test]
    fn references_are_replaced_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "from a file\n").unwrap();
        let lookup = |name: &str| (name == "A").then(|| "${env:B}".to_owned());
        let text = format!("x${{env:A}}-${{file:{}}}.", path.display());
        assert_eq!(expand(&text, &lookup, "").unwrap(), "x${env:B}-from a file.");
        let other = format!("{}", path.display());
        let by_file = move |name: &str| (name == "C_FILE").then(|| other.clone());
        assert_eq!(expand("${env:C}", &by_file, "").unwrap(), "from a file");
        let missing = expand("${env:B}", &lookup, "an example").unwrap_err();
        assert_eq!(missing.what, "environment variable B is not set");
        assert_eq!(missing.help, "set it, for example: export B='an example'");
        assert!(expand("${file:/nowhere/at/all}", &lookup, "").unwrap_err().what.starts_with("file /nowhere/at/all"));
        assert_eq!(expand("${env:B:-https://x.example/v0}", &lookup, "").unwrap(), "https://x.example/v0");
        assert_eq!(expand("${env:A:-no}", &lookup, "").unwrap(), "${env:B}", "one that is set wins");
        assert!(expand("${other:x}", &lookup, "").is_err() && expand("${env:A", &lookup, "").is_err());
    }
}
