//! Bad input: a clear error at once, whatever its size or shape.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use spec::{Format, ParseOptions, Parsed};

/// The time that this thread has had a processor, which does not grow while others have it; on
/// systems that do not tell, the time that has passed.
fn busy() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// A debug build is many times slower than what users run.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 100 });

fn parse(name: &str, bytes: &[u8]) -> Parsed {
    let start = busy();
    let parsed = spec::parse_bytes(name, bytes, &ParseOptions::default());
    let took = busy().saturating_sub(start);
    println!("{name}: {} bytes, {took:?}", bytes.len());
    assert!(took < PATIENCE, "{name} took {took:?}");
    parsed
}

fn codes(parsed: &Parsed) -> Vec<&str> {
    let mut codes: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.as_str()).collect();
    codes.dedup();
    codes
}

#[test]
fn large_files_are_refused_before_they_are_read() {
    let parsed = parse("large.yaml", &vec![b'a'; 100 * 1024 * 1024]);
    assert_eq!(codes(&parsed), ["MF0104"]);
    assert_eq!(codes(&parse("large.bin", &vec![0xff; 100 * 1024 * 1024])), ["MF0104"]);
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let _ = writeln!(text, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(", "));
    }
    assert_eq!(codes(&parse("bomb.yaml", text.as_bytes())), ["MF0106"]);

    // Few values, much text.
    let mut text = format!("a: &a {}\nb: [", "x".repeat(100_000));
    text.push_str(&vec!["*a"; 10_000].join(", "));
    text.push_str("]\n");
    assert_eq!(codes(&parse("text-bomb.yaml", text.as_bytes())), ["MF0106"]);

    // Merge keys.
    let mut text = String::from("m0: &m0 {a: 1}\n");
    for level in 1..30 {
        let _ = writeln!(text, "m{level}: &m{level} {{<<: [*m{0}, *m{0}], b{level}: *m{0}}}", level - 1);
    }
    assert_eq!(codes(&parse("merge-bomb.yaml", text.as_bytes())), ["MF0106"]);
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [100, 1_000, 900_000] {
        assert_eq!(codes(&parse("deep.json", "[".repeat(depth).as_bytes())), ["MF0105"], "{depth}");
        let objects = "{\"a\":".repeat(depth.min(200_000));
        assert_eq!(codes(&parse("deep-objects.json", objects.as_bytes())), ["MF0105"], "{depth}");
        let flow = format!("a: {}", "[".repeat(depth));
        let parsed = parse("deep.yaml", flow.as_bytes());
        assert!(["MF0105", "MF0101"].contains(&codes(&parsed)[0]), "{:?}", codes(&parsed));
    }
    let mut block = String::new();
    for depth in 0..1_000 {
        let _ = writeln!(block, "{}a:", " ".repeat(depth));
    }
    assert_eq!(codes(&parse("deep-block.yaml", block.as_bytes())), ["MF0105"]);
    assert_eq!(codes(&parse("deep-dashes.yaml", "- ".repeat(500_000).as_bytes())), ["MF0105"]);
}

#[test]
fn many_values_are_refused() {
    let items = vec!["1"; 150_000].join(",");
    assert_eq!(codes(&parse("many.json", format!("[{items}]").as_bytes())), ["MF0106"]);
    assert_eq!(codes(&parse("many.yaml", format!("a: [{items}]").as_bytes())), ["MF0106"]);
    assert_eq!(codes(&parse("many-lines.yaml", "- x\n".repeat(150_000).as_bytes())), ["MF0106"]);
}

#[test]
fn hopeless_documents_are_cut_short() {
    let mut text = String::from("name: x\ntools: [{name: a, reply: b}]\n");
    (0..40_000).for_each(|index| text.push_str(&format!("key{index}: 1\n")));
    let parsed = parse("unknown-keys.yaml", text.as_bytes());
    assert_eq!(codes(&parsed), ["MF0202"]);
    assert_eq!(parsed.diagnostics.len(), spec::limits::DIAGNOSTICS_MAX);
    assert_eq!(parsed.omitted, 40_000 - spec::limits::DIAGNOSTICS_MAX);

    let commas = format!("{{\"name\": \"x\", \"tools\": [{}]}}", "{\"name\": \"a\",},".repeat(20_000));
    assert!(parse("commas.json", commas.as_bytes()).spec.is_none());
    let comments = format!("{{{}\"name\": \"x\"}}", "// a\n".repeat(300_000));
    assert!(parse("comments.json", comments.as_bytes()).spec.is_none());
    let duplicates = format!("name: x\nx-a: {{{}}}\n", "a: 1, ".repeat(40_000));
    assert_eq!(codes(&parse("duplicates.yaml", duplicates.as_bytes())), ["MF0107"]);
}

