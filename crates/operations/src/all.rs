//! The list of everything that the platform can do. Every face offers what stands here, and nothing else.

mod accounts;
mod deployments;
mod jobs;
mod keys;
mod platform;
mod policies;
mod registry;
mod servers;
mod specs;
mod tools;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::operation::{Erased, Face, Operation};

pub use accounts::{CreateAccount, ListAccounts, RemoveAccount, ResetPassword};
pub use deployments::{Deploy, ReadLogs, Start, Stop};
pub use jobs::{CancelJob, GetJob, ListJobs};
pub use keys::{CreateKey, ListKeys, RevokeKey};
pub use platform::{Codes, Doctor, Explain, ExplainInput, GetTemplate, ListCodes, ListTemplates, Version};
pub use policies::{ListPolicies, RemoveQuota, RemoveRule, SetQuota, SetRule};
pub use registry::{Dependencies, Diff, Search};
pub use servers::{Create, CreateNatural, List, Remove, Status};
pub use specs::{Format, PlanOf, SchemaOf, SchemaOutput, Validate};
pub use tools::{Call, CallTool, CallToolInput, TestAll};

/// No input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

fn face<O: Operation>() -> &'static dyn Erased {
    Box::leak(Box::new(Face::<O>::new()))
}

static ALL: LazyLock<Vec<&'static dyn Erased>> = LazyLock::new(|| {
    vec![
        face::<Create>(),
        face::<CreateNatural>(),
        face::<List>(),
        face::<Status>(),
        face::<Remove>(),
        face::<Search>(),
        face::<Dependencies>(),
        face::<Diff>(),
        face::<Deploy>(),
        face::<Start>(),
        face::<Stop>(),
        face::<ReadLogs>(),
        face::<CallTool>(),
        face::<Call>(),
        face::<TestAll>(),
        face::<PlanOf>(),
        face::<Validate>(),
        face::<Format>(),
        face::<SchemaOf>(),
        face::<ListTemplates>(),
        face::<GetTemplate>(),
        face::<ListJobs>(),
        face::<GetJob>(),
        face::<CancelJob>(),
        face::<CreateKey>(),
        face::<ListKeys>(),
        face::<RevokeKey>(),
        face::<CreateAccount>(),
        face::<ListAccounts>(),
        face::<RemoveAccount>(),
        face::<ResetPassword>(),
        face::<SetRule>(),
        face::<RemoveRule>(),
        face::<ListPolicies>(),
        face::<SetQuota>(),
        face::<RemoveQuota>(),
        face::<ListCodes>(),
        face::<Explain>(),
        face::<Doctor>(),
        face::<Version>(),
    ]
});

/// Every operation.
pub fn all() -> &'static [&'static dyn Erased] {
    &ALL
}

/// The operation of this name.
pub fn find(name: &str) -> Option<&'static dyn Erased> {
    all().iter().copied().find(|one| one.declared().name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;
    use crate::operation::{Effect, Method};

    #[test]
    fn names_routes_and_tools_are_unique_and_told() {
        let mut seen = BTreeSet::new();
        for one in all() {
            let declared = one.declared();
            let route = format!("{} {}", declared.method.as_str(), declared.path);
            for key in [Some(declared.name.to_owned()), Some(route), declared.tool.map(str::to_owned)] {
                assert!(key.is_none_or(|key| seen.insert(key)), "{} is declared twice", declared.name);
            }
            assert!(!declared.title.is_empty() && declared.description.ends_with('.'), "{}", declared.name);
            let reads = declared.effect == Effect::Reads;
            assert!(reads || declared.method != Method::Get, "{} changes with GET", declared.name);
        }
    }

    #[test]
    fn inputs_are_objects_with_the_placeholders_of_their_paths() {
        for one in all() {
            let (declared, input, output) = (one.declared(), one.input_schema(), one.output_schema());
            assert_eq!(input["type"], "object", "{}", declared.name);
            assert_eq!(output["type"], "object", "{}", declared.name);
            for name in declared.placeholders() {
                assert!(input["properties"].get(name).is_some(), "{} has no field {name}", declared.name);
            }
            assert!(!input.to_string().contains("$ref"), "{} has a reference: {input}", declared.name);
            assert!(!output.to_string().contains("$ref"), "{} has a reference: {output}", declared.name);
        }
    }
}
