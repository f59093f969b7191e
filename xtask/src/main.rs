//! Every habit of the repository as a command: `cargo xtask help` lists them.

#![allow(unreachable_pub, reason = "`pub` marks what a module offers to the others; nothing else can reach a program")]
#![allow(clippy::disallowed_methods, reason = "xtask waits for other programs, whose events it cannot see")]

mod arrows;
mod bench;
mod clients;
mod conformance;
mod contract;
mod demo;
mod exec;
mod faults;
mod fixture;
mod fuzz;
mod generate;
mod inspector;
mod judges;
mod originals;
mod repo;
mod report;
mod services;
mod setup;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// One command of `cargo xtask`.
struct Command {
    name: &'static str,
    /// One line for the list of commands.
    summary: &'static str,
    /// The page of `cargo xtask NAME --help`.
    help: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command { name: "demo", summary: "build the product and show the main job", help: demo::HELP, run: demo::run },
    Command { name: "test", summary: "everything that CI checks", help: test::HELP, run: test::run },
    Command { name: "setup", summary: "install what the tests need", help: setup::HELP, run: setup::run },
    Command {
        name: "services",
        summary: "start and stop throw-away PostgreSQL and MariaDB",
        help: services::HELP,
        run: services::run,
    },
    Command {
        name: "conformance",
        summary: "official MCP conformance suite, mcpcheck and Inspector",
        help: conformance::HELP,
        run: conformance::run,
    },
    Command {
        name: "clients",
        summary: "official client SDKs, old and new, on every transport",
        help: clients::HELP,
        run: clients::run,
    },
    Command {
        name: "judges",
        summary: "outside judges of authorization, server and client",
        help: judges::HELP,
        run: judges::run,
    },
    Command {
        name: "contract",
        summary: "the REST API against its own description",
        help: contract::HELP,
        run: contract::run,
    },
    Command {
        name: "originals",
        summary: "golden specs against the servers that they rebuild",
        help: originals::HELP,
        run: originals::run,
    },
    Command {
        name: "soak",
        summary: "harm to a running control plane, beside an outside ledger",
        help: faults::HELP,
        run: faults::run,
    },
    Command { name: "gen", summary: "write the generated contracts", help: generate::HELP, run: generate::run },
    Command { name: "arrows", summary: "check which crate may know which", help: arrows::HELP, run: arrows::run },
    Command { name: "tidy", summary: "check the house rules on every file", help: tidy::HELP, run: tidy::run },
    Command { name: "fuzz", summary: "look for inputs that break the parsers", help: fuzz::HELP, run: fuzz::run },
    Command { name: "bench", summary: "measure speed and memory", help: bench::HELP, run: bench::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let wants_help = |word: &String| matches!(word.as_str(), "help" | "--help" | "-h");
    let Some((name, rest)) = arguments.split_first() else {
        print_commands();
        bail!("say which command to run");
    };
    if wants_help(name) {
        match rest.first() {
            Some(topic) => print!("{}", find(topic)?.help),
            None => print_commands(),
        }
        return Ok(());
    }
    let command = find(name)?;
    if rest.iter().any(wants_help) {
        print!("{}", command.help);
        return Ok(());
    }
    (command.run)(rest)
}

fn find(name: &str) -> Result<&'static Command> {
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => Ok(command),
        None => bail!("there is no command `{name}`; `cargo xtask help` lists them"),
    }
}

fn print_commands() {
    println!("Usage: cargo xtask COMMAND [OPTIONS]\n\nCommands:");
    for command in COMMANDS {
        println!("  {:<12} {}", command.name, command.summary);
    }
    println!("\n`cargo xtask COMMAND --help` says more about one of them.");
}
