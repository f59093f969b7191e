//! Every verb, on a server with real queries.

use connect::mongo::{Form, Verb};
use connect::{Error, ErrorKind};
use serde_json::{Value, json};

use super::world::{World, request, run};

#[tokio::test]
async fn documents_are_written_found_changed_and_deleted() {
    let Some(world) = World::new("mongo: documents") else { return };
    let made =
        world.run(Verb::Insert, json!({"document": {"name": "Ada", "born": 1815, "tags": ["x", {"y": 1.5}]}})).await;
    assert_eq!(made["inserted"], json!(1));
    let id = made["ids"][0].as_str().expect("an identifier").to_owned();
    let found = world.run(Verb::Find, json!({"filter": {"_id": {"$oid": id}}})).await;
    let ada = json!({"_id": id, "name": "Ada", "born": 1815, "tags": ["x", {"y": 1.5}]});
    assert_eq!(found, json!({"documents": [ada], "more": false}));
    world
        .run(Verb::Insert, json!({"documents": [{"name": "Alan", "born": 1912}, {"name": "Grace", "born": 1906}]}))
        .await;
    let sorted = world
        .run(
            Verb::Find,
            json!({"filter": {"born": {"$gt": 1900}}, "sort": {"born": 1}, "projection": {"_id": 0, "name": 1}}),
        )
        .await;
    assert_eq!(sorted["documents"], json!([{"name": "Grace"}, {"name": "Alan"}]));
    let options = json!({"filter": {"born": {"$gt": 1900}}, "update": {"$set": {"century": 20}}, "many": true});
    let changed = world.run(Verb::Update, options).await;
    assert_eq!(changed, json!({"matched": 2, "modified": 2, "upserted": []}));
    let options = json!({"filter": {"name": "Edsger"}, "update": {"$set": {"born": 1930}}, "upsert": true});
    let upserted = world.run(Verb::Update, options).await;
    assert_eq!((&upserted["matched"], upserted["upserted"].as_array().map(Vec::len)), (&json!(0), Some(1)));
    assert_eq!(world.run(Verb::Count, json!({"filter": {"century": 20}})).await, json!({"count": 2}));
    assert_eq!(world.run(Verb::Count, json!({"filter": {"century": 99}})).await, json!({"count": 0}));
    let names = world.run(Verb::Distinct, json!({"field": "name", "filter": {"century": 20}})).await;
    let mut values: Vec<&str> = names["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    values.sort_unstable();
    assert_eq!((values, &names["more"]), (vec!["Alan", "Grace"], &json!(false)));
    let pipeline = json!([{"$match": {"born": {"$gt": 1900}}}, {"$group": {"_id": null, "first": {"$min": "$born"}}}]);
    let grouped = world.run(Verb::Aggregate, json!({"pipeline": pipeline})).await;
    assert_eq!(grouped, json!({"documents": [{"_id": null, "first": 1906}], "more": false}));
    assert_eq!(world.run(Verb::Delete, json!({"filter": {"century": 20}, "many": true})).await, json!({"deleted": 2}));
    assert_eq!(world.run(Verb::Delete, json!({"filter": {}, "all": true, "many": true})).await, json!({"deleted": 2}));
}

#[tokio::test]
async fn values_that_json_has_not_come_out_whole() {
    let Some(world) = World::new("mongo: values") else { return };
    let document = json!({
        "_id": {"$oid": "56e1fc72e0c917e9c4714161"},
        "date": {"$date": "2012-12-24T12:15:30.500Z"},
        "long": {"$numberLong": "9007199254740993"},
        "bytes": {"$binary": {"base64": "//4A", "subType": "00"}},
        "small": 7, "half": 0.5, "none": null, "yes": true, "deep": {"list": [1, [2]]},
    });
    world.run(Verb::Insert, json!({"document": document})).await;
    let mut find = request(Verb::Find, json!({"filter": {}}));
    let plain = run(&world.mongo, &find).await.expect("documents");
    let expected = json!({
        "_id": "56e1fc72e0c917e9c4714161", "date": "2012-12-24T12:15:30.500Z", "long": "9007199254740993",
        "bytes": "//4A", "small": 7, "half": 0.5, "none": null, "yes": true, "deep": {"list": [1, [2]]},
    });
    assert_eq!(plain["documents"][0], expected);
    find.form = Form::Extended;
    assert_eq!(run(&world.mongo, &find).await.expect("documents")["documents"][0], document);
}

#[tokio::test]
async fn limits_cut_and_say_so() {
    let Some(world) = World::new("mongo: limits") else { return };
    world.fill(250).await;
    for (limit, count, more) in [(1, 1, true), (249, 249, true), (250, 250, false), (1000, 250, false)] {
        for verb in [Verb::Find, Verb::Aggregate] {
            let options = if verb == Verb::Find { json!({"sort": {"n": 1}}) } else { json!({"pipeline": []}) };
            let found = run(&world.mongo, &connect::mongo::Request { limit, ..request(verb, options) }).await;
            let found = found.expect("documents");
            assert_eq!((found["documents"].as_array().map(Vec::len), &found["more"]), (Some(count), &json!(more)));
        }
    }
    let page = world.run(Verb::Find, json!({"sort": {"n": 1}, "skip": 200, "projection": {"_id": 0}})).await;
    assert_eq!(page["documents"][0], json!({"n": 200}));
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let Some(world) = World::new("mongo: errors") else { return };
    world.run(Verb::Insert, json!({"document": {"_id": 1}})).await;
    let error = |outcome: Result<Value, Error>| outcome.expect_err("refused");
    let twice = error(run(&world.mongo, &request(Verb::Insert, json!({"document": {"_id": 1}}))).await);
    assert_eq!(twice.kind, ErrorKind::Constraint, "{twice}");
    assert!(twice.to_string().contains("unique index"), "{twice}");
    let cases = [
        (Verb::Find, json!({"fliter": {}}), "takes no `fliter`"),
        (Verb::Insert, json!({"document": 7}), "a document is an object"),
        (Verb::Insert, json!({"documents": []}), "at least one"),
        (Verb::Delete, json!({"filter": {}}), "`all: true`"),
        (Verb::Delete, json!({}), "`all: true`"),
        (Verb::Update, json!({"filter": {}, "update": {"$set": {"a": 1}}}), "`all: true`"),
        (Verb::Update, json!({"filter": {"a": 1}}), "`update` is missing"),
        (Verb::Aggregate, json!({}), "list of stages"),
        (Verb::Distinct, json!({}), "`field` is missing"),
        (Verb::Find, json!({"filter": {"_id": {"$oid": "nope"}}}), "24 hexadecimal digits"),
    ];
    for (verb, options, word) in cases {
        let refused = error(run(&world.mongo, &request(verb, options.clone())).await);
        assert!(refused.to_string().contains(word), "{options}: {refused}");
    }
    for collection in ["", "a$b", "a\0b", "system.$cmd"] {
        let mut find = request(Verb::Find, json!({}));
        collection.clone_into(&mut find.collection);
        assert!(error(run(&world.mongo, &find).await).message.contains("no name of a collection"), "{collection}");
    }
}
