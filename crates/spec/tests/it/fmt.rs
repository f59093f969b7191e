//! Formatting.

use base::Source;

use crate::corpus;

fn comments(text: &str) -> Vec<String> {
    let mut comments: Vec<String> =
        text.lines().filter_map(|line| line.find('#').map(|at| line[at..].trim_end().to_owned())).collect();
    comments.sort();
    comments
}

#[test]
fn formatting_keeps_meaning_and_comments_and_is_stable() {
    for path in corpus::files("valid") {
        let text = std::fs::read_to_string(&path).unwrap();
        let once = spec::fmt(&text).unwrap();
        assert_eq!(spec::fmt(&once).unwrap(), once, "{} twice", path.display());
        if !text.trim_start().starts_with(['{', '[']) {
            assert_eq!(comments(&text), comments(&once), "{}", path.display());
        }
        let name = path.file_name().unwrap().to_string_lossy();
        let digest = |text| spec::parse(Source { name: &name, text }, &Default::default()).spec.unwrap().digest();
        assert_eq!(digest(&text), digest(&once), "{}", path.display());
    }
}

#[test]
fn golden_layouts() {
    for (given, expected) in [
        // Lists move in from their key, dashes have one space, trailing space goes.
        (
            "name: a   \ntools:\n-   name: b\n    reply: hi\n\n\n\n-   name: c\n    reply: ho",
            "name: a\ntools:\n  - name: b\n    reply: hi\n\n  - name: c\n    reply: ho\n",
        ),
        // Four spaces become two; comments stand with what they are about; block texts move as a whole.
        (
            "# top\nname: a\ntools:\n    # first\n    -   name: b   # here\n        reply: |\n            one\n              two\n\n            three\n    # last\n",
            "# top\nname: a\ntools:\n  # first\n  - name: b   # here\n    reply: |\n        one\n          two\n\n        three\n  # last\n",
        ),
        // Flow collections and quoted texts over several lines move with their key.
        (
            "name: a\ntools:\n    - name: b\n      parameters: {x: string,\n                   y: string}\n      description: \"one\n        two\"\n      reply: hi\n",
            "name: a\ntools:\n  - name: b\n    parameters: {x: string,\n                 y: string}\n    description: \"one\n      two\"\n    reply: hi\n",
        ),
        ("{\"name\":\"a\",\"tools\":[]}", "{\n  \"name\": \"a\",\n  \"tools\": []\n}\n"),
        ("\u{feff}name: a\r\ntools: []\r\n", "name: a\ntools: []\n"),
    ] {
        assert_eq!(spec::fmt(given).unwrap(), expected, "{given}");
    }
    assert!(spec::fmt("a: [").is_err());
    assert_eq!(spec::fmt("---").unwrap(), "---\n");
}
