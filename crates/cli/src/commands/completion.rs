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
  mcp-factory completion powershell >> $PROFILE
  mcp-factory completion elvish >> ~/.config/elvish/rc.elv
";

/// Print a completion script for a shell
///
/// Commands and options are in the script; names of servers, tools, versions, keys, jobs, policies, accounts and templates
/// are asked of the catalogue when they are wanted.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Asks for names first, and falls back to the rest. What may be a file is completed as one too.
const BASH: &str = r#"
_mcp_factory_names() {
    local current="${COMP_WORDS[COMP_CWORD]}" names
    names="$(mcp-factory __complete --current="$current" -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)"
    if [[ -n $names ]]; then
        local IFS=$'\n'
        COMPREPLY=($names)
        case "${COMP_WORDS[1]}" in
            run|test|plan|deploy|connect) [[ $COMP_CWORD -eq 2 ]] && COMPREPLY+=($(compgen -f -- "$current")) ;;
        esac
        return
    fi
    _mcp__factory "$@"
}
complete -F _mcp_factory_names -o nosort -o bashdefault -o default mcp-factory
"#;

const FISH: &str = r#"
function __mcp_factory_names
    mcp-factory __complete --current=(commandline -ct) -- (commandline -opc)[2..-1] 2>/dev/null
end
complete -c mcp-factory -a "(__mcp_factory_names)"
"#;
/// The end of the line of an option with a value that the generated script knows nothing of, and who is asked for it.
const FISH_OPEN: &str = "' -r";
const FISH_ASK: &str = "' -r -a \"(__mcp_factory_names)\"";

/// The function that the generated script defines, which then serves for what is no name.
const ZSH_FUNCTION: &str = "\n_mcp-factory() {\n";
const ZSH: &str = r#"
_mcp-factory() {
    local -a names
    names=(${(f)"$(mcp-factory __complete --current="$words[CURRENT]" -- "${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
    if (( $#names )); then
        compadd -a names
        case "$words[2]" in
            run|test|plan|deploy|connect) (( CURRENT == 3 )) && _files ;;
        esac
        return
    fi
    _mcp-factory_words "$@"
}

"#;

const POWERSHELL_HEAD: &str = "param($wordToComplete, $commandAst, $cursorPosition)\n";
const POWERSHELL: &str = r#"
    $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    if ($wordToComplete -ne '' -and $typed.Count -gt 0) { $typed = @($typed | Select-Object -SkipLast 1) }
    $names = @(& mcp-factory __complete "--current=$wordToComplete" -- @typed 2>$null)
    if ($names.Count -gt 0) {
        $names | ForEach-Object { [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_) }
        return
    }
"#;

const ELVISH: &str = r#"
var mcp-factory-words~ = $edit:completion:arg-completer[mcp-factory]
set edit:completion:arg-completer[mcp-factory] = {|@words|
    var names = []
    try {
        set names = [(mcp-factory __complete --current=$words[-1] -- (all $words[1..-1]) 2>/dev/null)]
    } catch error { }
    if (> (count $names) 0) {
        all $names
    } else {
        mcp-factory-words $@words
    }
}
"#;

/// The script of a shell, which asks for names.
fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcp-factory", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        // The labels of subcommands are made with another separator than the one that they are looked for with.
        Shell::Bash => script.replace("mcp__subcmd__factory", "mcp__factory") + BASH,
        Shell::Fish => {
            let asks = |line: &str| line.strip_suffix(FISH_OPEN).map(|line| format!("{line}{FISH_ASK}\n"));
            script
                .lines()
                .map(|line| asks(line).unwrap_or_else(|| format!("{line}\n")))
                .chain([FISH.to_owned()])
                .collect()
        }
        Shell::Elvish => script + ELVISH,
        Shell::Zsh => {
            let words = script.replacen(ZSH_FUNCTION, "\n_mcp-factory_words() {\n", 1);
            match words.rfind("\nif [ \"$funcstack[1]\"") {
                Some(end) => format!("{}{ZSH}{}", &words[..end], &words[end..]),
                None => words + ZSH,
            }
        }
        Shell::PowerShell => script.replacen(POWERSHELL_HEAD, &format!("{POWERSHELL_HEAD}{POWERSHELL}"), 1),
        _ => script,
    }
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let script = script(arguments.shell);
    let answer = json!({ "shell": arguments.shell.to_string(), "script": script });
    session.printer.answer(&answer, |_| script.clone());
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::script;

    #[test]
    fn every_shell_asks_for_names_before_words() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            let asks = |line: &&str| line.contains("mcp-factory __complete") && line.contains("2>");
            assert_eq!(script.lines().filter(asks).count(), 1, "{shell}");
        }
        let bash = script(Shell::Bash);
        assert!(bash.contains("\n_mcp__factory() {") || bash.starts_with("_mcp__factory() {"), "what it falls back to");
        assert!(bash.contains("mcp__factory__subcmd__keys)") && !bash.contains("mcp__subcmd__factory"), "subcommands");
        // A function is called without the sign that its variable ends with.
        let elvish = script(Shell::Elvish);
        assert!(
            elvish.contains("\n        mcp-factory-words $@words\n") && elvish.contains("var mcp-factory-words~ = ")
        );
        let fish = script(Shell::Fish);
        let spec_version = |line: &&str| line.contains("-l spec-version ");
        assert!(fish.lines().filter(spec_version).all(|line| line.contains("(__mcp_factory_names)")), "values");
        let zsh = script(Shell::Zsh);
        let places =
            ["\n_mcp-factory_words() {", "\n_mcp-factory() {", "\nif [ \"$funcstack[1]\""].map(|part| zsh.find(part));
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    }
}
