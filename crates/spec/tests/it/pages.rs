//! The help pages: every code has one, and the example in it gives exactly that code.

use base::Source;
use spec::{ParseOptions, codes, explain};

/// Codes whose example is a file of many bytes or of bytes that are not text; the tests of
/// limits give them.
const WITHOUT_EXAMPLE: [&str; 5] = ["MF0103", "MF0104", "MF0105", "MF0106", "MF0207"];

/// The fenced example of a page, with its language.
fn example(page: &str) -> Option<(&str, String)> {
    let (_, rest) = page.split_once("\n```")?;
    let (language, rest) = rest.split_once('\n')?;
    let (text, _) = rest.split_once("\n```")?;
    Some((language, format!("{text}\n")))
}

#[test]
fn every_example_gives_its_code() {
    let mut wrong = Vec::new();
    for info in codes().iter().filter(|info| info.code < "MF0800") {
        assert!(info.page.starts_with(&format!("# {}: {}\n", info.code, info.title)), "head of {}", info.code);
        assert!(info.page.contains("\n## How to mend it\n"), "{} has no advice", info.code);
        let Some((language, text)) = example(info.page) else {
            assert!(WITHOUT_EXAMPLE.contains(&info.code), "{} has no example", info.code);
            continue;
        };
        let name = format!("example.{language}");
        let source = Source { name: &name, text: &text };
        let parsed = spec::parse(source, &ParseOptions::default());
        let found: Vec<&str> = parsed.diagnostics.iter().map(|d| d.code.as_str()).collect();
        let is_right = found.iter().all(|code| *code == info.code) && !found.is_empty();
        if !is_right || parsed.diagnostics.iter().any(|d| d.is_error() == info.warning) {
            let rendered: String = parsed.diagnostics.iter().map(|d| d.render(source, false)).collect();
            wrong.push(format!("{}:\n{rendered}", info.code));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn codes_are_unique_sorted_and_found_in_any_case() {
    assert!(codes().windows(2).all(|pair| pair[0].code < pair[1].code));
    assert_eq!(explain("mf0107"), explain("MF0107"));
    assert!(explain("MF0107").is_some());
    assert!(explain("MF9999").is_none());
}
