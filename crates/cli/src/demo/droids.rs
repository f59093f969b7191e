//! `mcp-factory demo droids`: a swarm of droids at a fake of Factory, watched while it works.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use fakes::{Factory, FactorySettings};
use operations::calling::Calling;
use operations::{Caller, Code, Context, Environment, Error, Home, Subject};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::commands::shim::listen;
use crate::commands::{BAD_NEWS, OK};
use crate::printer::Style;
use crate::session::Session;
use crate::table::short;

/// Droids of the swarm.
const DROIDS: usize = 20;
/// Longest demonstration.
const TIME: Duration = Duration::from_secs(120);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(400);
/// Time that each answer of the fake takes, milliseconds.
const LATENCY_MS: u64 = 40;

const WORK: [&str; 5] =
    ["Fix the flaky test in", "Write the docs of", "Upgrade the dependencies of", "Review", "Add logs to"];
const PLACES: [&str; 4] = ["checkout", "search", "billing", "the mobile app"];

/// Starts the fake, the server and the swarm, and watches it to its end.
pub(crate) async fn show(session: &Session) -> Result<u8, Error> {
    let (printer, style) = (&session.printer, session.printer.message_style());
    let (listener, address) = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let stop = CancellationToken::new();
    let factory = Factory::new(FactorySettings::default().latency(LATENCY_MS).work(4_000));
    let serving = tokio::spawn(fakes::serve(listener, factory, stop.clone()));
    let folder = std::env::temp_dir().join(format!("mcp-factory-droids-{}", std::process::id()));
    let environment = Environment::of_process().with([
        ("FACTORY_API_URL".to_owned(), format!("http://{address}/api/v0")),
        ("FACTORY_API_KEY".to_owned(), fakes::KEY.to_owned()),
    ]);
    let context = Context::new(Home::at(&folder), environment, Caller::Local, "demo");
    printer.note(&format!("a fake of Factory's API listens on http://{address}; nothing leaves this machine"));
    let server = Calling::open(&context, &Subject::server("factory_droid_swarm")).await?;
    let shown = Box::pin(swarm(&server, &context, style, printer.is_json())).await;
    stop.cancel();
    let _ = serving.await;
    let _ = std::fs::remove_dir_all(&folder);
    let report = shown?;
    printer.answer(&report, |style| text(&report, style));
    Ok(if report["satisfied"] == true { OK } else { BAD_NEWS })
}

