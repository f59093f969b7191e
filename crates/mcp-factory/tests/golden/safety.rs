//! What callers, upstreams and authors try against a server: real calls against specs, from the lists of `tests/safety`.

mod addresses;
mod kinds;
mod leaks;
mod sql;
mod templates;
mod trouble;

use std::path::Path;

use serde_json::Value;

use crate::client::Session;
use crate::file;

/// The entries of a list; what begins with `# ` says what they are.
fn entries(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file("tests/safety").join(name)).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).map(str::to_owned).collect()
}

/// Serves a spec in a folder, with variables of the environment.
async fn serve(folder: &Path, spec: &str, options: &[&str], variables: &[(&str, String)]) -> Session {
    std::fs::write(folder.join("spec.yaml"), spec).unwrap();
    let options: Vec<String> = options.iter().map(|word| (*word).to_owned()).collect();
    let variables: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Session::open(folder, &options, &variables).await.unwrap_or_else(|fault| panic!("{fault}"))
}

/// The text of a result that must be an error.
fn refused<'a>(what: &str, result: &'a Value) -> &'a str {
    assert_eq!(result["isError"], true, "{what}: {result}");
    result["content"][0]["text"].as_str().unwrap()
}
