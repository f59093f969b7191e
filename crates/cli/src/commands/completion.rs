//! `mcp-factory completion`.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use operations::Error;
use serde_json::json;

use super::OK;
use crate::arguments::{COMMAND_HELP, Cli};
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory completion bash > ~/.local/share/bash-completion/completions/mcp-factory
  mcp-factory completion zsh > \"${fpath[1]}/_mcp-factory\"
  mcp-factory completion fish > ~/.config/fish/completions/mcp-factory.fish
";

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Completes names of servers after the commands that take one, and falls back to the rest.
const BASH_NAMES: &str = r#"
_mcp_factory_with_names() {
    local current="${COMP_WORDS[COMP_CWORD]}"
    if [[ $COMP_CWORD -eq 2 && $current != -* ]]; then
        case "${COMP_WORDS[1]}" in
            status|remove|rm|test|run|plan|deploy|start|stop|logs|connect)
                COMPREPLY=($(compgen -W "$(mcp-factory __names 2>/dev/null)" -- "$current") $(compgen -f -- "$current"))
                return ;;
        esac
    fi
    _mcp-factory "$@"
}
complete -F _mcp_factory_with_names -o nosort -o bashdefault -o default mcp-factory
"#;

const FISH_NAMES: &str = r#"
complete -c mcp-factory -n "__fish_seen_subcommand_from status remove rm test run plan deploy start stop logs connect" -a "(mcp-factory __names 2>/dev/null)"
"#;

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "mcp-factory", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    match arguments.shell {
        Shell::Bash => script.push_str(BASH_NAMES),
        Shell::Fish => script.push_str(FISH_NAMES),
        _ => {}
    }
    let answer = json!({ "shell": arguments.shell.to_string(), "script": script });
    session.printer.answer(&answer, |_| script.clone());
    Ok(OK)
}
