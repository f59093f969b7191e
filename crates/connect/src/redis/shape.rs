//! Answers as JSON: texts, numbers, and the pairs and entries that Redis writes as flat lists as objects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Command;
use super::resp::Reply;

/// Beyond it an integer is a text: JavaScript would round it.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// What an answer is like, by its command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Plain,
    /// Names and values in turn.
    Pairs,
    /// Values and scores: in turn, or as pairs.
    Scores,
    /// Entries of a stream.
    Entries,
    /// Entries of a stream after a first word, the cursor.
    Claimed,
    /// Streams with their entries.
    Streams,
}

fn shape(command: &Command) -> Shape {
    let has = |word: &str| command.words.iter().skip(1).any(|given| given.eq_ignore_ascii_case(word.as_bytes()));
    match command.name().as_str() {
        "HGETALL" => Shape::Pairs,
        "HRANDFIELD" if has("WITHVALUES") => Shape::Pairs,
        "XINFO" if has("STREAM") && !has("FULL") => Shape::Pairs,
        "ZPOPMIN" | "ZPOPMAX" => Shape::Scores,
        name if name.starts_with('Z') && has("WITHSCORES") && !name.ends_with("RANK") => Shape::Scores,
        "XRANGE" | "XREVRANGE" => Shape::Entries,
        "XCLAIM" if !has("JUSTID") => Shape::Entries,
        "XAUTOCLAIM" if !has("JUSTID") => Shape::Claimed,
        "XREAD" | "XREADGROUP" => Shape::Streams,
        _ => Shape::Plain,
    }
}

/// The answer of a command.
pub(super) fn shaped(command: &Command, reply: Reply) -> Value {
    let json = command.json;
    match (shape(command), reply) {
        (Shape::Pairs, Reply::List(flat)) => object(pairs(flat), json),
        (Shape::Scores, Reply::List(list)) => scores(list, json),
        (Shape::Entries, Reply::List(list)) => entries(list, json),
        (Shape::Claimed, Reply::List(mut list)) if list.len() >= 2 => {
            let rest = list.split_off(2);
            let claimed = list.pop();
            let deleted: Vec<Value> = rest.into_iter().flat_map(items).map(|id| value(id, json)).collect();
            json!({
                "cursor": list.pop().map(|cursor| value(cursor, false)),
                "entries": claimed.map(|list| entries(items(list), json)),
                "deleted": deleted,
            })
        }
        (Shape::Streams, Reply::Null) => json!({}),
        (Shape::Streams, Reply::Map(streams)) => streams_of(streams, json),
        (Shape::Streams, Reply::List(streams)) => streams_of(streams.into_iter().filter_map(two).collect(), json),
        (_, reply) => value(reply, json),
    }
}

fn streams_of(streams: Vec<(Reply, Reply)>, json: bool) -> Value {
    let one = |(name, list)| (key(&name).unwrap_or_default(), entries(items(list), json));
    Value::Object(streams.into_iter().map(one).collect())
}

fn items(reply: Reply) -> Vec<Reply> {
    match reply {
        Reply::List(items) => items,
        _ => Vec::new(),
    }
}

fn two(reply: Reply) -> Option<(Reply, Reply)> {
    <[Reply; 2]>::try_from(items(reply)).ok().map(|[first, second]| (first, second))
}

fn pairs(flat: Vec<Reply>) -> Vec<(Reply, Reply)> {
    // Version 3 gives pairs of their own for some commands.
    if flat.iter().all(|item| matches!(item, Reply::List(pair) if pair.len() == 2)) {
        return flat.into_iter().filter_map(two).collect();
    }
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next().unwrap_or(Reply::Null)))).collect()
}

/// Names and values as an object; as a list of pairs where a name comes twice or is no text, so that nothing is lost.
fn object(pairs: Vec<(Reply, Reply)>, json: bool) -> Value {
    let names: Option<Vec<String>> = pairs.iter().map(|(name, _)| key(name)).collect();
    if let Some(names) = names
        && names.iter().collect::<std::collections::HashSet<_>>().len() == names.len()
    {
        let values = pairs.into_iter().map(|(_, reply)| value(reply, json));
        return Value::Object(names.into_iter().zip(values).collect());
    }
    Value::Array(pairs.into_iter().map(|(name, reply)| json!([value(name, false), value(reply, json)])).collect())
}

fn scores(list: Vec<Reply>, json: bool) -> Value {
    let one = |(member, score)| json!({"value": value(member, json), "score": number(score)});
    Value::Array(pairs(list).into_iter().map(one).collect())
}

/// A score is a text in version 2.
fn number(reply: Reply) -> Value {
    match reply {
        Reply::Bulk(text) => {
            let parsed = std::str::from_utf8(&text).ok().and_then(|text| text.parse::<f64>().ok());
            parsed.map_or_else(|| text_value(&text), double)
        }
        other => value(other, false),
    }
}

