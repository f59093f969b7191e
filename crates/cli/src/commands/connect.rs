//! `mcp-factory connect`, `mcp-connect`.

mod authorize;
mod bridge;
mod person;
mod remote;

use clap::Args;
use operations::{Code, Error};

use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory connect inventory-mcp                         what an MCP client starts
  mcp-factory connect inventory-mcp --url https://factory.example.com
  mcp-factory connect                                       the control plane's own tools
  mcp-factory connect https://mcp.example.com/mcp           any other server
  mcp-factory connect https://mcp.example.com/mcp --login   sign in ahead
  mcp-factory connect calendar-mcp calendar --as ann        authorise instead, see below
";

/// Join a client on standard streams to a deployed server; or let a user authorise a server at an API
///
/// `connect NAME` is what an MCP client starts (`mcp-factory clients add` writes it into the client's configuration): it speaks
/// MCP on standard input and output, and passes every message on to the server where it is deployed, at the control plane that
/// `--url` names or that holds the home folder. A control plane that went away is looked for again. Where none runs, or the
/// server is not deployed, it is served by this process, as with `run`.
///
/// `connect URL` joins the client to any MCP server. Where that asks for a token, somebody signs in (OAuth 2.1): a browser is
/// opened, and the page is printed too. The tokens are kept in the home folder, readable by this account alone, renewed, and shown
/// to this server only. A server whose metadata do not fit is refused (MF1100).
///
/// `connect NAME CONNECTION --as SUBJECT` is something else: a user authorises the server at an API (OAuth 2.0 with a code and
/// PKCE), for connections with `credentials: {type: oauth2_user}`. The page to open is printed, and the browser comes back to a
/// port on this machine. The tokens are kept in the home folder, readable by this account alone, and used for the calls of this
/// user only.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server, or the URL of any [default: the control plane itself]; to authorise, also a file of a spec
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Which group of its tools
    #[arg(long, value_name = "NAME", requires = "name", conflicts_with = "user")]
    group: Option<String>,
    /// Which version of the server [default: the one that is switched to]
    #[arg(long, value_name = "VERSION", requires = "name", conflicts_with_all = ["user", "group"])]
    spec_version: Option<String>,
    /// Header that carries the key of --key-env [default: Authorization, as a bearer token]
    #[arg(long, value_name = "HEADER", conflicts_with = "user")]
    key_header: Option<String>,
    /// To authorise: the connection
    #[arg(value_name = "CONNECTION", requires = "user")]
    connection: Option<String>,
    /// To authorise: who does, as the server knows its callers: the `subject` of a key
    #[arg(long = "as", value_name = "SUBJECT", requires = "connection")]
    user: Option<String>,
    /// To authorise or sign in: port that the browser comes back to; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// To authorise or sign in: how long to wait for the user, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
    #[command(flatten)]
    sign_in: remote::SignIn,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Result<u8, Error> {
    let Arguments { name, group, spec_version, key_header, connection, user, port, timeout, sign_in } = arguments;
    if let Some(url) = name.as_deref().filter(|name| is_address(name)) {
        if group.is_some() || spec_version.is_some() || connection.is_some() {
            let why = "the address of a server goes without a group, a version and a connection";
            return Err(Error::new(Code::Usage, why).hint("name the whole address of what is to be reached"));
        }
        session.local_only("connect URL")?;
        return remote::run(remote::Asked { url: url.to_owned(), key_header, port, timeout }, &sign_in, session);
    }
    if sign_in.is_given() {
        let why = "signing in is for servers at an address, and no URL is given";
        return Err(Error::new(Code::Usage, why).hint("write `mcp-factory connect https://HOST/mcp --login`"));
    }
    let Some((connection, user)) = connection.zip(user) else {
        return bridge::run(bridge::Asked { name, group, version: spec_version, key_header }, session);
    };
    session.local_only("connect NAME CONNECTION")?;
    let subject = name.ok_or_else(|| Error::new(Code::Usage, "the server that is to be authorised is not named"))?;
    let asked = authorize::Asked { subject, connection, user, port, timeout };
    super::block_on(session, |context| authorize::run(asked, session, context))
}

/// Whether a name is the address of a server.
fn is_address(name: &str) -> bool {
    name.starts_with("http://") || name.starts_with("https://")
}
