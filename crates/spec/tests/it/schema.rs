//! The published schema and the checker agree.

use base::Source;
use jsonschema::Validator;
use serde_json::Value;

use crate::corpus;

fn validator() -> Validator {
    let schema = spec::json_schema();
    assert!(jsonschema::draft202012::meta::is_valid(&schema), "the schema is not a schema");
    jsonschema::draft202012::new(&schema).unwrap()
}

fn value(path: &std::path::Path) -> Option<Value> {
    let bytes = std::fs::read(path).unwrap();
    let text = std::str::from_utf8(&bytes).ok()?;
    let name = path.file_name().unwrap().to_string_lossy();
    spec::read_value(Source { name: &name, text }, None).ok()
}

#[test]
fn every_valid_spec_validates_against_the_schema() {
    let validator = validator();
    let mut wrong = Vec::new();
    for path in corpus::files("valid") {
        let value = value(&path).unwrap();
        for problem in validator.iter_errors(&value) {
            wrong.push(format!("{}: {} at {}", path.display(), problem, problem.instance_path()));
        }
        let canonical = corpus::read(&path, false).1.spec.unwrap().canonical_json();
        let canonical: Value = serde_json::from_str(&canonical).unwrap();
        // The canonical form has the full form of parameters, which the schema takes as well.
        for problem in validator.iter_errors(&canonical) {
            wrong.push(format!("{} (canonical): {} at {}", path.display(), problem, problem.instance_path()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_structural_fault_is_one_for_the_schema() {
    /// Faults that JSON Schema can say; two spellings of one key and empty texts it does not.
    const STRUCTURAL: [&str; 6] = ["MF0201", "MF0202", "MF0203", "MF0204", "MF0206", "MF0501"];
    let validator = validator();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in corpus::files("invalid") {
        if !corpus::expected(&path).iter().any(|code| STRUCTURAL.contains(&code.as_str())) {
            continue;
        }
        let Some(value) = value(&path) else { continue };
        seen += 1;
        if validator.is_valid(&value) {
            wrong.push(path.display().to_string());
        }
    }
    println!("structural faults found by the schema: {} of {seen}", seen - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `MF_BLESS=1` writes the file.
#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/mcp-spec.schema.json");
    let text = serde_json::to_string_pretty(&spec::json_schema()).unwrap() + "\n";
    if std::env::var_os("MF_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "schema/mcp-spec.schema.json is not up to date: run `cargo xtask gen`");
}
