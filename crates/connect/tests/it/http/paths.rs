//! Values in paths.

use connect::http::{PathError, PathTemplate};

use super::world::unescape;

const CORPUS: &str = include_str!("../../traversal.txt");

fn fill(template: &str, value: &str) -> Result<String, PathError> {
    PathTemplate::parse(template).expect("a template").fill(|_| Some(value))
}

#[test]
fn every_traversal_of_the_corpus_is_refused() {
    let lines = || CORPUS.lines().filter(|line| !line.starts_with('#'));
    let mut passed = Vec::new();
    for line in lines() {
        let value = unescape(line);
        for template in ["/files/{x}", "/files/{+x}", "/files/{x}/meta"] {
            if let Ok(path) = fill(template, &value) {
                passed.push(format!("{line} in {template}: {path}"));
            }
        }
    }
    assert!(lines().count() >= 120 && passed.is_empty(), "not refused: {passed:#?}");
}

#[test]
fn ordinary_values_are_encoded() {
    for (template, value, path) in [
        ("/u/{x}", "42", "/u/42"),
        ("/u/{x}/f", "a b/c?d#e&f=g", "/u/a%20b%2Fc%3Fd%23e%26f%3Dg/f"),
        ("/u/{+x}", "a b/c.d/é", "/u/a%20b/c.d/%C3%A9"),
        ("/u/{x}", "100%", "/u/100%25"),
        ("/u/{x}", "50%25", "/u/50%2525"),
        ("/u/{x}", ".hidden", "/u/.hidden"),
        ("/u/{x}.json", "a..b", "/u/a..b.json"),
        ("/u/{x}@{x}", "1;v=2", "/u/1%3Bv%3D2@1%3Bv%3D2"),
        ("/", "unused", "/"),
    ] {
        assert_eq!(fill(template, value).as_deref(), Ok(path));
    }
}

#[test]
fn templates_are_checked() {
    for text in ["", "u", "/a?b", "/a#b", "/{", "/{}", "/{a b}", "/}", "/a/../b", "/./a", "/%2e%2e/a", "/a b", "/a\\b"]
    {
        assert!(PathTemplate::parse(text).is_err(), "{text}");
    }
    let template = PathTemplate::parse("/{a}/{+b}").unwrap();
    assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(template.fill(|_| None), Err(PathError::Missing("a".to_owned())));
    assert!(fill("/.{x}", "").is_err() && fill("/u/{x}", &"a".repeat(5000)).is_err());
}