#[test]
fn large_texts_within_the_limits_are_read_in_time() {
    let size = 1_900_000;
    for (name, text) in [
        ("plain.yaml", format!("name: {}", "a".repeat(size))),
        ("words.yaml", format!("name: {}", "a ".repeat(size / 2))),
        ("quoted.yaml", format!("name: \"{}\"", "\\n".repeat(size / 2))),
        ("block.yaml", format!("name: |\n{}", "  line\n".repeat(size / 7))),
        ("comment.yaml", "# comment\n".repeat(size / 10)),
        ("blank.yaml", "\n".repeat(size)),
        ("spaces.yaml", format!("a:{}", " ".repeat(size))),
        ("wide.yaml", format!("name: {}", "ü".repeat(size / 2))),
        ("unclosed.yaml", format!("name: \"{}", "a".repeat(size))),
        ("string.json", format!("{{\"name\": \"{}\"}}", "a".repeat(size))),
        ("escapes.json", format!("{{\"name\": \"{}\"}}", "\\u00e9".repeat(size / 6))),
        ("number.json", format!("{{\"name\": {}}}", "1".repeat(size))),
        ("number.yaml", format!("name: {}", "1".repeat(size))),
        ("hidden.yaml", format!("name: \"{}\"", "\u{200b}".repeat(size / 3))),
        ("question.yaml", "? ".repeat(size / 2)),
        ("anchors.yaml", "&a ".repeat(size / 3)),
        ("tags.yaml", format!("a: !{}", "x".repeat(size))),
        ("directives.yaml", "%A\n".repeat(size / 3)),
    ] {
        let parsed = parse(name, text.as_bytes());
        assert!(parsed.spec.is_none(), "{name}");
        assert!(!parsed.diagnostics.is_empty(), "{name}");
    }
}

#[test]
fn a_large_good_spec_is_read_in_time() {
    let mut text =
        String::from("name: large\nconnections: [{name: db, type: postgresql, envVar: DATABASE_URL}]\ntools:\n");
    for index in 0..300 {
        let _ = write!(
            text,
            "  - name: tool_{index}\n    connection: db\n    parameters: {{id: {{type: integer, default: 1, minimum: 0}}}}\n    sql: SELECT name FROM items WHERE id = :id\n"
        );
    }
    let start = busy();
    let parsed = spec::parse_bytes("large.yaml", text.as_bytes(), &ParseOptions::default());
    println!("300 tools: {:?}", busy().saturating_sub(start));
    assert!(parsed.spec.is_some(), "{:?}", parsed.diagnostics);
}

#[test]
fn text_that_is_not_utf8_has_a_place() {
    let parsed = parse("latin1.yaml", b"name: x\ndescription: caf\xe9\n");
    let problem = &parsed.diagnostics[0];
    assert_eq!(problem.code, "MF0103");
    let span = problem.span.unwrap();
    assert_eq!((span.start, span.line, span.column), (24, 2, 17));
    let utf16: Vec<u8> = "\u{feff}name: x".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse("utf16.yaml", &utf16).diagnostics[0].help[0].contains("UTF-16"));
}

#[test]
fn a_byte_order_mark_and_a_nul() {
    let parsed = parse("bom.yaml", "\u{feff}name: demo\ntools: [{name: a, reply: b}]\n".as_bytes());
    assert!(parsed.spec.is_some(), "{:?}", parsed.diagnostics);
    let parsed =
        parse("bom.json", "\u{feff}{\"name\": \"demo\", \"tools\": [{\"name\": \"a\", \"reply\": \"b\"}]}".as_bytes());
    assert!(parsed.spec.is_some(), "{:?}", parsed.diagnostics);
    for text in ["name: a\0b\n", "\0", "{\"name\": \"a\0b\"}"] {
        assert!(parse("nul.yaml", text.as_bytes()).spec.is_none());
    }
    let parsed = parse("nul.json", b"{\"name\": \"demo\", \"tools\": [{\"name\": \"a\", \"reply\": \"b\\u0000\"}]}");
    assert_eq!(codes(&parsed), ["MF0112"]);
}

#[test]
fn texts_and_lists_have_limits() {
    let description = "x".repeat(spec::limits::DESCRIPTION_CHARS_MAX + 1);
    let text = format!("name: demo\ndescription: {description}\ntools: [{{name: a, reply: b}}]\n");
    assert_eq!(codes(&parse("description.yaml", text.as_bytes())), ["MF0207"]);
    let tools: String =
        (0..=spec::limits::TOOLS_MAX).map(|index| format!("  - {{name: t{index}, reply: b}}\n")).collect();
    assert_eq!(codes(&parse("tools.yaml", format!("name: demo\ntools:\n{tools}").as_bytes())), ["MF0207"]);
}

/// What looks like JSON and is not, by how it is given.
#[test]
fn formats_are_found_out() {
    let loose = "{name: demo, tools: [{name: a, reply: b}]}";
    assert!(parse("loose.yaml", loose.as_bytes()).spec.is_some());
    assert!(parse("<stdin>", loose.as_bytes()).spec.is_some());
    assert_eq!(codes(&parse("loose.json", loose.as_bytes())), ["MF0102"]);
    assert_eq!(codes(&parse("<json>", loose.as_bytes())), ["MF0102"]);
    let forced = ParseOptions { strict: false, format: Some(Format::Yaml) };
    assert!(spec::parse_bytes("<json>", loose.as_bytes(), &forced).spec.is_some());
    let broken = "{name: demo, tools: [}";
    assert_eq!(codes(&parse("broken.yaml", broken.as_bytes())), ["MF0101"]);
    assert_eq!(codes(&parse("<stdin>", broken.as_bytes())), ["MF0102"]);
    assert!(parse("--json", br#"{"name":"test","tools":[{"name":"a"}]}"#).spec.is_some());
}
