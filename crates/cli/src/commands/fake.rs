//! `mcp-factory fake`.

use std::net::{IpAddr, SocketAddr};

use clap::{Args, ValueEnum};
use fakes::{Factory, FactorySettings, ShimSettings};
use operations::Error;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::shim::listen;
use super::{OK, Threads, runtime};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory fake factory-api --port 8820
  mcp-factory fake factory-api --latency 200 --work 5000
  mcp-factory fake shim --port 8821
  mcp-factory fake shim --port 8821 --latency 500
";

/// Serve a fake of an API, for trying servers without an account
///
/// factory-api is the sessions API of Factory with its documented shapes, limits and cursors; it accepts the key `fk-fake`.
/// shim is a shim that checks signatures and streams chunks in every recorded form; its secret is `fake-secret`. POST /_fake
/// orders failures and delays, GET /_fake tells what was asked.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Which API
    #[arg(value_enum, value_name = "API")]
    which: Which,
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Time that each answer takes, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Time that a droid works on a prompt, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    work: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// The sessions API of Factory
    FactoryApi,
    /// A shim
    Shim,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    runtime(Threads::PerProcessor)?.block_on(serve(arguments, session))
}

async fn serve(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let (listener, address) = listen(SocketAddr::new(arguments.host, arguments.port)).await?;
    let url = format!("http://{address}");
    let stop = CancellationToken::new();
    let (variables, serving) = match arguments.which {
        Which::FactoryApi => {
            let settings = FactorySettings::default().latency(arguments.latency).work(arguments.work);
            let factory = Factory::new(settings);
            let variables = json!({ "FACTORY_API_URL": format!("{url}/api/v0"), "FACTORY_API_KEY": fakes::KEY });
            (variables, tokio::spawn(fakes::serve(listener, factory, stop.clone())))
        }
        Which::Shim => {
            let shim = fakes::Shim::new(ShimSettings::default());
            let variables = json!({ "FACTORY_SHIM_URL": url, "FACTORY_SHIM_SECRET": fakes::SECRET });
            (variables, tokio::spawn(fakes::serve(listener, shim, stop.clone())))
        }
    };
    session.printer.answer(&json!({ "url": url, "environment": variables }), |_| {
        let lines = variables.as_object().into_iter().flatten();
        let lines: Vec<String> =
            lines.map(|(name, value)| format!("export {name}={}", value.as_str().unwrap_or_default())).collect();
        format!("{}\n# Ctrl-C ends it", lines.join("\n"))
    });
    super::until_asked().await;
    stop.cancel();
    let _ = serving.await;
    Ok(OK)
}
