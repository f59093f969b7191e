//! One run of the agent: its lines become events while it works.

use std::process::ExitStatus;
use std::time::Instant;

use connect::process::Started;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::ChildStderr;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::agent::Input;
use crate::dialogue::Dialogue;
use crate::http::Events;
use crate::limits::{CLOSING_TIME, DRAIN_TIME, ERROR_BYTES, KEEP_ALIVE, LINE_BYTES_MAX, SAYINGS_WAITING_MAX};
use crate::output::{Facts, Said};

/// Bounds of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) until: Instant,
    pub(crate) output_bytes: usize,
}

/// Why a run ended.
enum End {
    /// The program ended.
    Exit(std::io::Result<ExitStatus>),
    /// The caller has gone.
    Gone,
    /// It took too long.
    Time,
    /// It said too much.
    Output,
    /// The conversation is over, and it did not end.
    Said,
}

/// A conversation, and the way to the program until it is over.
struct Talk {
    dialogue: Dialogue,
    say: Option<mpsc::Sender<String>>,
}

impl Talk {
    /// Answers a line; gives what it means for the caller.
    fn heard(&mut self, line: &str) -> Option<String> {
        let turn = self.dialogue.heard(line);
        for text in turn.say {
            let sent = self.say.as_ref().is_none_or(|say| say.try_send(text).is_ok());
            if !sent {
                self.say = None;
                return Some("the agent asks and does not read the answers\n".to_owned());
            }
        }
        if self.dialogue.is_over() {
            self.say = None;
        }
        turn.failed
    }
}

/// Streams a started program to its end, then tells how it ended.
pub(crate) async fn stream(mut started: Started, input: Input, events: Events, bounds: Bounds) {
    let began = Instant::now();
    let (stdin, stdout, stderr) = started.pipes();
    let errors = tokio::spawn(tail(stderr));
    let (say, mut said) = mpsc::channel::<String>(SAYINGS_WAITING_MAX);
    let feeding = tokio::spawn(async move {
        let Some(mut stdin) = stdin else { return };
        while let Some(text) = said.recv().await {
            // A program that does not read its input is no failure.
            if stdin.write_all(text.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
                return;
            }
        }
    });
    // When nobody can say anything more, the program's input ends.
    let mut talk = match input {
        Input::Nothing => {
            drop(say);
            None
        }
        Input::Prompt(text) => {
            let _ = say.try_send(text);
            drop(say);
            None
        }
        Input::Dialogue(dialogue) => {
            let _ = say.try_send(dialogue.opening());
            Some(Talk { dialogue, say: Some(say) })
        }
    };
    let mut facts = Facts::default();
    let end = {
        let lines = lines(stdout, &mut facts, talk.as_mut(), &events, bounds.output_bytes);
        tokio::pin!(lines);
        tokio::select! {
            biased;
            () = events.closed() => End::Gone,
            () = tokio::time::sleep_until(bounds.until.into()) => End::Time,
            end = &mut lines => end,
            // What it left behind may hold its output open for ever.
            () = started.gone() => {
                let rest = tokio::time::timeout(DRAIN_TIME, &mut lines).await;
                rest.unwrap_or_else(|_| End::Exit(Ok(ExitStatus::default())))
            }
        }
    };
    feeding.abort();
    let is_cut_short = talk.is_some_and(|talk| !talk.dialogue.is_over()) && matches!(end, End::Exit(_));
    let end = match end {
        // What it was asked for is done; that it did not end by itself changes nothing.
        End::Said => {
            started.stop().await;
            End::Exit(Ok(ExitStatus::default()))
        }
        End::Exit(_) => End::Exit(tokio::select! {
            status = started.ended() => status,
            () = tokio::time::sleep_until(bounds.until.into()) => {
                started.stop().await;
                Err(std::io::Error::other("it closed its output and did not end"))
            }
        }),
        other => {
            started.stop().await;
            other
        }
    };
    let end = match end {
        End::Exit(Ok(status)) if status.success() && is_cut_short => {
            let why = "the agent ended before its turn was over\n".to_owned();
            facts.failed(why.clone());
            events.send("chunk", &json!({ "data": why }).to_string()).await;
            End::Exit(Err(std::io::Error::other("it ended before its turn was over")))
        }
        other => other,
    };
    let errors = last_words(errors, &mut started).await;
    let done = told(&facts, &end, &errors, began);
    events.send("done", &done.to_string()).await;
}