async fn swarm(server: &Calling, context: &Context, style: Style, quiet: bool) -> Result<Value, Error> {
    let prompts: Vec<String> = (0..DROIDS).map(prompt).collect();
    let began = Instant::now();
    let progress = |done: f64, total: Option<f64>, _: &str| {
        if !quiet {
            eprint!("\rstarting droids, ten at a time: {done} of {}   ", total.unwrap_or_default());
        }
    };
    let spawned = called(server, context, "spawn_swarm", &json!({ "prompts": prompts }), Some(&progress)).await?;
    if !quiet {
        eprintln!("in {:.1} s", began.elapsed().as_secs_f64());
    }
    let ids: Vec<&str> =
        spawned["droids"].as_array().into_iter().flatten().filter_map(|one| one["sessionId"].as_str()).collect();
    let mut screen = Screen::new(style, quiet);
    let until = Instant::now() + TIME;
    loop {
        let listed = called(server, context, "list_droids", &json!({ "limit": 100 }), None).await?;
        let droids: BTreeMap<&str, &Value> = listed["droids"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| Some((one["sessionId"].as_str()?, one)))
            .collect();
        let rows: Vec<(&str, &Value)> = ids.iter().filter_map(|id| Some((*id, *droids.get(id)?))).collect();
        screen.draw(&rows);
        let is_over = rows.iter().all(|(_, one)| one["status"] == "idle" && one["messageCount"].as_u64() > Some(1));
        if is_over || Instant::now() > until {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    let arguments = json!({ "sessionIds": ids, "mode": "all", "pollIntervalSeconds": 1, "timeoutSeconds": 30 });
    let mut report = called(server, context, "wait_for_droids", &arguments, None).await?;
    report["started"] = spawned["started"].clone();
    report["seconds"] = json!((began.elapsed().as_secs_f64() * 10.0).round() / 10.0);
    Ok(report)
}

fn prompt(number: usize) -> String {
    // Some work longer than others; the fake reads it in the prompt.
    let time = 2_500 + (number * 7_919) % 6_000;
    let steps = 1 + number % 4;
    format!("{} {} [fake:work={time}] [fake:steps={steps}]", WORK[number % WORK.len()], PLACES[number % PLACES.len()])
}

async fn called(
    server: &Calling,
    context: &Context,
    tool: &str,
    arguments: &Value,
    progress: Option<operations::calling::Progress<'_>>,
) -> Result<Value, Error> {
    let said = server.call(context, tool, arguments, TIME, progress).await?;
    match said.structured {
        Some(value) if !said.is_error => Ok(value),
        _ => Err(Error::new(Code::ToolFailed, format!("`{tool}` answered with an error: {}", said.text))),
    }
}

/// Where the swarm is drawn: in place on a terminal, otherwise a line whenever something has changed.
struct Screen {
    style: Style,
    quiet: bool,
    in_place: bool,
    drawn: usize,
    last: String,
}

impl Screen {
    fn new(style: Style, quiet: bool) -> Self {
        Self { style, quiet, in_place: std::io::stderr().is_terminal(), drawn: 0, last: String::new() }
    }

    fn draw(&mut self, rows: &[(&str, &Value)]) {
        let count = |status: &str| rows.iter().filter(|(_, one)| one["status"] == status).count();
        let line = format!("{} pending, {} running, {} idle", count("pending"), count("running"), count("idle"));
        if self.quiet || (!self.in_place && line == self.last) {
            return;
        }
        let mut out = String::new();
        if self.in_place {
            if self.drawn > 0 {
                out.push_str(&format!("\x1b[{}A", self.drawn));
            }
            for (id, one) in rows {
                out.push_str(&format!("\x1b[2K{}\n", self.row(id, one)));
            }
            self.drawn = rows.len() + 1;
            out.push_str("\x1b[2K");
        }
        out.push_str(&line);
        out.push('\n');
        self.last = line;
        let mut stderr = std::io::stderr().lock();
        let _ = stderr.write_all(out.as_bytes()).and_then(|()| stderr.flush());
    }

    fn row(&self, id: &str, one: &Value) -> String {
        let messages = one["messageCount"].as_u64().unwrap_or_default();
        let status = one["status"].as_str().unwrap_or_default();
        let word = match status {
            "running" => self.style.green("running"),
            "pending" => self.style.yellow("pending"),
            _ if messages > 1 => self.style.bold("ended  "),
            _ => self.style.dim("waiting"),
        };
        let bar = "#".repeat(usize::try_from(messages.min(10)).unwrap_or(10));
        let title = one["title"].as_str().unwrap_or_default().split(" [").next().unwrap_or_default();
        format!("  {} {word} {bar:<10} {}", short(id, 8), short(title, 50))
    }
}

fn text(report: &Value, style: Style) -> String {
    let ended = report["ended"].as_array().map(Vec::as_slice).unwrap_or_default();
    let good = ended.iter().filter(|one| one["end"] == "finished").count();
    let usage = report["tokenUsage"].as_object().into_iter().flatten();
    let usage: Vec<String> = usage.map(|(name, value)| format!("{name} {value}")).collect();
    format!(
        "{} {good} of {} droids finished in {} s; tokens: {}",
        style.green(if good == DROIDS { "all well:" } else { "not all well:" }),
        report["started"],
        report["seconds"],
        usage.join(", ")
    )
}
