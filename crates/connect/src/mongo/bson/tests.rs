use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Form, decimal, decode, encode};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Of the specification's own corpus: bytes, extended JSON, plain value.
#[test]
fn the_corpus_of_the_specification_goes_both_ways() {
    let cases = [
        ("0C0000001061000100000000", json!(1), json!(1)),
        ("10000000016100000000000000F83F00", json!(1.5), json!(1.5)),
        ("0E00000002610002000000620000", json!("b"), json!("b")),
        (
            "1400000007610056E1FC72E0C917E9C471416100",
            json!({"$oid": "56e1fc72e0c917e9c4714161"}),
            json!("56e1fc72e0c917e9c4714161"),
        ),
        (
            "10000000096100C4D8D6CC3B01000000",
            json!({"$date": "2012-12-24T12:15:30.500Z"}),
            json!("2012-12-24T12:15:30.500Z"),
        ),
        (
            "10000000096100C33CE7B9BDFFFFFF00",
            json!({"$date": "1960-12-24T12:15:30.499Z"}),
            json!("1960-12-24T12:15:30.499Z"),
        ),
        (
            "1000000009610000DC1FD277E6000000",
            json!({"$date": {"$numberLong": "253402300800000"}}),
            json!({"$date": {"$numberLong": "253402300800000"}}),
        ),
        (
            "10000000126100FFFFFFFFFFFFFF7F00",
            json!({"$numberLong": "9223372036854775807"}),
            json!("9223372036854775807"),
        ),
        (
            "1D000000057800100000000473FFD26444B34C6990E8E7D1DFC035D400",
            json!({"$binary": {"base64": "c//SZESzTGmQ6OfR38A11A==", "subType": "04"}}),
            json!("73ffd264-44b3-4c69-90e8-e7d1dfc035d4"),
        ),
        ("0F0000000578000200000000FFFF00", json!({"$binary": {"base64": "//8=", "subType": "00"}}), json!("//8=")),
        ("180000001378000000000000000000000000000000403000", json!({"$numberDecimal": "0"}), json!("0")),
        ("11000000116100012345006789000000", json!(null), json!(null)),
    ];
    for (bytes, extended, plain) in cases {
        let raw: Vec<u8> =
            (0..bytes.len()).step_by(2).map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap()).collect();
        if extended.is_null() {
            assert!(decode(&raw, Form::Plain).is_err(), "{bytes} is shorter than it says");
            continue;
        }
        let found = decode(&raw, Form::Extended).unwrap_or_else(|error| panic!("{bytes}: {error}"));
        let name = found.keys().next().unwrap().clone();
        assert_eq!(found[&name], extended, "{bytes}");
        assert_eq!(decode(&raw, Form::Plain).unwrap()[&name], plain, "{bytes}");
        assert_eq!(hex(&encode(&found).unwrap()), bytes, "{extended}");
    }
}

#[test]
fn decimals_are_written_as_the_specification_says() {
    let same = [
        "0",
        "-0",
        "1",
        "0.1",
        "-0.1",
        "0.000001",
        "1E-7",
        "1.234E-10",
        "123.45",
        "1E+3",
        "1.2E+4",
        "0.00",
        "0E+3",
        "1234567890123456789012345678901234",
        "9.999999999999999999999999999999999E+6144",
        "1E-6176",
        "NaN",
        "Infinity",
        "-Infinity",
        "12345689012345789012345E-12",
    ];
    for text in same {
        let bytes = decimal::parse(text).unwrap_or_else(|| panic!("{text}"));
        let expected = if text.ends_with("E-12") { "12345689012.345789012345" } else { text };
        assert_eq!(decimal::text(bytes), expected);
    }
    assert_eq!(decimal::text(decimal::parse("+10e1").unwrap()), "1.0E+2");
    assert_eq!(decimal::text(decimal::parse("1E+6112").unwrap()), "1.0E+6112");
    for text in ["", "-", "1e", ".", "1.2.3", "E5", "1E+6145", "12345678901234567890123456789012345", "1E-6177", "0x1"]
    {
        assert_eq!(decimal::parse(text), None, "{text}");
    }
}

#[test]
fn what_is_no_bson_value_is_told() {
    for (value, word) in [
        (json!({"a": {"$oid": "xyz"}}), "24 hexadecimal digits"),
        (json!({"a": {"$date": "yesterday"}}), "$date"),
        (json!({"a\u{0}b": 1}), "null character"),
        (json!({"a": u64::MAX}), "$numberDecimal"),
    ] {
        let error = encode(&object(value.clone())).expect_err("refused");
        assert!(error.contains(word), "{value}: {error}");
    }
    let mut deep = json!(1);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    assert!(encode(&object(json!({"a": deep}))).is_err());
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1_i64 << 53) + 1..1_i64 << 53).prop_map(Value::from),
        (-1e9..1e9)
            .prop_filter("whole doubles become integers", |double: &f64| double.fract() != 0.0)
            .prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec(("[a-z]{1,4}", inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_comes_back_as_it_was(value in values()) {
        let document = object(json!({"v": value}));
        let bytes = encode(&document).unwrap();
        prop_assert_eq!(decode(&bytes, Form::Plain).unwrap(), document.clone());
        prop_assert_eq!(decode(&bytes, Form::Extended).unwrap(), document);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
        let _ = decode(&bytes, Form::Extended);
    }

    #[test]
    fn no_damage_makes_it_panic(value in values(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&object(json!({"v": value}))).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = decode(&bytes, Form::Plain);
    }

    #[test]
    fn no_decimal_makes_it_panic(bytes in any::<[u8; 16]>(), text in ".*") {
        let shown = decimal::text(bytes);
        prop_assert!(decimal::parse(&shown).is_some(), "{}", shown);
        let _ = decimal::parse(&text);
    }
}
