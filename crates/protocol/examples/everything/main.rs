//! A server that has everything the protocol has: the fixture of the official conformance suite, and a sample of how to
//! implement [`protocol::Service`].
//!
//! `everything --port N` serves Streamable HTTP at `/mcp` and HTTP+SSE at `/sse` and `/messages` on loopback (0 takes a
//! free port); `everything --stdio` serves standard input and output.

mod asking;
mod catalogue;
mod plain;
mod prompts;
mod resources;
mod tasks;

use std::process::ExitCode;
use std::sync::Arc;

use protocol::http::{Router, ServeOptions, serve};
use protocol::{
    About, Boxed, Capabilities, Changes, Completing, Completion, Context, Endpoint, Error, Listing, Principal,
    PromptCall, PromptResult, ReadResult, Reply, Runtime, RuntimeOptions, Service, ToolCall, ToolResult,
};
use tokio_util::sync::CancellationToken;

/// The whole fixture.
struct Everything {
    about: About,
    listing: Arc<Listing>,
    changes: Changes,
}

type ToolReply = Result<Reply<ToolResult>, Error>;

impl Everything {
    fn new() -> Self {
        let mut about = About::new("everything", env!("CARGO_PKG_VERSION"));
        about.title = Some("Everything".into());
        about.description = Some("Every feature of the protocol, for tests".into());
        about.instructions = Some("Every tool here is a test; none of them does anything in the world.".into());
        about.capabilities = Capabilities {
            tools: true,
            resources: true,
            resource_subscriptions: true,
            prompts: true,
            completions: true,
            logging: true,
            stateless_logging: false,
            list_changed: true,
            tasks: true,
            extensions: Vec::new(),
        };
        Self { about, listing: Arc::new(catalogue::listing()), changes: Changes::new() }
    }

    /// Checks the arguments, runs the tool, and adds structured content: every tool here has the same output schema.
    async fn call(&self, context: &Context, call: ToolCall<'_>) -> ToolReply {
        if let Some(refusal) = catalogue::wrong_arguments(&self.listing, &call) {
            return Ok(Reply::Done(refusal));
        }
        let mut reply = self.run(context, call).await?;
        if let Reply::Done(result) = &mut reply
            && !result.is_error
        {
            catalogue::add_structured(call.name, result);
        }
        Ok(reply)
    }

    async fn run(&self, context: &Context, call: ToolCall<'_>) -> ToolReply {
        if let Some(answer) = tasks::call(context, &call).await {
            return answer;
        }
        if let Some(answer) = asking::call(context, &call) {
            return answer;
        }
        plain::call(self, context, &call).await
    }
}

impl Service for Everything {
    fn about(&self) -> &About {
        &self.about
    }

    fn listing(&self, _principal: Option<&Principal>) -> Arc<Listing> {
        self.listing.clone()
    }

    fn call_tool<'a>(&'a self, context: &'a Context, call: ToolCall<'a>) -> Boxed<'a, ToolReply> {
        Box::pin(self.call(context, call))
    }

    fn read_resource<'a>(&'a self, _: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        Box::pin(async move { resources::read(uri).map(Reply::Done) })
    }

    fn get_prompt<'a>(
        &'a self,
        context: &'a Context,
        call: PromptCall<'a>,
    ) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        Box::pin(async move { prompts::get(context, &call) })
    }

    fn complete<'a>(&'a self, _: &'a Context, ask: Completing<'a>) -> Boxed<'a, Result<Completion, Error>> {
        Box::pin(async move { Ok(prompts::complete(&ask)) })
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.changes)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--stdio"] => run(None),
        ["--port", port] => match port.parse() {
            Ok(port) => run(Some(port)),
            Err(fault) => Err(format!("--port {port}: {fault}")),
        },
        _ => Err("usage: everything --port N | --stdio".into()),
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("everything: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(port: Option<u16>) -> Result<(), String> {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    let outcome = tokio.block_on(async {
        let runtime = Runtime::new(RuntimeOptions::default()).map_err(|fault| fault.to_string())?;
        let endpoint = Endpoint::new(Arc::new(Everything::new()), runtime.clone());
        let Some(port) = port else {
            return protocol::stdio::serve_process(endpoint).await.map_err(|fault| fault.to_string());
        };
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .map_err(|fault| format!("port {port} could not be opened: {fault}"))?;
        let address = listener.local_addr().map_err(|fault| fault.to_string())?;
        eprintln!("listening on http://{address}");
        let router = Router::new().mcp("/mcp", endpoint.clone()).legacy("/sse", "/messages", endpoint);
        let shutdown = CancellationToken::new();
        tokio::spawn(stop_on_signal(runtime, shutdown.clone()));
        let options = ServeOptions { drain: std::time::Duration::from_secs(1), ..ServeOptions::default() };
        serve(listener, Arc::new(router), options, shutdown).await;
        Ok(())
    });
    // A read of standard input that has begun cannot be interrupted.
    tokio.shutdown_background();
    outcome
}

async fn stop_on_signal(runtime: Arc<Runtime>, shutdown: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    runtime.shut_down();
    shutdown.cancel();
}
