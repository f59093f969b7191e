//! The inputs that fuzzing kept, without the fuzzer.

use std::path::Path;

#[path = "../../../../fuzz/checks.rs"]
mod checks;

type Check = fn(&[u8]);

#[test]
fn kept_inputs_of_the_fuzzer_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let targets: [(&str, Check); 4] = [
        ("spec_yaml", checks::spec_yaml),
        ("spec_json", checks::spec_json),
        ("spec_fmt", checks::spec_fmt),
        ("sql_template", checks::sql_template),
    ];
    for (name, check) in targets {
        let mut count = 0;
        for entry in std::fs::read_dir(folder.join(name)).unwrap() {
            check(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        println!("{name}: {count} inputs");
        assert!(count >= 20, "{name} has only {count} inputs");
    }
}

/// The labelled corpus through every check as well.
#[test]
fn labelled_specs_hold() {
    for path in ["valid", "invalid"].into_iter().flat_map(crate::corpus::files) {
        let bytes = std::fs::read(path).unwrap();
        checks::spec_yaml(&bytes);
        checks::spec_json(&bytes);
        checks::spec_fmt(&bytes);
    }
}
