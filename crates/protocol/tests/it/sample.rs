//! A small service with one tool for each thing that the wire treats differently.

use std::sync::Arc;
use std::time::Duration;

use protocol::{
    About, Boxed, Capabilities, Changes, Content, Context, Endpoint, EndpointOptions, Error, InputRequest, Json,
    Listing, LogLevel, Principal, Prompt, PromptCall, PromptMessage, PromptResult, ReadResult, Reply, Resource,
    ResourceContents, Runtime, RuntimeOptions, Service, Tool, ToolCall, ToolResult,
};
use serde_json::json;

pub(crate) struct Sample {
    about: About,
    listing: Arc<Listing>,
    changes: Changes,
}

impl Sample {
    pub(crate) fn new() -> Self {
        let mut about = About::new("sample", "1.0.0");
        about.title = Some("Sample".into());
        about.capabilities = Capabilities {
            tools: true,
            resources: true,
            resource_subscriptions: true,
            prompts: true,
            logging: true,
            stateless_logging: true,
            list_changed: true,
            ..Capabilities::default()
        };
        let object = || Json::from(json!({ "type": "object" }));
        let mut rows = Tool::new("rows", object());
        rows.title = Some("Rows".into());
        rows.output_schema = Some(Json::from(json!({ "type": "array" })));
        rows.annotations.read_only = Some(true);
        let names = ["audio", "echo", "link", "name", "panics", "progress", "slow", "touch", "who"];
        let mut tools: Vec<Tool> = names.iter().map(|name| Tool::new(*name, object())).collect();
        tools.insert(0, rows);
        let resource = Resource { uri: "sample://one".into(), name: "one".into(), ..Resource::default() };
        let prompt = Prompt { name: "hello".into(), ..Prompt::default() };
        let listing = Listing::builder().tools(tools).page_size(4).resources(vec![resource]).prompts(vec![prompt]);
        Self { about, listing: Arc::new(listing.build()), changes: Changes::new() }
    }

    /// Ready to be served, everything on its default.
    pub(crate) fn endpoint() -> Arc<Endpoint> {
        Self::endpoint_with(RuntimeOptions::default(), EndpointOptions::default())
    }

    pub(crate) fn endpoint_with(runtime: RuntimeOptions, options: EndpointOptions) -> Arc<Endpoint> {
        Endpoint::with(Arc::new(Self::new()), Runtime::new(runtime).expect("randomness"), options)
    }

    async fn call(&self, context: &Context, call: ToolCall<'_>) -> Result<Reply<ToolResult>, Error> {
        let result = match call.name {
            "rows" => ToolResult::structured(Json::from(json!([1, 2]))),
            "echo" => {
                let arguments = call.arguments.map_or_else(|| Json::EMPTY_OBJECT, Json::from);
                ToolResult::structured(arguments)
            }
            "audio" => content(Content::Audio { data: "AAAA".into(), mime_type: "audio/wav".into() }),
            "link" => content(Content::Link {
                uri: "sample://one".into(),
                name: "one".into(),
                description: None,
                mime_type: None,
            }),
            "name" => match context.input("name") {
                Some(answer) => ToolResult::text(answer.content().map_or("none", |content| content.get()).to_owned()),
                None => {
                    let schema = Json::from(json!({ "type": "object", "properties": {} }));
                    let question = InputRequest::Elicit { message: "Name?".into(), schema };
                    return Ok(Reply::ask("name", question));
                }
            },
            "progress" => {
                context.progress(1.0, Some(2.0), Some("half"));
                context.log(LogLevel::Warning, None, "careful");
                ToolResult::text("done")
            }
            "panics" => panic!("on purpose"),
            "slow" => {
                // Work that sees its cancellation ends with an answer, which must not be sent.
                let late = tokio::time::sleep(Duration::from_millis(300));
                match context.cancellation().run_until_cancelled(late).await {
                    Some(()) => ToolResult::text("late"),
                    None => ToolResult::text("cut off"),
                }
            }
            "touch" => {
                self.changes.resource_updated("sample://one");
                self.changes.tools_changed();
                ToolResult::text("touched")
            }
            _ => ToolResult::text(context.principal().map_or("nobody", Principal::id).to_owned()),
        };
        Ok(Reply::Done(result))
    }
}

fn content(block: Content) -> ToolResult {
    ToolResult { content: vec![block], ..ToolResult::default() }
}

impl Service for Sample {
    fn about(&self) -> &About {
        &self.about
    }

    fn listing(&self, _principal: Option<&Principal>) -> Arc<Listing> {
        self.listing.clone()
    }

    fn call_tool<'a>(
        &'a self,
        context: &'a Context,
        call: ToolCall<'a>,
    ) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        Box::pin(self.call(context, call))
    }

    fn read_resource<'a>(&'a self, _: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        Box::pin(async move {
            if uri != "sample://one" {
                return Err(Error::resource_not_found(uri));
            }
            Ok(Reply::Done(ResourceContents::text(uri, "text/plain", "1").into()))
        })
    }

    fn get_prompt<'a>(&'a self, _: &'a Context, _: PromptCall<'a>) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        let messages = vec![PromptMessage::user(Content::text("Hello"))];
        Box::pin(async { Ok(Reply::Done(PromptResult { description: None, messages })) })
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.changes)
    }
}
