//! Schemas: told by a server, from texts, from sets.

use connect::ErrorKind;
use connect::grpc::Schema;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::{CLOSED, PLAIN, TLS, client, schema, soon};

#[tokio::test]
async fn a_server_tells_its_schema() {
    for server in [PLAIN, TLS] {
        let Some(client) = client("grpc a_server_tells_its_schema", server) else { return };
        let told = client.reflect(soon(), &CancellationToken::new()).await.unwrap();
        assert_eq!(told.services(), ["shop.v1.Orders"], "{server}");
        assert_eq!(told.methods(), schema().methods());
        let (told, read) = (told.method("Echo").unwrap(), schema().method("Echo").unwrap());
        let keys =
            |schema: &serde_json::Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&told.parameters()), keys(&read.parameters()));
    }
}

#[tokio::test]
async fn a_server_may_keep_its_schema_to_itself() {
    let Some(client) = client("grpc a_server_may_keep_its_schema_to_itself", CLOSED) else { return };
    let error = client.reflect(soon(), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Other);
    assert!(error.to_string().contains("reflection") && error.to_string().contains(".proto"), "{error}");
}

#[test]
fn methods_have_names_of_several_lengths() {
    let schema = schema();
    for name in
        ["GetOrder", "Orders/GetOrder", "Orders.GetOrder", "shop.v1.Orders/GetOrder", "/shop.v1.Orders/GetOrder"]
    {
        let method = schema.method(name).unwrap();
        assert_eq!((method.path().as_str(), method.is_streaming()), ("/shop.v1.Orders/GetOrder", false), "{name}");
    }
    assert!(schema.method("ListOrders").unwrap().is_streaming());
    assert_eq!(schema.method("GetOrder").unwrap().description().as_deref(), Some("One order."));
    for (name, expected) in [
        ("Order", "there is no method `Order`; there are `shop.v1.Orders/GetOrder`"),
        ("etOrder", "no method"),
        ("Upload", "takes a stream"),
        ("Chat", "takes a stream"),
        ("", "no method"),
    ] {
        let why = schema.method(name).map(drop).unwrap_err();
        assert!(why.contains(expected), "{name}: {why}");
    }
    let two = "syntax = \"proto3\"; message M {} service A { rpc Go(M) returns (M); rpc Read(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; } } service B { rpc Go(M) returns (M); }";
    let two = Schema::from_protos(&[("two.proto", two)]).unwrap();
    assert!(two.method("Go").map(drop).unwrap_err().contains("several methods: `A/Go`, `B/Go`"));
    assert_eq!(two.method("B/Go").unwrap().path(), "/B/Go");
    assert!(two.method("Read").unwrap().is_read_only() && !two.method("A/Go").unwrap().is_idempotent());
}

