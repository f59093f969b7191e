//! Who may use what, and how much.

use super::Nothing;
use crate::operation::{Declared, Effect, Method, Operation, Scope};
use crate::{Context, Error, policies};

const REMOVES: Effect = Effect::Changes { destroys: true, idempotent: false };

/// Sets a rule.
pub struct SetRule;

impl Operation for SetRule {
    type Input = policies::SetRule;
    type Output = policies::NamedRule;
    const DECLARED: Declared = Declared {
        command: Some("policies"),
        ..Declared::changes("policy.set", "/mcp/policies/rules/{name}", Some("set_policy")).told(
            "Let others use a server",
            "Sets a rule: who may list or call which of your servers, by group and tool, and which scope tools need. A rule of whoever runs the platform speaks of everybody's servers.",
        ).may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        policies::set_rule(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Removes a rule.
pub struct RemoveRule;

impl Operation for RemoveRule {
    type Input = policies::Named;
    type Output = policies::Removed;
    const DECLARED: Declared = Declared {
        method: Method::Delete,
        effect: REMOVES,
        ..Declared::changes("policy.remove", "/mcp/policies/rules/{name}", Some("remove_policy"))
            .told("Remove a rule", "Removes a rule: what it let others do they may not do any more.")
            .may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        policies::remove_rule(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Lists rules and quotas.
pub struct ListPolicies;

impl Operation for ListPolicies {
    type Input = Nothing;
    type Output = policies::Listed;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersWrite,
        ..Declared::reads("policy.list", "/mcp/policies", Some("list_policies")).told(
            "List the policies",
            "Lists your rules: who may use your servers. Whoever runs the platform sees everybody's rules, and the quotas.",
        )
    };

    async fn run(context: &Context, _: Nothing) -> Result<Self::Output, Error> {
        policies::list(context).await
    }
}

/// Sets a quota.
pub struct SetQuota;

impl Operation for SetQuota {
    type Input = policies::SetQuota;
    type Output = policies::NamedQuota;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        ..Declared::changes("quota.set", "/mcp/policies/quotas/{who}", None)
            .told("Set a quota", "Sets how much members, guests or one owner may use: servers, calls, bytes, jobs.")
            .may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        policies::set_quota(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.who.clone())
    }
}

/// Removes a quota.
pub struct RemoveQuota;

impl Operation for RemoveQuota {
    type Input = policies::Whose;
    type Output = policies::Removed;
    const DECLARED: Declared = Declared {
        method: Method::Delete,
        scope: Scope::Admin,
        effect: REMOVES,
        ..Declared::changes("quota.remove", "/mcp/policies/quotas/{who}", None)
            .told("Remove a quota", "Removes a quota: what is so for everybody is so again.")
            .may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        policies::remove_quota(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.who.clone())
    }
}
