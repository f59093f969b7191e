//! What comes back: unpacked, bounded, put together.

use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use axum::body::{Body, Bytes};
use connect::ErrorKind;
use connect::http::{Event, Events, Select};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::world::{Upstream, answer, failed, get, ok, send};

async fn packed(encoding: &str, plain: &[u8]) -> Bytes {
    macro_rules! pack {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(plain).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner().into()
        }};
    }
    match encoding {
        "gzip" => pack!(GzipEncoder),
        "br" => pack!(BrotliEncoder),
        _ => pack!(ZstdEncoder),
    }
}

#[tokio::test]
async fn answers_are_unpacked_and_bombs_are_not() {
    for encoding in ["gzip", "br", "zstd"] {
        let small = packed(encoding, b"hello").await;
        let bomb = packed(encoding, &vec![0; 16 << 20]).await;
        assert!(bomb.len() < 64 * 1024, "{encoding}: the bomb is small on the wire");
        let upstream = Upstream::start(move |_, head, _| {
            let body = if head.uri.path() == "/v1/bomb" { bomb.clone() } else { small.clone() };
            let body = if head.uri.path() == "/v1/cut" { body.slice(..body.len() - 2) } else { body };
            answer(200, &[("content-encoding", encoding)], body)
        })
        .await;
        let api = upstream.api();
        assert_eq!(send(&api, &get("/x")).await.unwrap().body, "hello");
        assert_eq!(failed(send(&api, &get("/bomb")).await).0, ErrorKind::Limit);
        assert_eq!(failed(send(&api, &get("/cut")).await).0, ErrorKind::Transient, "{encoding}");
    }
}

#[tokio::test]
async fn large_and_endless_answers_are_bounded() {
    let upstream = Upstream::start(|_, head, _| match head.uri.path() {
        "/v1/large" => ok(vec![b'x'; 64 * 1024 + 1]),
        "/v1/odd" => answer(200, &[("content-encoding", "gzip, gzip")], "x"),
        "/v1/endless" => {
            let chunks =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 1024])));
            ok(Body::from_stream(chunks))
        }
        _ => ok(vec![b'x'; 64 * 1024]),
    })
    .await;
    let api = upstream.api();
    assert_eq!(send(&api, &get("/exact")).await.unwrap().body.len(), 64 * 1024);
    for path in ["/large", "/endless"] {
        assert_eq!(failed(send(&api, &get(path)).await).0, ErrorKind::Limit, "{path}");
    }
    assert!(failed(send(&api, &get("/odd")).await).1.contains("content encoding `gzip, gzip`"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut connections = 0;
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            connections += 1;
            let (read, mut write) = socket.into_split();
            let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(read));
            while let Ok(Some(line)) = lines.next_line().await {
                if line.is_empty() {
                    let body = connections.to_string();
                    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    write.write_all(text.as_bytes()).await.unwrap();
                }
            }
        }
    });
    let other = Upstream::start(|_, _, _| ok("")).await;
    let base = base::Secret::new(format!("http://{address}"));
    let api = connect::http::Api::open(connect::http::Settings { base, ..other.settings() }).unwrap();
    for _ in 0..5 {
        assert_eq!(send(&api, &get("/x")).await.unwrap().body, "1");
    }
    task.abort();
}

#[tokio::test]
async fn events_become_an_answer() {
    let stream = "\u{feff}: comment\r\nevent: delta\r\ndata: a\r\ndata: b\r\nid: 7\r\n\r\nevent: ping\ndata: x\n\n\
                  data: plain\n\nevent: delta\rdata:c\r\rdata: [DONE]\n\ndata: after\n\n";
    let upstream = Upstream::start(move |_, head, _| {
        // Piece by piece, and never ended: only the event that says so completes the answer.
        let pieces: Vec<_> =
            stream.as_bytes().chunks(3).map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece))).collect();
        let pieces = futures_util::stream::iter(pieces);
        if head.uri.path() == "/v1/open" {
            let open = futures_util::StreamExt::chain(pieces, futures_util::stream::pending());
            return answer(200, &[("content-type", "text/event-stream; charset=utf-8")], Body::from_stream(open));
        }
        answer(200, &[("content-type", "text/event-stream")], Body::from_stream(pieces))
    })
    .await;
    let api = upstream.api();
    let event = |event: &str, data: &str| Event { event: event.into(), data: data.into(), id: Some("7".into()) };
    let delta = [event("delta", "a\nb"), event("delta", "c")];
    let mut call = get("/open");
    let wanted = Events { keep: vec!["delta".into()], done_data: Some("[DONE]".into()), max: 10, ..Events::default() };
    call.events = Some(wanted.clone());
    let reply = send(&api, &call).await.unwrap();
    assert_eq!((reply.events.as_deref(), reply.truncated), (Some(&delta[..]), false));
    call.events = Some(Events { max: 1, ..wanted });
    let reply = send(&api, &call).await.unwrap();
    assert_eq!((reply.events.as_deref(), reply.truncated), (Some(&delta[..1]), true));
    call.events = Some(Events { done_event: Some("ping".into()), max: 10, ..Events::default() });
    assert_eq!(send(&api, &call).await.unwrap().events.unwrap(), [delta[0].clone(), event("ping", "x")]);
    call.path = "/closed".to_owned();
    call.events = Some(Events { max: 10, ..Events::default() });
    assert_eq!(send(&api, &call).await.unwrap().events.unwrap().len(), 6);
    call.events = None;
    assert_eq!(send(&api, &call).await.unwrap().body, stream);
}

#[test]
fn parts_of_an_answer_are_picked() {
    let answer = json!({"data": {"items": [{"id": 1, "a.b": "x"}, {"id": 2}, {}]}, "~/": 5});
    for (text, expected) in [
        ("", Some(answer.clone())),
        ("$", Some(answer.clone())),
        ("/data/items/1/id", Some(json!(2))),
        ("/~0~1", Some(json!(5))),
        ("/data/none", None),
        ("$.data.items[*].id", Some(json!([1, 2]))),
        ("$.data.items[0]['a.b']", Some(json!("x"))),
        ("$.data.items[-2].id", Some(json!(2))),
        ("$.data.items[-9].id", None),
        ("$.none[*]", Some(json!([]))),
    ] {
        assert_eq!(Select::parse(text).unwrap().pick(&answer), expected, "{text}");
    }
    for text in ["data", "$data", "$.", "$[", "$[x]", "$['x]", "$..a"] {
        assert!(Select::parse(text).is_err(), "{text}");
    }
}
