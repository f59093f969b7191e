//! Fixed answers, checked before anybody calls their tools.

use std::fmt::Display;

use base::Diagnostic;
use serde_json::Value;
use spec::Spec;
use spec::expression::Tree;
use spec::model::Action;

use crate::codes;
use crate::schema::Schema;

/// Checks the fixed answers of a spec against the `returns` of their tools.
///
/// The diagnostics (`MF0905`) have a path and no place: the document is not at hand here.
pub fn check_replies(spec: &Spec) -> Vec<Diagnostic> {
    let replies = spec.tools.iter().enumerate().filter_map(|(index, tool)| {
        let (Some(Action::Reply(reply)), Some(returns)) = (&tool.action, &tool.returns) else { return None };
        let value = reply.json.clone().or_else(|| reply.text.clone().map(Value::String))?;
        // What a template gives is known when it is called.
        if !Tree::parse(&value).is_ok_and(|tree| tree.is_fixed()) {
            return None;
        }
        let schema = Schema::new(&returns.to_value());
        let error = schema.validator().ok()?.validate(&value).err()?.to_string();
        Some(problem(&tool.name, &error, &format!("/tools/{index}/reply")))
    });
    replies.collect()
}

/// What an answer that does not conform is for its author.
pub(crate) fn problem(tool: &str, error: &dyn Display, path: &str) -> Diagnostic {
    let message = format!("the reply of tool `{tool}` does not conform to `returns`: {error}");
    Diagnostic::error(codes::REPLY, message).path(path).help("change the reply, or what `returns` promises")
}

#[cfg(test)]
mod tests {
    use base::Source;
    use spec::ParseOptions;

    fn checked(reply: &str) -> Vec<String> {
        let text = format!(
            "name: a\ntools:\n  - name: t\n    parameters: {{a: integer}}\n    returns: {{type: object, properties: {{n: {{type: integer}}}}}}\n    reply: {{json: {reply}}}\n"
        );
        let parsed = spec::parse(Source { name: "a.yaml", text: &text }, &ParseOptions::default());
        let spec = parsed.spec.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        super::check_replies(&spec).iter().map(|found| found.code.clone()).collect()
    }

    #[test]
    fn what_is_fixed_is_checked_and_what_a_call_gives_is_not() {
        assert_eq!(checked("{n: 1}"), Vec::<String>::new());
        assert_eq!(checked("{n: one}"), ["MF0905"]);
        assert_eq!(checked("{n: '{{ args.a }}'}"), Vec::<String>::new());
    }
}