fn entries(list: Vec<Reply>, json: bool) -> Value {
    let one = |entry| match two(entry) {
        Some((id, fields)) => json!({"id": value(id, false), "fields": object(pairs(items(fields)), json)}),
        None => Value::Null,
    };
    Value::Array(list.into_iter().map(one).collect())
}

fn key(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Bulk(text) | Reply::Simple(text) => String::from_utf8(text.to_vec()).ok(),
        Reply::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An answer as it is. Bytes that are no text are `{"base64": "…"}`.
pub(super) fn value(reply: Reply, json: bool) -> Value {
    match reply {
        Reply::Null => Value::Null,
        Reply::Simple(text) => text_value(&text),
        Reply::Bulk(text) if json => serde_json::from_slice(&text).unwrap_or_else(|_| text_value(&text)),
        Reply::Bulk(text) => text_value(&text),
        Reply::Int(number) if number.unsigned_abs() > SAFE_INTEGER_MAX => Value::String(number.to_string()),
        Reply::Int(number) => number.into(),
        Reply::Double(number) => double(number),
        Reply::Bool(truth) => truth.into(),
        Reply::Big(digits) => text_value(&digits),
        Reply::Error(text) => json!({"error": text_value(&text)}),
        Reply::List(items) => Value::Array(items.into_iter().map(|item| value(item, json)).collect()),
        Reply::Map(pairs) => object(pairs, json),
    }
}

/// JSON has no infinity: `inf`, `-inf` and `nan` are texts, as Redis writes them. Whole numbers are integers.
fn double(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER_MAX as f64 {
        return (number as i64).into();
    }
    serde_json::Number::from_f64(number).map_or_else(|| Value::String(number.to_string().to_lowercase()), Value::Number)
}

fn text_value(text: &Bytes) -> Value {
    match std::str::from_utf8(text) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => Value::Object(Map::from_iter([("base64".to_owned(), STANDARD.encode(text).into())])),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Bytes, Command, Reply, shaped};

    fn bulk(text: &str) -> Reply {
        Reply::Bulk(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn list(texts: &[&str]) -> Reply {
        Reply::List(texts.iter().map(|text| bulk(text)).collect())
    }

    #[test]
    fn both_versions_of_the_protocol_have_one_shape() {
        let flat = list(&["a", "1", "b", "2"]);
        let map = Reply::Map(vec![(bulk("a"), bulk("1")), (bulk("b"), bulk("2"))]);
        for reply in [flat, map] {
            assert_eq!(shaped(&Command::new(["hgetall", "k"]), reply), json!({"a": "1", "b": "2"}));
        }
        let two = list(&["a", "1", "b", "2.5"]);
        let three = Reply::List(vec![
            Reply::List(vec![bulk("a"), Reply::Double(1.0)]),
            Reply::List(vec![bulk("b"), Reply::Double(2.5)]),
        ]);
        for reply in [two, three] {
            let got = shaped(&Command::new(["ZRANGE", "k", "0", "-1", "WITHSCORES"]), reply);
            assert_eq!(got, json!([{"value": "a", "score": 1}, {"value": "b", "score": 2.5}]));
        }
        let entry = || Reply::List(vec![Reply::List(vec![bulk("1-0"), list(&["f", "v"])])]);
        for reply in [Reply::List(vec![Reply::List(vec![bulk("s"), entry()])]), Reply::Map(vec![(bulk("s"), entry())])]
        {
            let got = shaped(&Command::new(["XREAD", "STREAMS", "s", "0"]), reply);
            assert_eq!(got, json!({"s": [{"id": "1-0", "fields": {"f": "v"}}]}));
        }
    }

    #[test]
    fn nothing_is_lost() {
        let get = Command::new(["GET", "k"]);
        let binary = Reply::Bulk(Bytes::from_static(&[0xff, 0x00]));
        assert_eq!(shaped(&get, binary), json!({"base64": "/wA="}));
        assert_eq!(shaped(&get, Reply::Int(i64::MAX)), json!("9223372036854775807"));
        assert_eq!(shaped(&get, Reply::Int(-9_007_199_254_740_991)), json!(-9_007_199_254_740_991_i64));
        assert_eq!(shaped(&get, Reply::Double(f64::NEG_INFINITY)), json!("-inf"));
        let twice = shaped(&Command::new(["HGETALL", "k"]), list(&["a", "1", "a", "2"]));
        assert_eq!(twice, json!([["a", "1"], ["a", "2"]]));
        let json = Command::new(["GET", "k"]).as_json();
        assert_eq!(shaped(&json, bulk("{\"a\":[1]}")), json!({"a": [1]}));
        assert_eq!(shaped(&json, bulk("no json")), json!("no json"));
    }
}
