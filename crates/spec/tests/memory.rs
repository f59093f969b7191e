//! Bad input costs little memory, whatever its size and shape. A test program of its own, since it
//! counts what the whole program allocates.

use std::fmt::Write as _;

use base::Source;
use peak_alloc::PeakAlloc;
use spec::limits::{DIAGNOSTICS_MAX, DOCUMENT_BYTES_MAX, NODES_MAX};
use spec::{Format, ParseOptions};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Most memory beside the input itself, bytes.
const MEMORY_MAX: usize = 64 * 1024 * 1024;

/// Parses, shows every problem and formats, and gives the most memory that was in use for it, bytes.
fn cost(name: &str, bytes: &[u8]) -> usize {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    for format in [None, Some(Format::Json)] {
        let parsed = spec::parse_bytes(name, bytes, &ParseOptions { strict: false, format });
        assert!(parsed.spec.is_some() || !parsed.diagnostics.is_empty(), "{name}: no answer");
        assert!(parsed.diagnostics.len() <= DIAGNOSTICS_MAX, "{name}: {} problems", parsed.diagnostics.len());
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let shown: usize =
            parsed.diagnostics.iter().map(|problem| problem.render(Source { name, text }, false).len()).sum();
        assert!(shown <= DIAGNOSTICS_MAX * 2_048, "{name}: {shown} bytes are printed");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = spec::fmt(text);
    }
    MEMORY.peak_usage().saturating_sub(before)
}

fn alias_bomb() -> String {
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let again = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(text, "a{level}: &a{level} [{again}]");
    }
    text
}

fn merge_bomb() -> String {
    let mut text = String::from("m0: &m0 {a: 1}\n");
    for level in 1..40 {
        let _ = writeln!(text, "m{level}: &m{level} {{<<: [*m{0}, *m{0}], b{level}: *m{0}}}", level - 1);
    }
    text
}

/// Every problem's path has the long key in it.
fn below_a_long_key() -> String {
    let properties: String = (0..1_000).map(|n| format!("p{n}: {{type: strin}}, ")).collect();
    let key = "k".repeat(1_000_000);
    format!(
        "name: x\ntools:\n- name: a\n  reply: x\n  returns: {{type: object, properties: {{{key}: {{type: object, properties: {{{properties}}}}}}}}}\n"
    )
}

fn staircase() -> String {
    (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect()
}

#[test]
fn bad_input_stays_within_its_memory() {
    let most = DOCUMENT_BYTES_MAX - 64;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("alias bomb", alias_bomb().into_bytes()),
        ("merge bomb", merge_bomb().into_bytes()),
        ("text bomb", format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(10_000)).into_bytes()),
        ("nested anchors", "&a [".repeat(100_000).into_bytes()),
        ("block steps", staircase().into_bytes()),
        ("dashes", "- ".repeat(most / 2).into_bytes()),
        ("brackets", "[".repeat(most).into_bytes()),
        ("braces", "{\"a\":".repeat(most / 5).into_bytes()),
        ("flow in yaml", format!("a: {}", "{b: [".repeat(most / 6)).into_bytes()),
        ("question marks", "? ".repeat(most / 2).into_bytes()),
        ("hundred megabytes", vec![b'a'; 100 * 1024 * 1024]),
        ("hundred megabytes of no text", vec![0xff; 100 * 1024 * 1024]),
        ("ten megabytes in a line", format!("name: {}", "a".repeat(10 * 1024 * 1024)).into_bytes()),
        ("one long line", format!("name: {}", "a".repeat(most)).into_bytes()),
        ("one long key", format!("{}: 1", "k".repeat(most - 8)).into_bytes()),
        ("one long key twice", format!("{{\"{0}\": 1, \"{0}\": 2}}", "k".repeat(most / 2 - 32)).into_bytes()),
        ("problems below a long key", below_a_long_key().into_bytes()),
        ("many keys", (0..90_000).map(|n| format!("k{n}: 1\n")).collect::<String>().into_bytes()),
        ("one key many times", "a: 1\n".repeat(90_000).into_bytes()),
        ("many values", format!("a: [{}]", "1,".repeat(NODES_MAX * 2)).into_bytes()),
        ("many texts", format!("[{}]", "\"\",".repeat(NODES_MAX - 10)).into_bytes()),
        ("large numbers", format!("a: [{}]", "1e400,".repeat(90_000)).into_bytes()),
        ("one large number", format!("[1{}]", "0".repeat(most)).into_bytes()),
        ("no text", [b"name: a\n".as_slice(), &vec![0x80; most]].concat()),
        ("nothing but NUL", vec![0; most]),
        ("byte order marks", "\u{feff}".repeat(most / 3).into_bytes()),
        ("carriage returns", "\r".repeat(most).into_bytes()),
        ("line ends", "\r\n".repeat(most / 2).into_bytes()),
        ("tabs", "\t".repeat(most).into_bytes()),
        ("comments", "# a\n".repeat(most / 4).into_bytes()),
        ("wide characters", format!("name: {}", "\u{1f600}".repeat(most / 4 - 8)).into_bytes()),
        ("hidden characters", format!("[{}]", "\"\u{200b}\",".repeat(90_000)).into_bytes()),
        ("documents", "---\n".repeat(most / 4).into_bytes()),
        ("anchors", (0..90_000).map(|n| format!("- &a{n} x\n")).collect::<String>().into_bytes()),
    ];
    let mut wrong = Vec::new();
    for (name, bytes) in &cases {
        let cost = cost(name, bytes);
        println!("{name}: {} KiB for {} KiB", cost / 1024, bytes.len() / 1024);
        if cost > MEMORY_MAX {
            wrong.push(format!("{name}: {} MiB", cost / 1024 / 1024));
        }
    }
    assert!(wrong.is_empty(), "over {} MiB: {wrong:?}", MEMORY_MAX / 1024 / 1024);
}
