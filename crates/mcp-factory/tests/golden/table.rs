//! The table that says what was tested against what names files that exist.

use crate::file;

/// Fewer rows would be no table of everything that the product can do.
const LEAST: usize = 40;

#[test]
fn every_row_of_the_coverage_table_names_a_test() {
    let text = std::fs::read_to_string(file("docs/reference/coverage.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() >= LEAST, "{} rows", rows.len());
    let mut missing = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[_, _, _, against, tests] = cells.as_slice() else { panic!("five columns are needed: {row}") };
        if against.is_empty() || tests.is_empty() {
            missing.push(format!("an empty cell in {row}"));
        }
        for test in tests.split(", ") {
            let path = test.trim_matches('`');
            if !file(path).exists() {
                missing.push(format!("{path} does not exist: {row}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Golden specs stand for the whole product, so each is a row of the table or rebuilds a server that people know.
#[test]
fn there_are_enough_golden_specs() {
    let all = crate::folders();
    assert!(all.len() >= LEAST, "{} golden specs", all.len());
    for folder in all {
        for name in ["spec.yaml", "calls.case"] {
            assert!(folder.join(name).is_file(), "{} has no {name}", folder.display());
        }
        let text = std::fs::read_to_string(folder.join("spec.yaml")).unwrap();
        assert!(text.starts_with("# "), "{} does not begin with what it stands for", folder.display());
        let calls = std::fs::read_to_string(folder.join("calls.case")).unwrap();
        let asked = calls.lines().filter(|line| line.starts_with(['>', '#'])).count();
        assert!(asked > 0, "{} asks nothing", folder.display());
    }
}
