//! Other MCP servers, and the programs of `command` actions.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base::{Diagnostic, Secret};
use client::{Client, Limits, Protocol, Settings, Target, Transport};
use connect::process;
use spec::Spec;
use spec::model::{Action, Command, McpConnection, McpProtocol, McpTransport, Program, Tool};

use super::{Opened, Operator};
use crate::codes;
use crate::resolve::{Lookup, Missing, expand};

/// Variables of the server's environment that every program sees.
const PASSED: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// Why a program cannot be started: the reason, and what helps.
enum Refusal {
    Missing(Missing),
    Program(String),
}

impl Opened {
    pub(super) fn mcp(&mut self, other: &McpConnection, url: Option<Secret>, path: &str, operator: &Operator<'_>) {
        let target = match (&other.command, url) {
            (Some(command), _) => match self.program(&other.name, command, operator) {
                Ok(target) => target,
                Err(refusal) => return self.without_program(&other.name, refusal, &format!("{path}/command")),
            },
            (None, Some(url)) => match self.address(other, &url, path, operator) {
                Some(target) => target,
                None => return,
            },
            (None, None) => return,
        };
        let settings = Settings {
            name: other.name.clone(),
            target,
            protocol: match other.protocol {
                McpProtocol::Auto => Protocol::Auto,
                McpProtocol::Stateless => Protocol::Stateless,
                McpProtocol::Initialize => Protocol::Initialize,
            },
            secrets: self.secrets.clone(),
            limits: Limits { message_bytes: usize::try_from(other.limits.answer_bytes).unwrap_or(usize::MAX) },
        };
        match Client::open(settings) {
            Ok(client) => drop(self.connections.mcp.insert(other.name.clone(), Arc::new(client))),
            Err(error) => self.refused(&other.name, path, error),
        }
    }

    fn address(&mut self, other: &McpConnection, url: &Secret, path: &str, operator: &Operator<'_>) -> Option<Target> {
        let text = url.expose();
        let start = text.find("://").map_or(0, |at| at + 3);
        let at = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| at + start);
        let (origin, endpoint) = text.split_at(at);
        let endpoint = endpoint.split('#').next().unwrap_or_default();
        let endpoint = if endpoint.starts_with('/') { endpoint.to_owned() } else { format!("/{endpoint}") };
        let http = other.http().map_err(|error| error.to_string()).ok()?;
        let settings = self.settings_of(&http, Some(Secret::new(origin)), path, operator)?;
        let transport = match other.transport {
            McpTransport::Auto => Transport::Auto,
            McpTransport::Streamable => Transport::Streamable,
            McpTransport::Sse => Transport::Sse,
        };
        Some(Target::Address { http: Box::new(settings), endpoint, transport, login: None })
    }

    fn program(&mut self, name: &str, command: &Program, operator: &Operator<'_>) -> Result<Target, Refusal> {
        let found = find(&command.program, operator).map_err(Refusal::Program)?;
        let environment = self.environment(&command.env, &command.pass, operator.lookup).map_err(Refusal::Missing)?;
        let arguments = command.args.iter().map(|text| self.expanded(text, operator.lookup));
        let arguments = arguments.collect::<Result<_, _>>().map_err(Refusal::Missing)?;
        let folder = command.folder.as_ref().map(Into::into);
        let program = process::Program { name: name.to_owned(), path: found, folder, environment };
        Ok(Target::Program { program, arguments })
    }

    fn without_program(&mut self, name: &str, refusal: Refusal, path: &str) {
        let (why, help) = words(refusal);
        let message = format!("connection `{name}` cannot be started: {why}");
        self.closed(name, why, Diagnostic::warning(codes::PROGRAM, message).path(path).help(help));
    }

    /// The programs of `command` actions, those of steps too.
    pub(super) fn programs(&mut self, spec: &Spec, operator: &Operator<'_>) {
        for (index, tool) in spec.tools.iter().enumerate() {
            for (name, command, path) in commands(tool) {
                let found = self.command(&name, command, operator);
                let found = found.map_err(|refusal| {
                    let (why, help) = words(refusal);
                    let message = format!("tool `{}` cannot run its program: {why}", tool.name);
                    let path = format!("/tools/{index}/{path}");
                    self.diagnostics.push(Diagnostic::warning(codes::PROGRAM, message).path(path).help(help));
                    why
                });
                self.connections.programs.insert(name, found);
            }
        }
    }

    fn command(&mut self, name: &str, command: &Command, operator: &Operator<'_>) -> Result<process::Program, Refusal> {
        let path = find(&command.program, operator).map_err(Refusal::Program)?;
        if let Some(folder) = command.folder.as_deref().filter(|folder| !Path::new(folder).is_dir()) {
            return Err(Refusal::Program(format!("there is no folder `{folder}`")));
        }
        let environment = self.environment(&command.env, &command.pass, operator.lookup).map_err(Refusal::Missing)?;
        let folder = command.folder.as_ref().map(Into::into);
        Ok(process::Program { name: name.to_owned(), path, folder, environment })
    }

    fn environment(
        &mut self,
        env: &BTreeMap<String, String>,
        pass: &[String],
        lookup: Lookup<'_>,
    ) -> Result<Vec<(String, String)>, Missing> {
        let passed = PASSED.into_iter().chain(pass.iter().map(String::as_str)).filter(|name| !env.contains_key(*name));
        let mut all: Vec<(String, String)> = passed.filter_map(|name| Some((name.to_owned(), lookup(name)?))).collect();
        for (name, value) in env {
            all.push((name.clone(), self.expanded(value, lookup)?));
        }
        Ok(all)
    }

    /// A text with its references replaced; what came from one is a secret.
    fn expanded(&mut self, text: &str, lookup: Lookup<'_>) -> Result<String, Missing> {
        let value = expand(text, lookup, "a value")?;
        if text.contains("${") {
            self.secrets.push(Secret::new(value.as_str()));
        }
        Ok(value)
    }
}

fn find(program: &str, operator: &Operator<'_>) -> Result<std::path::PathBuf, String> {
    operator.programs.find(program, &(operator.lookup)("PATH").unwrap_or_default())
}

fn words(refusal: Refusal) -> (String, String) {
    match refusal {
        Refusal::Missing(Missing { what, help }) => (what, help),
        Refusal::Program(why) => {
            let help = format!("install it, or name it in `--allow-commands` or {}", super::ALLOW_COMMANDS);
            (why, help)
        }
    }
}

/// The commands of a tool: the name that the engine looks each up by, and where it is in the tool.
fn commands(tool: &Tool) -> Vec<(String, &Command, String)> {
    match &tool.action {
        Some(Action::Command(command)) => vec![(tool.name.clone(), &**command, "command".to_owned())],
        Some(Action::Steps(steps)) => {
            let each = steps.list.iter().enumerate().filter_map(|(nth, step)| match &step.action {
                Some(Action::Command(command)) => {
                    Some((format!("{}/{}", tool.name, step.name), &**command, format!("steps/do/{nth}/command")))
                }
                _ => None,
            });
            each.collect()
        }
        _ => Vec::new(),
    }
}
