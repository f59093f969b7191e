//! Prompts and completion.

use protocol::{
    Completing, Completion, Content, Context, Error, PromptCall, PromptMessage, PromptResult, Reference, Reply,
    ResourceContents,
};
use serde_json::{Value, json};

use crate::asking::{field, form};
use crate::plain::PNG;

fn prompt(description: &str, contents: Vec<Content>) -> PromptResult {
    let messages = contents.into_iter().map(PromptMessage::user).collect();
    PromptResult { description: Some(description.into()), messages }
}

pub(crate) fn get(context: &Context, call: &PromptCall<'_>) -> Result<Reply<PromptResult>, Error> {
    let arguments: Value =
        call.arguments.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_else(|| json!({}));
    let argument = |name: &str| {
        let missing = || Error::invalid_params(format!("Argument {name:?} must be a string"));
        arguments[name].as_str().map(str::to_owned).ok_or_else(missing)
    };
    Ok(Reply::Done(match call.name {
        "test_simple_prompt" => prompt("A fixed message", vec![Content::text("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => {
            let (first, second) = (argument("arg1")?, argument("arg2")?);
            let text = format!("Prompt with arguments: arg1='{first}', arg2='{second}'");
            prompt("A message with arguments", vec![Content::text(text)])
        }
        "test_prompt_with_embedded_resource" => {
            let text = "Embedded resource content for testing.";
            let resource = ResourceContents::text(argument("resourceUri")?, "text/plain", text);
            let please = Content::text("Please process the embedded resource above.");
            prompt("A message with a resource", vec![Content::Embedded(resource), please])
        }
        "test_prompt_with_image" => {
            let image = Content::Image { data: PNG.into(), mime_type: "image/png".into() };
            prompt("A message with a picture", vec![image, Content::text("Please analyze the image above.")])
        }
        _ => match context.input("user_context") {
            Some(_) => {
                let given = field(context, "user_context", "context").unwrap_or_default();
                prompt("A message from what the user said", vec![Content::text(format!("The user says: {given}"))])
            }
            None => {
                let question =
                    form("What is it about?", json!({ "context": { "type": "string" } }), json!(["context"]));
                return Ok(Reply::ask("user_context", question));
            }
        },
    }))
}

pub(crate) fn complete(ask: &Completing<'_>) -> Completion {
    let all: &[&str] = match (ask.reference, ask.argument) {
        (Reference::Prompt("test_prompt_with_arguments"), "arg1") => &["paris", "park", "party", "test"],
        (Reference::Prompt("test_prompt_with_arguments"), "arg2") => &["second", "test"],
        (Reference::Resource("test://template/{id}/data"), "id") => &["1", "2", "3", "123"],
        _ => &[],
    };
    let values: Vec<String> =
        all.iter().filter(|value| value.starts_with(ask.value)).map(|value| (*value).to_owned()).collect();
    let total = u64::try_from(values.len()).ok();
    Completion { values, total, has_more: false }
}
