//! The factory's own MCP server: every operation that has a tool name is a tool.

use std::sync::Arc;

use operations::operation::{Effect, Erased};
use operations::{Context as Asked, Error as Failure};
use protocol::service::{About, Boxed, Reply, Service, Tool, ToolAnnotations, ToolCall, ToolResult};
use protocol::{Context, Error, Json, Listing, Principal};
use serde_json::{Value, json};

use super::caller;

/// What a model should know before it uses the tools.
const INSTRUCTIONS: &str = "MCP Factory makes MCP servers from specs. To make one: read `get_spec_schema` or begin with \
`list_templates` and `get_template`, check with `validate_spec`, make it with `create_server`, test it with `test_server`, \
and use it at once with `call_tool {server, tool, arguments}`. `get_server` shows the tools that a server has.";

/// The factory's own MCP server.
pub(super) struct Platform {
    context: Asked,
    about: About,
    all: Arc<Listing>,
}

impl Platform {
    pub(super) fn new(context: Asked) -> Self {
        let mut about = About::new("mcp-factory", env!("CARGO_PKG_VERSION"));
        about.title = Some("MCP Factory".to_owned());
        about.instructions = Some(INSTRUCTIONS.to_owned());
        about.capabilities.tools = true;
        Self { context, about, all: Arc::new(listing(|_| true)) }
    }
}

fn listing(shown: impl Fn(&dyn Erased) -> bool) -> Listing {
    let all = operations::all::all().iter().filter(|one| shown(**one));
    Listing::builder().tools(all.filter_map(|one| tool(*one)).collect()).build()
}

fn tool(operation: &dyn Erased) -> Option<Tool> {
    let declared = operation.declared();
    let mut tool = Tool::new(declared.tool?, Json::to(&operation.input_schema())).describe(declared.description);
    tool.title = Some(declared.title.to_owned());
    tool.output_schema = Some(Json::to(&operation.output_schema()));
    let (read_only, destructive, idempotent) = match declared.effect {
        Effect::Reads => (true, false, true),
        Effect::Changes { destroys, idempotent } => (false, destroys, idempotent),
    };
    tool.annotations = ToolAnnotations {
        read_only: Some(read_only),
        destructive: Some(destructive),
        idempotent: Some(idempotent),
        open_world: Some(declared.tool == Some("call_tool")),
    };
    Some(tool)
}

impl Service for Platform {
    fn about(&self) -> &About {
        &self.about
    }

    fn listing(&self, principal: Option<&Principal>) -> Arc<Listing> {
        if principal.is_none() {
            return Arc::clone(&self.all);
        }
        let caller = caller::of(principal);
        Arc::new(listing(|one| caller.may(one.declared().scope)))
    }

    fn call_tool<'a>(&'a self, cx: &'a Context, call: ToolCall<'a>) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        Box::pin(async move {
            let found = operations::all::all().iter().find(|one| one.declared().tool == Some(call.name));
            let Some(operation) = found else {
                return Err(Error::invalid_params(format!("Unknown tool: {}", call.name)));
            };
            let input = match call.arguments.map(|arguments| serde_json::from_str::<Value>(arguments.get())) {
                None => json!({}),
                Some(Ok(input @ Value::Object(_))) => input,
                Some(_) => return Err(Error::invalid_params("the arguments are not a JSON object")),
            };
            let request = uuid::Uuid::now_v7().simple().to_string();
            let mut asked = self.context.asked(caller::of(cx.principal()), request);
            asked.cancel = cx.cancellation().child_token();
            Ok(Reply::Done(match operation.run(&asked, input).await {
                Ok(done) => ToolResult::structured(Json::to(&done.output)),
                Err(error) => failed(&error),
            }))
        })
    }
}

/// A failure as a model can act on it: the problems with their places, what went wrong, and what to do.
fn failed(error: &Failure) -> ToolResult {
    let mut text = String::new();
    if !error.diagnostics.is_empty() {
        text.push_str(&error.render_diagnostics(false));
        text.push('\n');
    }
    text.push_str(&format!("{}: {}", error.code.as_str(), error.message));
    for hint in &error.hints {
        text.push_str(&format!("\nhint: {hint}"));
    }
    ToolResult::error(text)
}
