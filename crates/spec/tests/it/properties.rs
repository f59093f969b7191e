//! Whatever the bytes, the parsers answer; whatever the layout, a document means the same.

use base::Source;
use proptest::prelude::*;
use serde_json::{Value, json};
use spec::{Format, ParseOptions};

use crate::corpus;

fn answer(bytes: &[u8]) {
    for format in [None, Some(Format::Yaml), Some(Format::Json)] {
        let parsed = spec::parse_bytes("any", bytes, &ParseOptions { strict: false, format });
        assert!(parsed.spec.is_some() || !parsed.diagnostics.is_empty());
        if let Ok(text) = std::str::from_utf8(bytes) {
            let source = Source { name: "any", text };
            for diagnostic in &parsed.diagnostics {
                let _ = diagnostic.render(source, true);
                if let Some(span) = diagnostic.span {
                    assert!(text.get(span.start..span.end).is_some(), "{diagnostic:?}");
                }
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(once) = spec::fmt(text)
    {
        assert_eq!(spec::fmt(&once).unwrap(), once);
    }
}

/// Texts of the characters that YAML and JSON care about.
fn yamlish() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("name"),
        Just("tools"),
        Just("sql"),
        Just("a"),
        Just("1.0"),
        Just("true"),
        Just("~"),
        Just("é"),
        Just("<<"),
        Just(": "),
        Just("- "),
        Just("\n"),
        Just("\n  "),
        Just("\n    "),
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just("\""),
        Just("'"),
        Just("|\n"),
        Just(">-\n"),
        Just("#"),
        Just(" # "),
        Just("&a "),
        Just("*a"),
        Just("!!str "),
        Just("? "),
        Just("---\n"),
        Just("...\n"),
        Just("%"),
        Just("\t"),
        Just("\\"),
        Just("\\u00e9"),
        Just("\r\n"),
        Just("@"),
        Just("\u{feff}"),
        Just("\u{85}"),
        Just("\0"),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let texts: Vec<Vec<u8>> = corpus::files("valid").iter().map(|path| std::fs::read(path).unwrap()).collect();
    (prop::sample::select(texts), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6))
        .prop_map(|(mut bytes, changes)| {
            for (index, byte, kind) in changes {
                if bytes.is_empty() {
                    break;
                }
                let at = index.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => {
                        bytes.remove(at);
                    }
                    2 => bytes.insert(at, b" \n:-{}[]\"'#|"[usize::from(byte) % 12]),
                    _ => bytes.truncate(at),
                }
            }
            bytes
        })
}

/// The same value with its maps in another order.
fn shuffled(value: &Value, seed: u64) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| {
                key.bytes().fold(seed, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
            });
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), shuffled(value, seed))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| shuffled(item, seed)).collect()),
        other => other.clone(),
    }
}

fn digest(text: &str) -> Option<base::Digest> {
    spec::parse(Source { name: "x.json", text }, &ParseOptions::default()).spec.map(|spec| spec.digest())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        answer(&bytes);
    }

    #[test]
    fn any_yaml_like_text_gets_an_answer(text in yamlish()) {
        answer(text.as_bytes());
    }

    #[test]
    fn any_damaged_spec_gets_an_answer(bytes in mutated()) {
        answer(&bytes);
    }

    #[test]
    fn key_order_does_not_change_the_digest(seed in any::<u64>(), index in any::<prop::sample::Index>()) {
        let files = corpus::files("valid");
        let spec = corpus::read(&files[index.index(files.len())], false).1.spec.unwrap();
        let canonical = spec.canonical_json();
        let value: Value = serde_json::from_str(&canonical).unwrap();
        let other = shuffled(&value, seed);
        prop_assert_eq!(digest(&other.to_string()), Some(spec.digest()));
        prop_assert_eq!(digest(&serde_json::to_string_pretty(&other).unwrap()), Some(spec.digest()));
    }

    /// Every change of a leaf that leaves the document valid changes the digest.
    #[test]
    fn a_change_of_meaning_changes_the_digest(which in any::<prop::sample::Index>(), index in any::<prop::sample::Index>()) {
        let files = corpus::files("valid");
        let spec = corpus::read(&files[index.index(files.len())], false).1.spec.unwrap();
        let mut value: Value = serde_json::from_str(&spec.canonical_json()).unwrap();
        let mut leaves = Vec::new();
        collect(&value, String::new(), &mut leaves);
        let pointer = &leaves[which.index(leaves.len())];
        let leaf = value.pointer_mut(pointer).unwrap();
        *leaf = match &*leaf {
            Value::String(text) => json!(format!("{text}x")),
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) => json!(number.as_f64().unwrap_or_default() + 1.0),
            other => other.clone(),
        };
        if let Some(changed) = digest(&value.to_string()) {
            prop_assert_ne!(changed, spec.digest(), "{}", pointer);
        }
    }
}

/// Pointers of all leaves that a change can be made to.
fn collect(value: &Value, at: String, leaves: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                collect(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), leaves);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, format!("{at}/{index}"), leaves))
        }
        Value::Null => {}
        _ => leaves.push(at),
    }
}

#[test]
fn every_dialect_means_the_same() {
    let spellings = [
        r#"{"name": "x", "connections": [{"name": "db", "type": "postgresql", "envVar": "URL"}], "tools": [{"name": "t", "connection": "db", "timeoutMs": 5, "parameters": [{"name": "a", "required": true, "schema": {"type": "string"}}, {"name": "b", "required": false, "schema": {"type": "integer"}}], "sql": {"statements": ["SELECT :a, :b"], "write": false}}]}"#,
        "name: x\nconnections: [{name: db, type: postgres, env_var: URL}]\ntools:\n- name: t\n  timeout_ms: 5\n  parameters: {b: integer, a: {type: string, required: true}}\n  sql: 'SELECT :a, :b'\n",
        "# A comment.\nversion: \"1.0.0\"\nconnections:\n  - type: postgresql\n    name: db\n    env: URL\nname: x\ntools:\n  - name: t\n    connection: db\n    timeoutMs: 5\n    inputSchema:\n      type: object\n      required: [a]\n      properties:\n        a: {type: string}\n        b: {type: integer}\n    sql: {query: 'SELECT :a, :b'}\n",
        "name: x\ntransport: stdio\nauth: none\nconnections: [{name: db, type: postgresql, envVar: URL, pool: {max: 10}}]\ntools:\n- name: t\n  timeoutMs: 5\n  parameters:\n  - {name: a, type: string, required: true}\n  - {name: b, type: integer, required: false}\n  sql: ['SELECT :a, :b']\n",
    ];
    let digests: Vec<_> = spellings
        .iter()
        .map(|text| {
            let parsed = spec::parse(Source { name: "x.yaml", text }, &ParseOptions { strict: true, format: None });
            parsed.spec.unwrap_or_else(|| panic!("{text}\n{:?}", parsed.diagnostics)).digest()
        })
        .collect();
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}
