//! Walks through keys, or through the members of one: pages of about as many as asked for.

use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Batch, Command, Redis, error::failure};
use crate::{Error, ErrorKind};

/// Most turns of one walk: a pattern that fits nothing in a large database ends here, with a cursor to go on.
const TURNS_MAX: usize = 1000;
/// How many keys the server looks at in one turn.
const COUNT: usize = 500;

/// What is walked through.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// `SCAN`, or `HSCAN`, `SSCAN` and `ZSCAN` with a key.
    pub command: String,
    /// The key whose members are walked through.
    pub key: Option<String>,
    /// Only what fits this pattern.
    pub pattern: Option<String>,
    /// Only keys of this type: `string`, `hash`, ….
    pub kind: Option<String>,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// The page ends when it has this many.
    pub limit: usize,
    /// Whether texts are read as JSON where they are JSON.
    pub json: bool,
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Keys or members; fields with their values for `HSCAN`, members with their scores for `ZSCAN`. Redis gives them in
    /// small groups that are never split, so a page may have a few more than its limit, and one may come twice in a walk.
    pub items: Vec<Value>,
    /// Where the next page begins, unless this was the last one.
    pub cursor: Option<String>,
}

impl Redis {
    /// One page of a walk.
    pub async fn scan(&self, scan: &Scan, deadline: Instant, cancel: &CancellationToken) -> Result<Found, Error> {
        let mut cursor = scan.cursor.clone().unwrap_or_else(|| "0".to_owned());
        if cursor.is_empty() || !cursor.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`{}` is no cursor of an earlier page", cursor.escape_debug());
            return Err(failure(self.name(), ErrorKind::Value, "walk through the keys", message));
        }
        let mut items = Vec::new();
        for _ in 0..TURNS_MAX {
            let batch = Batch { commands: vec![scan.command(&cursor)], atomic: false, reads: true };
            let page = self.run(&batch, deadline, cancel).await?.pop();
            let Some(Value::Array(page)) = page else { break };
            let mut page = page.into_iter();
            cursor = page.next().and_then(|cursor| cursor.as_str().map(str::to_owned)).unwrap_or_default();
            if let Some(Value::Array(found)) = page.next() {
                scan.add(found, &mut items);
            }
            if cursor == "0" || cursor.is_empty() {
                return Ok(Found { items, cursor: None });
            }
            if items.len() >= scan.limit {
                break;
            }
        }
        Ok(Found { items, cursor: Some(cursor) })
    }
}

impl Scan {
    fn command(&self, cursor: &str) -> Command {
        let mut words = vec![self.command.clone()];
        words.extend(self.key.clone());
        words.push(cursor.to_owned());
        words.extend(self.pattern.iter().flat_map(|pattern| ["MATCH".to_owned(), pattern.clone()]));
        words.extend(["COUNT".to_owned(), self.limit.clamp(1, COUNT).to_string()]);
        words.extend(self.kind.iter().flat_map(|kind| ["TYPE".to_owned(), kind.clone()]));
        Command { json: self.json, ..Command::new(words) }
    }

    fn add(&self, found: Vec<Value>, items: &mut Vec<Value>) {
        let names = match self.command.to_ascii_uppercase().as_str() {
            "HSCAN" => ("field", "value"),
            "ZSCAN" => ("value", "score"),
            _ => return items.extend(found),
        };
        let mut found = found.into_iter();
        while let (Some(first), Some(second)) = (found.next(), found.next()) {
            items.push(serde_json::json!({names.0: first, names.1: second}));
        }
    }
}
