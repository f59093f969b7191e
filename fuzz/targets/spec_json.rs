//! Arbitrary bytes as a JSON spec: no panic, and what is accepted survives its own canonical form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spec::{Format, ParseOptions};

fuzz_target!(|data: &[u8]| {
    let options = ParseOptions { format: Some(Format::Json), ..ParseOptions::default() };
    let parsed = spec::parse_bytes("fuzz.json", data, &options);
    if let Some(first) = parsed.spec {
        let canonical = first.canonical_json();
        let again = spec::parse_bytes("fuzz.json", canonical.as_bytes(), &ParseOptions::default());
        let again = again.spec.expect("the canonical form of an accepted spec is accepted");
        assert_eq!(first.digest(), again.digest());
    }
});
