//! What templates make, and what they refuse.

use serde_json::{Value, json};

use super::{Expression, Scope, Template, Tree};

fn scope() -> Scope {
    Scope::new().with(
        "args",
        &json!({"id": 7, "big": 9_007_199_254_740_993_i64, "name": "Ann {{ args.id }}", "tags": ["a", "b"], "none": null, "on": true}),
    )
}

fn value(text: &str) -> Result<Option<Value>, String> {
    Template::parse(text).map_err(|fault| fault.message)?.value(&scope()).map_err(|fault| fault.message)
}

#[test]
fn a_text_that_is_one_expression_stands_for_the_value() {
    let cases = [
        ("{{ args.id }}", json!(7)),
        ("  {{ args.id + 1 }}\n", json!(8)),
        ("{{ args.big }}", json!(9_007_199_254_740_993_i64)),
        ("{{ args.tags }}", json!(["a", "b"])),
        ("{{ args.none }}", json!(null)),
        ("{{ args.on and args.id > 3 }}", json!(true)),
        ("{{ args.absent | default(50) }}", json!(50)),
        ("{{ '}}' ~ args.id }}", json!("}}7")),
        ("{{ {'a': args.id} }}", json!({"a": 7})),
        ("plain", json!("plain")),
        ("id {{ args.id }}", json!("id 7")),
        ("{{ args.id }}{{ args.id }}", json!("77")),
        ("{% if args.absent %}x{% else %}y{% endif %}", json!("y")),
        ("{{ args.tags | join(',') }}!", json!("a,b!")),
        // What an argument holds is never read as a template.
        ("{{ args.name }}", json!("Ann {{ args.id }}")),
        ("-{{ args.name }}", json!("-Ann {{ args.id }}")),
    ];
    for (text, wanted) in cases {
        assert_eq!(value(text), Ok(Some(wanted)), "{text}");
    }
    assert_eq!(value("{{ args.absent }}"), Ok(None));
}

#[test]
fn what_is_absent_is_left_out_of_a_tree_and_refused_in_a_text() {
    let tree =
        json!({"a": "{{ args.absent }}", "b": ["{{ args.absent }}", "{{ args.id }}"], "c": "{{ args.none }}", "d": 1});
    let tree = Tree::parse(&tree).unwrap();
    assert_eq!(tree.value(&scope()).unwrap(), Some(json!({"b": [7], "c": null, "d": 1})));
    assert_eq!(
        tree.names(),
        [("args.absent", "/a"), ("args.absent", "/b/0"), ("args.id", "/b/1"), ("args.none", "/c")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    );
    let (path, fault) =
        Tree::parse(&json!({"x": [{"y/z": "id {{ args.absent }}"}]})).unwrap().value(&scope()).unwrap_err();
    assert_eq!(path, "/x/0/y~1z");
    assert!(fault.message.contains("default"), "{}", fault.message);
}

#[test]
fn evaluation_is_bounded() {
    for text in [
        "{% for i in range(100000000) %}x{% endfor %}",
        "{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 1000000000000 }}!",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 1 / 0 }}",
        "{{ range(100000000) | list | length }}",
    ] {
        let started = std::time::Instant::now();
        let out = value(text);
        assert!(out.is_err(), "{text}: {out:?}");
        assert!(started.elapsed().as_secs() < 2, "{text} took {:?}", started.elapsed());
    }
}

#[test]
fn texts_that_are_no_templates_are_refused_with_a_place() {
    for (text, at) in [("{{ args. }}", 8), ("a {{ (args.id }}", 14), ("{% if %}", 6), ("{{ args.id | nope }}", 13)] {
        let fault = match Template::parse(text) {
            Ok(template) => template.value(&scope()).unwrap_err(),
            Err(fault) => fault,
        };
        let offset = fault.offset.unwrap_or(at);
        assert!(offset.abs_diff(at) <= 3, "{text}: {fault:?}");
    }
    assert!(Expression::parse("args.id >").is_err());
    assert!(Template::parse(&"{{ 1 }}".repeat(100_000)).is_err());
}

#[test]
fn conditions_count_what_is_absent_as_false() {
    let is_true = |text: &str| Expression::parse(text).unwrap().is_true(&scope()).unwrap();
    assert!(is_true("args.id > 3") && !is_true("args.absent") && is_true("args.absent is undefined"));
    assert_eq!(Expression::parse("args.id > args.limit and x").unwrap().names(), ["args.id", "args.limit", "x"]);
}
