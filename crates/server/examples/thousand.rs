//! Hosts many servers in one process and waits, so that its memory can be looked at: `thousand [SERVERS] [TOOLS]`. Every
//! server is compiled from a spec of its own, with a prompt and a resource, and has answered a list and a call. Prints a
//! line when they are ready and ends with its standard input.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Read as _;
use std::sync::Arc;

use base::Source;
use bytes::Bytes;
use engine::Toolset;
use host::Hosted;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use plan::{Plan, Reality};
use protocol::http::{Peer, Router};
use protocol::{Endpoint, Runtime, RuntimeOptions};
use spec::Spec;

type Failure = Box<dyn Error>;

/// Parameters of each tool.
const PARAMETERS: usize = 4;

/// What a host keeps of a server besides its endpoint.
struct Kept {
    _spec: Spec,
    _plan: Plan,
}

fn text(server: usize, tools: usize) -> String {
    let mut out = format!("name: server-{server}\nversion: 1.0.{server}\ntools:\n");
    for tool in 0..tools {
        let _ = writeln!(
            out,
            "  - name: tool_{tool}\n    description: Does thing {tool} of server {server}, and says so.\n    reply: {{text: done by {server}}}\n    parameters:"
        );
        for parameter in 0..PARAMETERS {
            let _ = writeln!(
                out,
                "      p{parameter}: {{type: integer, minimum: 0, maximum: 1000, description: Number {parameter} of thing {tool}}}"
            );
        }
    }
    let _ = writeln!(out, "resources:\n  - {{uri: \"text://about\", name: about, text: About server {server}}}");
    let _ = writeln!(
        out,
        "prompts:\n  - name: greet\n    description: Greets\n    messages:\n      - {{role: user, text: Hello from {server}}}"
    );
    out
}

fn host(server: usize, tools: usize) -> Result<(Kept, Hosted), Failure> {
    let text = text(server, tools);
    let parsed = spec::parse(Source { name: "server.yaml", text: &text }, &spec::ParseOptions::default());
    let Some(spec) = parsed.spec else { return Err(format!("the spec is wrong: {:?}", parsed.diagnostics).into()) };
    let (plan, _) = plan::make(&spec, &Reality::default(), None);
    let toolset =
        Toolset::compile(&spec, &plan, engine::Connections::default()).map_err(|found| format!("{found:?}"))?;
    Ok((Kept { _spec: spec, _plan: plan }, Hosted::new(Arc::new(toolset))))
}

async fn ask(router: &Router<Full<Bytes>>, path: &str, method: &str, params: &str) -> Result<(), Failure> {
    let comma = if params.is_empty() { "" } else { "," };
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    );
    let mut request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if method == "tools/call" {
        request = request.header("mcp-name", "tool_0");
    }
    let answer = router.answer(request.body(Full::new(Bytes::from(body)))?, Peer::UNKNOWN).await;
    let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    if memchr::memmem::find(&body, b"\"result\"").is_none() {
        return Err(format!("{method}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let number = |at: usize, default: usize| std::env::args().nth(at).map_or(Ok(default), |text| text.parse());
    let (servers, tools) = (number(1, 1_000)?, number(2, 10)?);
    let runtime = Runtime::new(RuntimeOptions::default()).map_err(|error| error.to_string())?;
    let mut kept = Vec::with_capacity(servers);
    let mut router = Router::new();
    for server in 0..servers {
        let (keep, hosted) = host(server, tools)?;
        kept.push(keep);
        router = router.mcp(&format!("/servers/{server}/mcp"), Endpoint::new(Arc::new(hosted), runtime.clone()));
    }
    for server in 0..servers {
        let path = format!("/servers/{server}/mcp");
        ask(&router, &path, "tools/list", "").await?;
        ask(&router, &path, "tools/call", r#""name":"tool_0","arguments":{"p0":1}"#).await?;
    }
    println!("{} servers of {tools} tools are hosted", kept.len());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
