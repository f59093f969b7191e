//! The person at this machine, who agrees in a browser.

use std::process::{Command, Stdio};
use std::time::Duration;

use base::Secret;
use client::oauth::{Answer, Boxed, Browser, Listening};
use server::Callback;

use crate::printer::Printer;

/// The variable that names the browser: a program, with `%s` where the page goes.
const VARIABLE: &str = "BROWSER";

/// The person at this machine.
pub(super) struct Person {
    pub(super) printer: Printer,
    /// Port that the browser comes back to; 0 takes a free one.
    pub(super) port: u16,
    /// How long they are waited for.
    pub(super) timeout: Duration,
    /// Whether a browser is opened; else the page is only printed.
    pub(super) opens: bool,
}

impl Browser for Person {
    fn listen(&self, earlier: Option<String>) -> Boxed<'_, Result<Box<dyn Listening>, String>> {
        Box::pin(async move {
            let before = earlier.as_deref().and_then(port_of).filter(|_| self.port == 0);
            let again = match before {
                Some(port) => Callback::bind(port).await.ok(),
                None => None,
            };
            let callback = match again {
                Some(callback) => callback,
                None => Callback::bind(self.port)
                    .await
                    .map_err(|error| format!("port {} of this machine cannot be listened on: {error}", self.port))?,
            };
            let waiting = Waiting { callback, printer: self.printer, timeout: self.timeout, opens: self.opens };
            Ok(Box::new(waiting) as Box<dyn Listening>)
        })
    }
}

/// The port of an address that a browser came back to before.
fn port_of(redirect: &str) -> Option<u16> {
    redirect.strip_prefix("http://127.0.0.1:")?.split('/').next()?.parse().ok()
}

struct Waiting {
    callback: Callback,
    printer: Printer,
    timeout: Duration,
    opens: bool,
}

impl Listening for Waiting {
    fn redirect(&self) -> String {
        self.callback.url()
    }

    fn answer<'a>(self: Box<Self>, page: &'a str, state: &'a str) -> Boxed<'a, Result<Answer, String>> {
        Box::pin(async move {
            self.printer.always(&format!("the server asks for a sign-in; open this page and agree:\n  {page}"));
            if self.opens {
                open(page);
            }
            let seconds = self.timeout.as_secs();
            let late = || format!("no answer came within {seconds} seconds; `--timeout` waits longer");
            let granted = tokio::time::timeout(self.timeout, self.callback.wait(state)).await.map_err(|_| late())??;
            Ok(Answer { code: Secret::new(granted.code), issuer: granted.issuer })
        })
    }
}

/// Opens a page in the browser, if there is one: the page was printed too.
fn open(page: &str) {
    let Some(mut command) = browser(page) else { return };
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        // Somebody has to take note of its end.
        std::thread::spawn(move || child.wait());
    }
}

fn browser(page: &str) -> Option<Command> {
    if let Some(named) = std::env::var(VARIABLE).ok().filter(|named| !named.trim().is_empty()) {
        let first = named.split(':').next().unwrap_or_default();
        let mut words = first.split_whitespace();
        let mut command = Command::new(words.next()?);
        let words: Vec<&str> = words.collect();
        command.args(words.iter().map(|word| word.replace("%s", page)));
        if !words.iter().any(|word| word.contains("%s")) {
            command.arg(page);
        }
        return Some(command);
    }
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        // Without a display there is nothing that could show a page.
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().find(|name| std::env::var_os(name).is_some())?;
        Command::new("xdg-open")
    };
    command.arg(page);
    Some(command)
}
