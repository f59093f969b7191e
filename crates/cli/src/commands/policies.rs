//! `mcp-factory policies`.

use clap::{Args, Subcommand, ValueEnum};
use operations::all::{ListPolicies, Nothing, RemoveQuota, RemoveRule, SetQuota, SetRule};
use operations::policies::{self, Listed, Named, Quota, Rule, Whose};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory policies set shop --server shop-mcp --who guests --tool 'search_*' --allow call
  mcp-factory policies set team --server '*' --who account:bob --allow call
  mcp-factory policies set careful --server shop-mcp --tool 'delete_*' --needs shop:delete
  mcp-factory policies quota members --servers 20 --calls 5000
  mcp-factory policies list
  mcp-factory policies remove shop
";

/// Say who may use which servers, groups and tools of a control plane, and how much
///
/// Without a rule a server is its owner's alone, and whoever runs the control plane may use everything. A rule of yours
/// speaks of your servers; one of whoever runs the control plane speaks of everybody's. Running servers follow at once.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Right {
    List,
    Call,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Set a rule; one of the same name is replaced
    Set {
        /// What the rule is called
        #[arg(value_name = "NAME")]
        name: String,
        /// Whom it speaks of, by commas: everyone, accounts, guests, anonymous, account:NAME, owner:ID, key:ID
        #[arg(long, value_name = "WHO", value_delimiter = ',')]
        who: Vec<String>,
        /// Servers, by commas; `*` stands for any characters
        #[arg(long, value_name = "NAME", value_delimiter = ',', required = true)]
        server: Vec<String>,
        /// Groups by which the servers are reached, by commas [default: the whole server]
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        group: Vec<String>,
        /// Tools, by commas; `*` stands for any characters [default: every tool]
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        tool: Vec<String>,
        /// What they may do with the tools
        #[arg(long, value_enum, value_name = "RIGHT")]
        allow: Option<Right>,
        /// A scope that calling the tools needs, also for the owner of the server
        #[arg(long, value_name = "SCOPE")]
        needs: Option<String>,
    },
    /// Set how much somebody may use; what is not named stays as it is for everybody
    Quota {
        /// `members`, `guests`, the name of an account, or the id of an owner
        #[arg(value_name = "WHO")]
        who: String,
        /// Servers
        #[arg(long, value_name = "N")]
        servers: Option<u64>,
        /// Calls of tools in a day
        #[arg(long, value_name = "N")]
        calls: Option<u64>,
        /// Bytes of the answers of tools in a day
        #[arg(long, value_name = "N")]
        bytes: Option<u64>,
        /// Jobs that wait or run
        #[arg(long, value_name = "N")]
        jobs: Option<u64>,
        /// Remove the quota
        #[arg(long, conflicts_with_all = ["servers", "calls", "bytes", "jobs"])]
        remove: bool,
    },
    /// List the rules and the quotas
    List,
    /// Remove a rule
    Remove {
        /// What the rule is called
        #[arg(value_name = "NAME")]
        name: String,
    },
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let printer = &session.printer;
    let put = |style| session.done(style, "set", "would set");
    let gone = |style| session.done(style, "removed", "would remove");
    match arguments.what {
        What::Set { name, who, server, group, tool, allow, needs } => {
            let allow = allow.map(|right| match right {
                Right::List => policies::Right::List,
                Right::Call => policies::Right::Call,
            });
            let rule = Rule { who, servers: server, groups: group, tools: tool, allow, needs };
            let set = session.run::<SetRule>(&context, policies::SetRule { name, rule }).await?;
            printer.answer(&set, |style| format!("{} the rule {}", put(style), set.name));
        }
        What::Quota { who, remove: true, .. } => {
            let removed = session.run::<RemoveQuota>(&context, Whose { who }).await?;
            printer.answer(&removed, |style| format!("{} the quota of {}", gone(style), removed.name));
        }
        What::Quota { who, servers, calls, bytes, jobs, .. } => {
            let quota = Quota { servers, calls_per_day: calls, bytes_per_day: bytes, jobs };
            let set = session.run::<SetQuota>(&context, policies::SetQuota { who, quota }).await?;
            printer.answer(&set, |style| format!("{} the quota of {}", put(style), set.who));
        }
        What::List => {
            let listed = session.run::<ListPolicies>(&context, Nothing {}).await?;
            if listed.rules.is_empty() && listed.quotas.is_empty() && !printer.is_json() {
                printer.note("there are no policies: a server is its owner's alone, and quotas are the usual ones");
                return Ok(OK);
            }
            printer.list(&listed, &["rules", "quotas"], |style| text(&listed, style));
        }
        What::Remove { name } => {
            let removed = session.run::<RemoveRule>(&context, Named { name }).await?;
            printer.answer(&removed, |style| format!("{} the rule {}", gone(style), removed.name));
        }
    }
    Ok(OK)
}

fn text(listed: &Listed, style: Style) -> String {
    let all = |words: &[String], usual: &str| if words.is_empty() { usual.to_owned() } else { words.join(" ") };
    let rules = listed.rules.iter().map(|one| {
        let rule = &one.rule;
        let says = match (rule.allow, &rule.needs) {
            (Some(policies::Right::Call), _) => "may call".to_owned(),
            (Some(policies::Right::List), _) => "may list".to_owned(),
            (None, needs) => format!("needs {}", needs.as_deref().unwrap_or_default()),
        };
        let servers = match rule.groups.is_empty() {
            true => rule.servers.join(" "),
            false => format!("{} (groups {})", rule.servers.join(" "), rule.groups.join(" ")),
        };
        vec![one.name.clone(), all(&rule.who, "everyone"), says, servers, all(&rule.tools, "every tool")]
    });
    let number = |name: &str, most: Option<u64>| most.map(|most| format!("{name} {most}"));
    let quotas = listed.quotas.iter().map(|one| {
        let quota = &one.quota;
        let parts = [
            number("servers", quota.servers),
            number("calls", quota.calls_per_day),
            number("bytes", quota.bytes_per_day),
            number("jobs", quota.jobs),
        ];
        let says: Vec<String> = parts.into_iter().flatten().collect();
        vec!["(quota)".to_owned(), one.who.clone(), says.join(", "), String::new(), String::new()]
    });
    table(style, &["RULE", "WHO", "SAYS", "SERVERS", "TOOLS"], &rules.chain(quotas).collect::<Vec<_>>())
}
