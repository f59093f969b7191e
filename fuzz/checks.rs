//! What must hold for any bytes. The fuzz targets run these, and so do the tests of `spec` for the
//! kept inputs.

use spec::sql::{Dialect, Template, check};
use spec::{Format, ParseOptions};

/// Arbitrary bytes as a spec: no panic, and what is accepted survives its own canonical form.
fn document(name: &str, data: &[u8], format: Format) {
    let options = ParseOptions { format: Some(format), ..ParseOptions::default() };
    let parsed = spec::parse_bytes(name, data, &options);
    if let Ok(text) = std::str::from_utf8(data) {
        for problem in &parsed.diagnostics {
            let _ = problem.render(base::Source { name, text }, false);
        }
    }
    if let Some(first) = parsed.spec {
        let canonical = first.canonical_json();
        let again = spec::parse_bytes("fuzz.json", canonical.as_bytes(), &ParseOptions::default());
        let again = again.spec.expect("the canonical form of an accepted spec is accepted");
        assert_eq!(first.digest(), again.digest());
    }
}

/// Arbitrary bytes as YAML.
pub(crate) fn spec_yaml(data: &[u8]) {
    document("fuzz.yaml", data, Format::Yaml);
}

/// Arbitrary bytes as JSON.
pub(crate) fn spec_json(data: &[u8]) {
    document("fuzz.json", data, Format::Json);
}

/// Formatting: idempotent, and the meaning stays.
pub(crate) fn spec_fmt(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(once) = spec::fmt(text) else { return };
    assert_eq!(spec::fmt(&once).as_deref(), Ok(once.as_str()), "formatting twice changes nothing");
    let digest = |text: &str| {
        spec::parse_bytes("fuzz", text.as_bytes(), &ParseOptions::default()).spec.map(|spec| spec.digest())
    };
    assert_eq!(digest(text), digest(&once), "formatting changed the meaning");
}

/// Arbitrary SQL: the scanner and the checker do not panic, what has no parameter is unchanged, and
/// places lie within the text.
pub(crate) fn sql_template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for dialect in [Dialect::Postgresql, Dialect::Mysql, Dialect::Sqlite] {
        if let Ok(template) = Template::parse(text, dialect) {
            let (native, order) = template.native(dialect);
            if order.is_empty() {
                assert_eq!(native, text);
            }
        }
        for error in check(text, dialect).err().unwrap_or_default() {
            assert!(error.offset <= text.len(), "{error:?}");
        }
    }
}
