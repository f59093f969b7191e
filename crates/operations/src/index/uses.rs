//! What a server uses: connections, and behind some of them other servers.

use spec::model::{Connection, Spec, Tool};

use crate::first_party;

/// A connection of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// Name of the connection in the spec.
    pub(crate) connection: String,
    /// Kind of the connection.
    pub(crate) kind: &'static str,
    /// The variable that says where it is.
    pub(crate) variable: Option<String>,
    /// Where it is, without credentials and query.
    pub(crate) place: Option<String>,
    /// The server of a control plane that it is, by its name.
    pub(crate) server: Option<String>,
    /// The tools that use it, with the groups that they are in.
    pub(crate) tools: Vec<(String, Vec<String>)>,
}

/// The connections of a spec.
pub(super) fn of(spec: &Spec) -> Vec<Use> {
    spec.connections.iter().map(|connection| one(spec, connection)).collect()
}

fn one(spec: &Spec, connection: &Connection) -> Use {
    let name = connection.name();
    let tools = spec.tools.iter().filter(|tool| tool.connections().any(|used| used == name));
    let tools = tools.map(|tool| (tool.name.clone(), groups(spec, tool)));
    let place = connection.url().map(plain);
    let mut server = connection.url().and_then(server_of);
    if let Connection::Mcp(mcp) = connection
        && let Some(program) = &mcp.command
    {
        server = run_by(&program.program, &program.args).or(server);
    }
    let program = match connection {
        Connection::Mcp(mcp) => mcp.command.as_ref().map(|program| program.program.clone()),
        _ => None,
    };
    Use {
        connection: name.to_owned(),
        kind: connection.kind().as_str(),
        variable: connection.env_var().map(str::to_owned),
        place: place.or(program),
        server,
        tools: tools.collect(),
    }
}

/// The groups that a tool is in.
pub(super) fn groups(spec: &Spec, tool: &Tool) -> Vec<String> {
    let mut groups = tool.groups.clone();
    groups.extend(spec.groups.iter().filter(|group| group.tools.contains(&tool.name)).map(|group| group.name.clone()));
    groups.sort();
    groups.dedup();
    groups
}

/// The server that an address of a control plane names: `https://host/servers/NAME/mcp`.
pub(crate) fn server_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let path = rest.split(['?', '#']).next()?;
    let after = path.split_once("/servers/")?.1;
    let (name, rest) = after.split_once('/')?;
    // A version that is asked for by its address stands behind the name.
    let name = name.split('@').next()?;
    (!name.is_empty() && !rest.is_empty()).then(|| name.to_owned())
}

/// The server that a command of this program runs: `mcp-factory run NAME`, `mcp-run NAME`.
fn run_by(program: &str, args: &[String]) -> Option<String> {
    let base = program.rsplit('/').next()?;
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let name = match (base, words.as_slice()) {
        ("mcp-factory", ["run" | "deploy" | "connect", name, ..]) | ("mcp-run", [name, ..]) => *name,
        _ => return None,
    };
    if name.contains(['/', '.']) || name.starts_with('-') {
        return None;
    }
    Some(first_party::find(name).map_or(name, |own| own.name).to_owned())
}

/// An address without what may be a secret: user, password, query, fragment.
pub(crate) fn plain(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_owned() };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{plain, run_by, server_of};

    #[test]
    fn addresses_of_a_control_plane_name_a_server() {
        let cases = [
            ("http://127.0.0.1:8800/servers/shop-mcp/mcp", Some("shop-mcp")),
            ("https://x.example.com/base/servers/shop-mcp/groups/admin/mcp?x=1", Some("shop-mcp")),
            ("https://x.example.com/servers/shop-mcp@1.0.0/mcp", Some("shop-mcp")),
            ("https://x.example.com/servers/shop-mcp", None),
            ("https://x.example.com/mcp?next=/servers/shop-mcp/mcp", None),
            ("postgresql://h/servers/x/y", None),
        ];
        for (url, wanted) in cases {
            assert_eq!(server_of(url).as_deref(), wanted, "{url}");
        }
    }

    #[test]
    fn commands_of_this_program_name_a_server() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(run_by("/opt/mcp-factory", &words("run shop-mcp --quiet")).as_deref(), Some("shop-mcp"));
        assert_eq!(run_by("mcp-run", &words("factory_droid_swarm")).as_deref(), Some("factory-droid-swarm"));
        assert_eq!(run_by("mcp-factory", &words("run ./shop.yaml")), None);
        assert_eq!(run_by("node", &words("run shop-mcp")), None);
    }

    #[test]
    fn places_have_no_secrets() {
        assert_eq!(plain("postgresql://u:p@db:5432/shop?sslmode=on"), "postgresql://db:5432/shop");
        assert_eq!(plain("https://mcp.example.com/mcp#x"), "https://mcp.example.com/mcp");
        assert_eq!(plain("sqlite:data.db"), "sqlite:data.db");
    }
}
