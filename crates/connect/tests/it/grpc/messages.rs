//! Every kind of field, there and back.

use connect::ErrorKind;
use serde_json::{Value, json};

use super::world::{PLAIN, call, client};

fn everything() -> Value {
    json!({
        "aDouble": 1.5, "aFloat": -0.25, "anInt32": -2147483648, "anInt64": "-9223372036854775808",
        "aUint32": 4294967295_u32, "aUint64": "18446744073709551615", "aSint32": -1, "aSint64": "-2", "aFixed32": 3,
        "aFixed64": "4", "aSfixed32": -5, "aSfixed64": "-6", "aBool": true, "aString": "é \u{0} \" \\ {{ x }}",
        "aBytes": "AAH/", "status": "STATUS_PAID", "maybe": "", "numbers": [1, -2, 0],
        "lines": {"a": {"sku": "x", "count": 1}, "": {"sku": "", "count": 0}}, "names": {"-5": "five"},
        "line": {"sku": "y", "count": 2}, "at": "2026-02-28T23:59:59.123456789Z", "lasting": "-3.500s",
        "object": {"a": [1.0, null, {"b": "c"}]}, "value": [true, 2.5], "list": [null, "x"], "mask": "fooBar,baz.qux",
        "any": {"@type": "type.googleapis.com/shop.v1.Line", "sku": "z", "count": 9}, "wrapped": "w", "wrappedLong": "7",
        "child": null, "otherName": 33, "states": ["STATUS_OPEN", 77], "nothing": null
    })
}

#[tokio::test]
async fn every_kind_of_field_travels() {
    let Some(client) = client("grpc every_kind_of_field_travels", PLAIN) else { return };
    let sent = everything();
    let reply = call(&client, "Echo", sent.clone()).await.unwrap();
    let got = &reply.messages[0];
    for (name, value) in sent.as_object().unwrap() {
        if name == "child" {
            assert!(got.get(name).is_none(), "null is the same as absent");
        } else {
            assert_eq!(&got[name], value, "{name}");
        }
    }
    let method = super::world::schema().method("Echo").unwrap();
    let known = method.output_schema();
    for name in got.as_object().unwrap().keys() {
        assert!(known["properties"].get(name).is_some(), "{name} is not in the schema");
    }
    for name in known["required"].as_array().unwrap() {
        assert!(got.get(name.as_str().unwrap()).is_some(), "{name} is always there");
    }
}

#[tokio::test]
async fn other_spellings_are_taken() {
    let Some(client) = client("grpc other_spellings_are_taken", PLAIN) else { return };
    for (given, name, back) in [
        (json!({"an_int64": 5}), "anInt64", json!("5")),
        (json!({"anInt32": "12"}), "anInt32", json!(12)),
        (json!({"anInt32": 1.0}), "anInt32", json!(1)),
        (json!({"aDouble": "NaN"}), "aDouble", json!("NaN")),
        (json!({"aDouble": "-Infinity"}), "aDouble", json!("-Infinity")),
        (json!({"status": 1}), "status", json!("STATUS_OPEN")),
        (json!({"status": 99}), "status", json!(99)),
        (json!({"aBytes": "_-8"}), "aBytes", json!("/+8=")),
        (json!({"at": "2026-01-01T02:00:00+02:00"}), "at", json!("2026-01-01T00:00:00Z")),
        (json!({"renamed": 4}), "otherName", json!(4)),
        (json!({"value": null}), "value", json!(null)),
    ] {
        let reply = call(&client, "Echo", given.clone()).await.unwrap();
        assert_eq!(reply.messages[0][name], back, "{given}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_it_is_sent() {
    let Some(client) = client("grpc what_does_not_fit_is_refused_before_it_is_sent", PLAIN) else { return };
    let deep = (0..300).fold(json!({}), |inner, _| json!({"child": inner}));
    for odd in [
        json!({"anInt32": 2147483648_i64}),
        json!({"anInt32": 1.5}),
        json!({"anInt32": "x"}),
        json!({"aUint32": -1}),
        json!({"anInt64": "9223372036854775808"}),
        json!({"aBool": "true"}),
        json!({"aBytes": "*"}),
        json!({"status": "NOTHING"}),
        json!({"numbers": 5}),
        json!({"numbers": [null]}),
        json!({"lines": []}),
        json!({"names": {"x": "y"}}),
        json!({"text": "a", "line": {}}),
        json!({"at": "yesterday"}),
        json!({"lasting": "5"}),
        json!({"any": {"@type": "type.googleapis.com/nothing.Known"}}),
        json!({"unknown": 1}),
        json!([]),
        json!("x"),
        json!(null),
    ] {
        let error = call(&client, "Echo", odd.clone()).await.map(|reply| reply.messages).expect_err(&odd.to_string());
        assert_eq!(error.kind, ErrorKind::Value, "{odd}: {error}");
        assert!(error.to_string().contains("shop.v1.Everything"), "{odd}: {error}");
    }
    assert!(call(&client, "Echo", deep).await.is_err(), "the server bounds the depth, and so do we");
}
