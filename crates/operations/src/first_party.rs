//! Servers that come with the program: specs, found by name, in the catalogue or not.

use crate::SpecText;
use crate::source::Format;

/// A server that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct FirstParty {
    /// Its name, as its spec has it.
    pub name: &'static str,
    /// Where its spec is, for messages.
    pub file: &'static str,
    /// Its spec.
    pub text: &'static str,
    /// Tools that ask its upstreams whether its settings are good, and change nothing.
    pub probes: &'static [Probe],
}

/// One call of a tool that asks.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// The tool.
    pub tool: &'static str,
    /// Its arguments, JSON.
    pub arguments: &'static str,
    /// The variable without which it has nothing to ask.
    pub needs: Option<&'static str>,
}

/// All of them.
pub const ALL: &[FirstParty] = &[FirstParty {
    name: "factory-droid-swarm",
    file: "servers/factory_droid_swarm/mcp.yaml",
    text: include_str!("../../../servers/factory_droid_swarm/mcp.yaml"),
    probes: &[
        Probe { tool: "list_computers", arguments: "{}", needs: None },
        // Asks the sessions API, which is not everybody's, and looks at the bounds that the operator set.
        Probe { tool: "spawn_swarm", arguments: r#"{"prompts": ["none"], "dryRun": true}"#, needs: None },
        Probe { tool: "factory_healthz", arguments: "{}", needs: Some("FACTORY_SHIM_URL") },
        Probe { tool: "check_shim", arguments: "{}", needs: Some("FACTORY_SHIM_URL") },
    ],
}];

/// The server of this name; `factory_droid_swarm` is `factory-droid-swarm`.
pub fn find(name: &str) -> Option<&'static FirstParty> {
    let same = |known: &str| known.len() == name.len() && known.chars().eq(name.chars().map(plain));
    ALL.iter().find(|one| same(one.name))
}

fn plain(character: char) -> char {
    if character == '_' { '-' } else { character }
}

impl FirstParty {
    /// Its spec.
    pub fn spec(&self) -> SpecText {
        SpecText { name: self.file.to_owned(), text: self.text.to_owned(), format: Some(Format::Yaml) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, find};

    #[test]
    fn every_spec_is_good_and_named_as_it_says() {
        for one in ALL {
            let parsed = one.spec().parse(true).unwrap_or_else(|error| panic!("{}: {error:?}", one.file));
            assert_eq!(parsed.spec.name, one.name);
            for probe in one.probes {
                assert!(parsed.spec.tools.iter().any(|tool| tool.name == probe.tool), "{}", probe.tool);
            }
        }
    }

    #[test]
    fn names_may_be_written_with_underscores() {
        assert_eq!(find("factory_droid_swarm").map(|one| one.name), Some("factory-droid-swarm"));
        assert!(find("factory-droid-swarm").is_some() && find("factory_droid").is_none());
    }
}
