//! Where the values of parameters come from.

use super::{Check, auth};
use crate::codes;
use crate::model::{Bind, Parameter};
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>) {
    for (tool, node) in check.tools() {
        let nodes = node.get("parameters").map(Node::items).unwrap_or_default();
        for (parameter, at) in tool.parameters().iter().zip(nodes) {
            if !check.is_damaged(at) {
                source(check, parameter, at);
                bound(check, parameter, at);
            }
        }
    }
}

fn source(check: &mut Check<'_, '_>, parameter: &Parameter, at: &Node) {
    if !parameter.is_hidden() {
        return;
    }
    let name = clip(&parameter.name);
    let sources = [
        ("default", parameter.schema.default().is_some()),
        ("claim", parameter.claim.is_some()),
        ("env", parameter.env.is_some()),
    ];
    let given: Vec<&str> = sources.iter().filter(|(_, is)| *is).map(|(key, _)| *key).collect();
    match given.as_slice() {
        // A setting of the operator, with what it is when nobody sets it.
        [_] | ["default", "env"] => {}
        [] => {
            let message = format!("the hidden parameter `{name}` never has a value");
            let help = "add `default`, `claim: NAME` (a claim of the caller) or `env: NAME`";
            check.error(codes::PARAMETER_SOURCE, at.span_of("hidden"), message, help);
        }
        several => {
            let message = format!("the parameter `{name}` has two sources, `{}` and `{}`", several[0], several[1]);
            check.error(codes::PARAMETER_SOURCE, at.span_of(several[1]), message, "keep one of them");
        }
    }
    if parameter.required {
        let message = format!("the hidden parameter `{name}` is required of callers, who cannot give it");
        check.error(codes::PARAMETER_SOURCE, at.span_of("required"), message, "remove `required`");
    }
    if let (Some(variable), Some(at)) = (&parameter.env, at.get("env")) {
        auth::env_var(check, variable, at.span);
    }
    if let (Some(claim), Some(at)) = (&parameter.claim, at.get("claim"))
        && (claim.trim() != claim || claim.is_empty() || claim.split('.').any(str::is_empty))
    {
        let message = format!("`{}` is no path of a claim", clip(claim));
        check.error(
            codes::PARAMETER_SOURCE,
            at.span,
            message,
            "write `tenant`, or `org.id` for a claim within a claim",
        );
    }
}

/// A URL has nothing but texts, so what it gives must be written as one.
fn bound(check: &mut Check<'_, '_>, parameter: &Parameter, at: &Node) {
    if parameter.bind != Some(Bind::Url) {
        return;
    }
    let name = clip(&parameter.name);
    if parameter.is_hidden() {
        let message = format!("the parameter `{name}` is hidden and bound to the URL");
        check.error(codes::PARAMETER_SOURCE, at.span_of("bind"), message, "remove `bind`, or what hides it");
    } else if !matches!(parameter.schema.kind(), Some("string" | "integer" | "number" | "boolean")) {
        let message = format!("the parameter `{name}` cannot be written in a URL");
        let help = "give it the type `string`, `integer`, `number` or `boolean`, or remove `bind`";
        check.error(codes::PARAMETER_SOURCE, at.span_of("bind"), message, help);
    }
}
