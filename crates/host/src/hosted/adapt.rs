//! From the engine's types to the protocol's, without copying what is large.

use engine::{Bindings, Content, Outcome, Toolset};
use protocol::{
    About, Capabilities, Icon, Json, Listing, LogLevel, Prompt, PromptArgument, Resource, ResourceTemplate,
    TaskSupport, Tool, ToolAnnotations, ToolResult, service,
};
use spec::model;

pub(super) fn about(toolset: &Toolset, capabilities: Capabilities) -> About {
    let about = toolset.about();
    About {
        name: about.name.clone(),
        version: about.version.clone(),
        title: about.title.clone(),
        description: about.description.clone(),
        website_url: None,
        icons: icons(&about.icons),
        instructions: about.instructions.clone(),
        capabilities,
    }
}

/// Whether anything can be completed.
pub(super) fn completes(toolset: &Toolset) -> bool {
    let prompts =
        toolset.prompts().iter().flat_map(|prompt| &prompt.arguments).any(|argument| !argument.choices.is_empty());
    prompts || toolset.resources().iter().any(engine::Resource::is_template)
}

fn icons(icons: &[model::Icon]) -> Vec<Icon> {
    let icon = |icon: &model::Icon| Icon {
        src: icon.src.clone(),
        mime_type: icon.mime_type.clone(),
        sizes: icon.sizes.clone(),
        theme: icon.theme.clone(),
    };
    icons.iter().map(icon).collect()
}

pub(super) fn listing(toolset: &Toolset) -> Listing {
    let (templates, resources): (Vec<_>, Vec<_>) =
        toolset.resources().iter().partition(|resource| resource.is_template());
    Listing::builder()
        .tools(toolset.tools().iter().map(tool).collect())
        .resources(resources.into_iter().map(resource).collect())
        .templates(templates.into_iter().map(template).collect())
        .prompts(toolset.prompts().iter().map(prompt).collect())
        .build()
}

/// The lists of a group, or of all, without the parameters that these bindings set.
pub(super) fn view(toolset: &Toolset, group: Option<&str>, bindings: &Bindings) -> Listing {
    // A group that is gone has nothing.
    let gone = engine::Group { name: String::new(), title: None, description: None, tools: Vec::new() };
    let group = group.map(|name| toolset.group(name).unwrap_or(&gone));
    let tools = toolset.tools().iter().enumerate();
    let tools = tools.filter(|(index, _)| group.is_none_or(|group| group.tools.contains(index))).map(|(_, one)| {
        let mut listed = tool(one);
        if let Some(schema) = one.schema_without(bindings) {
            listed.input_schema = Json::from(schema);
        }
        listed
    });
    let shown = toolset
        .resources()
        .iter()
        .filter(|resource| group.is_none_or(|group| super::views::shows(toolset, group, resource)));
    let (templates, resources): (Vec<_>, Vec<_>) = shown.partition(|resource| resource.is_template());
    let prompts = toolset.prompts().iter();
    let prompts = prompts.filter(|prompt| group.is_none_or(|group| toolset.is_prompt_in(group, prompt)));
    Listing::builder()
        .tools(tools.collect())
        .resources(resources.into_iter().map(resource).collect())
        .templates(templates.into_iter().map(template).collect())
        .prompts(prompts.map(prompt).collect())
        .build()
}

fn tool(tool: &engine::Tool) -> Tool {
    let info = tool.info();
    let hints = &info.annotations;
    Tool {
        title: info.title.clone(),
        description: Some(info.description.clone()),
        output_schema: info.output_schema.clone().map(Json::trusted),
        annotations: ToolAnnotations {
            read_only: hints.read_only_hint,
            destructive: hints.destructive_hint,
            idempotent: hints.idempotent_hint,
            open_world: hints.open_world_hint,
        },
        icons: icons(&info.icons),
        task: if info.task.is_some() { TaskSupport::Optional } else { TaskSupport::Forbidden },
        resumes: info.task == Some(model::TaskUse::Resumed),
        ..Tool::new(&*info.name, Json::trusted(info.input_schema.clone()))
    }
}

fn resource(resource: &engine::Resource) -> Resource {
    Resource {
        uri: resource.uri.clone(),
        name: resource.name.clone(),
        title: resource.title.clone(),
        description: resource.description.clone(),
        mime_type: Some(resource.mime_type.clone()),
        size: resource.size.map(|size| size as u64),
        ..Resource::default()
    }
}

fn template(resource: &engine::Resource) -> ResourceTemplate {
    ResourceTemplate {
        uri_template: resource.uri.clone(),
        name: resource.name.clone(),
        title: resource.title.clone(),
        description: resource.description.clone(),
        mime_type: Some(resource.mime_type.clone()),
        ..ResourceTemplate::default()
    }
}

fn prompt(prompt: &engine::Prompt) -> Prompt {
    let argument = |argument: &model::PromptArgument| PromptArgument {
        name: argument.name.clone(),
        description: argument.description.clone(),
        required: argument.required,
        ..PromptArgument::default()
    };
    Prompt {
        name: prompt.name.clone(),
        title: prompt.title.clone(),
        description: prompt.description.clone(),
        arguments: prompt.arguments.iter().map(argument).collect(),
        ..Prompt::default()
    }
}

/// The answer of a call. Bytes are shared, not copied; what each revision makes of them is the protocol's business.
pub(super) fn result(outcome: Outcome) -> ToolResult {
    let is_error = outcome.is_error();
    let content = outcome.content.into_iter().map(|content| match content {
        Content::Text(text) => service::Content::text(text),
        Content::Block(json) => service::Content::Raw(Json::trusted(json)),
        Content::Image { data, mime_type } => {
            service::Content::Image { data: data.into(), mime_type: mime_type.into() }
        }
        Content::Audio { data, mime_type } => {
            service::Content::Audio { data: data.into(), mime_type: mime_type.into() }
        }
        Content::Resource { uri, mime_type, body, is_blob } => service::Content::Embedded(service::ResourceContents {
            uri,
            mime_type: Some(mime_type),
            body: body.into(),
            is_blob,
            meta: None,
        }),
        Content::Link { uri, name, mime_type } => service::Content::Link { uri, name, description: None, mime_type },
    });
    ToolResult {
        content: content.collect(),
        structured: outcome.structured.map(Json::trusted),
        text_from_structured: outcome.echo,
        is_error,
        meta: outcome.meta.map(Json::trusted),
    }
}

/// The level of a log line; both are those of syslog.
pub(super) fn level(level: engine::LogLevel) -> LogLevel {
    match level {
        engine::LogLevel::Debug => LogLevel::Debug,
        engine::LogLevel::Info => LogLevel::Info,
        engine::LogLevel::Notice => LogLevel::Notice,
        engine::LogLevel::Warning => LogLevel::Warning,
        engine::LogLevel::Error => LogLevel::Error,
        engine::LogLevel::Critical => LogLevel::Critical,
        engine::LogLevel::Alert => LogLevel::Alert,
        engine::LogLevel::Emergency => LogLevel::Emergency,
    }
}