/// What the program wrote to its standard error. One that it left behind may hold that open for ever, and is ended then.
async fn last_words(mut errors: JoinHandle<String>, started: &mut Started) -> String {
    if let Ok(said) = tokio::time::timeout(DRAIN_TIME, &mut errors).await {
        return said.unwrap_or_default();
    }
    started.stop().await;
    match tokio::time::timeout(DRAIN_TIME, &mut errors).await {
        Ok(said) => said.unwrap_or_default(),
        Err(_) => {
            errors.abort();
            String::new()
        }
    }
}

/// Hands on what the program writes, until it writes no more.
async fn lines(
    stdout: Option<impl AsyncRead + Unpin>,
    facts: &mut Facts,
    mut talk: Option<&mut Talk>,
    events: &Events,
    most: usize,
) -> End {
    let Some(stdout) = stdout else { return End::Exit(Err(std::io::Error::other("it has no output"))) };
    let mut reader = BufReader::new(stdout);
    let mut total = 0;
    let mut line = Vec::new();
    let mut closing: Option<Instant> = None;
    loop {
        if closing.is_none() && talk.as_ref().is_some_and(|talk| talk.dialogue.is_over()) {
            closing = Some(Instant::now() + CLOSING_TIME);
        }
        let read = {
            let next = next(&mut reader, &mut line);
            tokio::pin!(next);
            loop {
                tokio::select! {
                    read = &mut next => break read,
                    () = until(closing) => return End::Said,
                    () = tokio::time::sleep(KEEP_ALIVE) => {
                        if !events.raw(": working\n\n").await {
                            return End::Gone;
                        }
                    }
                }
            }
        };
        match read {
            Ok(0) if line.is_empty() => return End::Exit(Ok(ExitStatus::default())),
            Ok(_) => {}
            Err(error) => return End::Exit(Err(error)),
        }
        total += line.len();
        if total > most {
            return End::Output;
        }
        let is_whole = line.last() == Some(&b'\n');
        let text = String::from_utf8_lossy(&line).into_owned();
        let failed = talk.as_mut().and_then(|talk| talk.heard(&text));
        let said = match failed {
            Some(why) => facts.failed(why),
            None if is_whole => facts.line(text.trim_end_matches(['\n', '\r'])),
            None => rest(facts, text),
        };
        line.clear();
        if let Said::Text(text) = said
            && !text.is_empty()
            && !events.send("chunk", &json!({ "data": text }).to_string()).await
        {
            return End::Gone;
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// A line without a line break: the last one, or a piece of a long one.
fn rest(facts: &mut Facts, text: String) -> Said {
    match facts.line(&text) {
        Said::Text(known) if known == format!("{text}\n") => Said::Text(text),
        said => said,
    }
}

async fn next<R: AsyncRead + Unpin>(reader: &mut BufReader<R>, line: &mut Vec<u8>) -> std::io::Result<usize> {
    let room = u64::try_from(LINE_BYTES_MAX.saturating_sub(line.len())).unwrap_or(0);
    reader.take(room).read_until(b'\n', line).await
}

/// The last bytes of what a program writes to its standard error.
async fn tail(stderr: Option<ChildStderr>) -> String {
    let Some(mut stderr) = stderr else { return String::new() };
    let mut kept = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut piece).await {
        kept.extend_from_slice(&piece[..count]);
        let over = kept.len().saturating_sub(ERROR_BYTES);
        kept.drain(..over);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

fn told(facts: &Facts, end: &End, errors: &str, began: Instant) -> Value {
    let mut done = facts.told();
    let (why, code) = match end {
        End::Exit(Ok(status)) if status.success() => ("finished", status.code()),
        End::Exit(Ok(status)) => ("failed", status.code()),
        End::Exit(Err(_)) => ("failed", None),
        // It is an exit by then.
        End::Said => ("finished", None),
        End::Gone => ("cancelled", None),
        End::Time => ("timeout", None),
        End::Output => ("output_limit", None),
    };
    done["end"] = why.into();
    done["exit_code"] = code.into();
    done["duration_ms"] = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).into();
    if why != "finished" {
        done["is_error"] = true.into();
        if !errors.is_empty() {
            done["stderr"] = errors.into();
        }
    }
    done
}