#[test]
fn faults_of_texts_are_told() {
    let good = "syntax = \"proto3\"; import \"b.proto\"; message A { B b = 1; }";
    for (files, expected) in [
        (vec![("a.proto", "syntax = \"proto3\";\nmessage A { Nothing a = 1; }")], "Nothing"),
        (vec![("a.proto", "message {")], "a.proto"),
        (vec![("a.proto", good)], "b.proto"),
        (vec![("a.proto", "syntax = \"proto3\"; message A { int32 a = 1; int32 b = 1; }")], "1"),
        (vec![("a.proto", "syntax = \"proto3\"; import \"a.proto\";")], "a.proto"),
        (vec![("../../etc/passwd", "x")], "passwd"),
    ] {
        let why = Schema::from_protos(&files).map(drop).unwrap_err();
        assert!(why.contains(expected), "{expected}: {why}");
    }
    assert!(Schema::from_protos(&[("a.proto", good), ("b.proto", "syntax = \"proto3\"; message B {}")]).is_ok());
    for bytes in [&b"\xff\xff\xff"[..], b"not a set", &[10, 5, 10, 3, b'a', b'b']] {
        assert!(Schema::from_descriptor_set(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_descriptor_set_is_read() {
    // As `protoc --descriptor_set_out` writes it: a file that holds `message M { google.protobuf.Empty e = 1; }` and one service.
    use prost::Message as _;
    use prost_reflect::prost_types::{
        DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
        ServiceDescriptorProto,
    };
    let field = FieldDescriptorProto {
        name: Some("e".into()),
        number: Some(1),
        label: Some(1),
        r#type: Some(11),
        type_name: Some(".google.protobuf.Empty".into()),
        json_name: Some("e".into()),
        ..FieldDescriptorProto::default()
    };
    let method = MethodDescriptorProto {
        name: Some("Go".into()),
        input_type: Some(".p.M".into()),
        output_type: Some(".p.M".into()),
        ..MethodDescriptorProto::default()
    };
    let file = FileDescriptorProto {
        name: Some("m.proto".into()),
        package: Some("p".into()),
        dependency: vec!["google/protobuf/empty.proto".into()],
        message_type: vec![DescriptorProto {
            name: Some("M".into()),
            field: vec![field],
            ..DescriptorProto::default()
        }],
        service: vec![ServiceDescriptorProto {
            name: Some("S".into()),
            method: vec![method],
            ..ServiceDescriptorProto::default()
        }],
        syntax: Some("proto3".into()),
        ..FileDescriptorProto::default()
    };
    let bytes = FileDescriptorSet { file: vec![file] }.encode_to_vec();
    let schema = Schema::from_descriptor_set(&bytes).unwrap();
    assert_eq!(schema.methods(), ["p.S/Go"]);
    let parameters = schema.method("Go").unwrap().parameters();
    assert_eq!(parameters["properties"]["e"], json!({"type": "object", "additionalProperties": false}));
}

#[test]
fn messages_become_schemas() {
    let method = schema().method("Echo").unwrap();
    let (given, got) = (method.parameters(), method.output_schema());
    assert_eq!(given["additionalProperties"], false);
    for (name, input, output) in [
        ("anInt32", json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}), None),
        ("aUint32", json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}), None),
        (
            "anInt64",
            json!({"type": ["integer", "string"], "pattern": "^-?[0-9]{1,19}$"}),
            Some(json!({"type": "string", "pattern": "^-?[0-9]{1,19}$"})),
        ),
        ("aDouble", json!({"type": "number"}), Some(json!({"type": ["number", "string"]}))),
        ("aBytes", json!({"type": "string", "contentEncoding": "base64"}), None),
        (
            "status",
            json!({"type": "string", "enum": ["STATUS_UNSPECIFIED", "STATUS_OPEN", "STATUS_PAID"]}),
            Some(
                json!({"anyOf": [{"type": "string", "enum": ["STATUS_UNSPECIFIED", "STATUS_OPEN", "STATUS_PAID"]}, {"type": "integer"}]}),
            ),
        ),
        (
            "numbers",
            json!({"type": "array", "items": {"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}}),
            None,
        ),
        ("names", json!({"type": "object", "additionalProperties": {"type": "string"}}), None),
        ("text", json!({"type": "string", "description": "One of `text`, `line` at most."}), None),
        ("at", json!({"type": "string", "format": "date-time"}), None),
        ("child", json!({"type": "object", "description": "A message of the type shop.v1.Everything"}), None),
        ("otherName", json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}), None),
        ("value", json!({}), None),
        ("nothing", json!({"type": "null"}), None),
    ] {
        assert_eq!(given["properties"][name], input, "{name}");
        assert_eq!(got["properties"][name], output.unwrap_or(input), "{name}");
    }
    assert!(given.get("required").is_none());
    let always = got["required"].as_array().unwrap();
    for (name, is_always) in
        [("anInt32", true), ("numbers", true), ("names", true), ("maybe", false), ("at", false), ("text", false)]
    {
        assert_eq!(always.contains(&json!(name)), is_always, "{name}");
    }
    let order = schema().method("GetOrder").unwrap();
    assert_eq!(order.parameters()["properties"]["id"]["description"], "Which order.");
    assert_eq!(order.output_schema()["properties"]["totalCents"]["description"], "Sum in cents.");
}
