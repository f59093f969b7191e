//! Golden cases: `cases/<name>/{spec.yaml, catalogue.txt, plan.txt}`. Without a catalogue the
//! connection was not reached. `MCP_FACTORY_BLESS=1` writes `plan.txt` anew; read the difference.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use base::Source;
use plan::{ConnectionReality, Reality};

use crate::catalogue;

#[test]
fn every_case_gives_its_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let bless = std::env::var_os("MCP_FACTORY_BLESS").is_some();
    let mut failed = Vec::new();
    for case in &names {
        let found = plan_of(case);
        let file = case.join("plan.txt");
        if bless {
            fs::write(&file, &found).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != found {
            failed.push(format!("{}:\n{found}", case.display()));
        }
    }
    assert!(failed.is_empty(), "{} of {} cases differ:\n{}", failed.len(), names.len(), failed.join("\n"));
    assert!(names.len() >= 25, "only {} cases", names.len());
}

/// The plan and its diagnostics as text. A plan must survive its own JSON, and be kept as it is
/// when it is made again.
fn plan_of(case: &Path) -> String {
    let text = fs::read_to_string(case.join("spec.yaml")).unwrap();
    let parsed = spec::parse(Source { name: "spec.yaml", text: &text }, &spec::ParseOptions::default());
    let spec = parsed.spec.unwrap_or_else(|| panic!("{}: {:#?}", case.display(), parsed.diagnostics));
    let reality = fs::read_to_string(case.join("catalogue.txt")).map(|text| {
        let (engine, catalogue) = catalogue::read(&text);
        let name = spec.connections.first().map(|connection| connection.name().to_owned()).unwrap_or_default();
        let server = Some(catalogue.server.clone());
        Reality {
            connections: vec![ConnectionReality { name, engine: Some(engine), server, catalogue: Some(catalogue) }],
            ..Reality::default()
        }
    });
    let reality = reality.unwrap_or_default();
    let (plan, diagnostics) = plan::make(&spec, &reality, None);
    let json = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<plan::Plan>(&json).unwrap(), plan, "{}", case.display());
    assert_eq!(plan::make(&spec, &reality, Some(&plan)).0, plan, "{}", case.display());
    for check in plan::statements(&plan) {
        assert!(!check.statement.text.is_empty());
    }
    let mut out = plan::render_text(&plan);
    // The digest changes with every detail of the canonical form; it is not what a case is about.
    out = out.replacen(&format!(" (spec {})", plan.spec.short()), "", 1);
    for tool in &plan.tools {
        if let Some(output) = &tool.output {
            let _ = writeln!(out, "\noutput of {}: {output}", tool.tool);
        }
    }
    for diagnostic in diagnostics {
        let _ = writeln!(
            out,
            "\n{:?} {} {}: {}",
            diagnostic.severity, diagnostic.code, diagnostic.path, diagnostic.message
        );
        for help in &diagnostic.help {
            let _ = writeln!(out, "  help: {help}");
        }
    }
    out
}
