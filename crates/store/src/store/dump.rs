//! The whole store as lines of JSON, of one moment, and back. The lines are the same for both databases, so what was written
//! on one can be read on the other.

mod tables;

use std::cell::{Cell, RefCell};
use std::io::{BufRead, Write};

use base::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Store, now};
use crate::audit::{self, AuditNote};
use crate::db::{Attempted as _, Fault, Param, Row, Session};
use crate::error::Error;
use crate::migrations::NEWEST;
use tables::{Kind, Table};

/// Version of the lines.
pub const DUMP_FORMAT: u32 = 1;
/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 500;
/// The table that says which format the others have: made with them, never copied.
const FORMAT_TABLE: &str = "migrations";
/// Tables with rows in them from the start.
const NEVER_EMPTY: [&str; 4] = [FORMAT_TABLE, "counters", "audit_start", "sealing_keys"];

/// What was written or read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dumped {
    /// Format of the tables.
    pub format: u32,
    /// When it was written, RFC 3339.
    pub made_at: String,
    /// How many tables there are.
    pub tables: usize,
    /// How many rows there are.
    pub rows: u64,
    /// Digest of all lines.
    pub digest: String,
}

/// The digest of lines that come one by one.
struct Chain(Digest);

impl Chain {
    fn new() -> Self {
        Self(Digest::of(b"mcp-factory backup 1\n"))
    }

    fn add(&mut self, line: &str) {
        self.0 = Digest::of(format!("{}\n{line}", self.0.as_str()).as_bytes());
    }
}

impl Store {
    /// Whether nothing was ever stored.
    pub fn is_empty(&self) -> Result<bool, Error> {
        const WHAT: &str = "look whether the store is empty";
        self.db.read(WHAT, |session| {
            for table in tables::all(session).attempted(WHAT)? {
                let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one", table.name);
                let rows = session.row(&sql, &[], |row| row.count(0)).attempted(WHAT)?;
                if rows != Some(0) && !NEVER_EMPTY.contains(&table.name.as_str()) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Writes everything as it is at one moment. Nobody who reads or changes the store waits for it.
    pub fn dump(&self, out: &mut dyn Write) -> Result<Dumped, Error> {
        const WHAT: &str = "back the store up";
        let (out, begun) = (RefCell::new(out), Cell::new(false));
        self.db.read(WHAT, |session| {
            if begun.replace(true) {
                // The connection went away in the middle; what was written is of another moment.
                return Err(failed(WHAT, "the database went away; try again"));
            }
            session.at_one_moment(WHAT, || write_all(session, &mut **out.borrow_mut(), WHAT))
        })
    }

    /// Puts what was written in the place of everything that is stored, at once or not at all, and with it the notes about
    /// that. `open` begins to read from the start each time.
    ///
    /// # Errors
    /// A control plane is there ([`Self::attend`]); what was written cannot be read, or not be stored.
    pub fn load<R: BufRead>(
        &self,
        open: impl Fn() -> std::io::Result<R> + Send + 'static,
        notes: impl Fn(&Dumped) -> Vec<AuditNote> + Send + 'static,
    ) -> Result<Dumped, Error> {
        const WHAT: &str = "restore the store";
        self.db.change(WHAT, move |session| {
            session.be_alone(WHAT)?;
            session.take_turn(audit::TABLE).attempted(WHAT)?;
            let lines = open().map_err(|error| failed(WHAT, &error.to_string()))?.lines();
            let dumped = load(session, lines, WHAT)?;
            audit::append(session, &notes(&dumped), WHAT)?;
            Ok(dumped)
        })
    }

    /// Says that this process is a control plane, for as long as this store is open: nobody replaces what is stored
    /// meanwhile. For a file the home folder says so.
    ///
    /// # Errors
    /// What is stored is being replaced; the store cannot be used.
    pub fn attend(&self) -> Result<(), Error> {
        self.db.attend("use the store as a control plane")
    }
}

/// Looks through what was written, without a store: whether it is whole.
pub fn check_dump(lines: impl BufRead) -> Result<Dumped, String> {
    let mut chain = Chain::new();
    let mut lines = lines.lines();
    let head = lines.next().and_then(Result::ok).unwrap_or_default();
    let told: Value = serde_json::from_str(&head).unwrap_or_default();
    if told["mcpFactoryBackup"] != json!(DUMP_FORMAT) {
        return Err("it does not begin as a backup of this program does".to_owned());
    }
    chain.add(&head);
    for line in lines {
        let line = line.map_err(|error| error.to_string())?;
        if let Some(end) = line.strip_prefix("{\"end\":") {
            let end: Dumped = serde_json::from_str(end.strip_suffix('}').unwrap_or_default())
                .map_err(|error| format!("its end cannot be read: {error}"))?;
            let same = end.digest == chain.0.as_str();
            return if same { Ok(end) } else { Err("its digest is another one: it was changed".to_owned()) };
        }
        chain.add(&line);
    }
    Err("it has no end: it was cut off".to_owned())
}

fn failed(attempted: &'static str, reason: &str) -> Error {
    Error::Failed { attempted, reason: reason.to_owned() }
}

fn write_all(session: &Session<'_>, out: &mut dyn Write, what: &'static str) -> Result<Dumped, Error> {
    let (mut chain, made_at) = (Chain::new(), now());
    let mut put = |line: String, chain: &mut Chain| {
        chain.add(&line);
        writeln!(out, "{line}").map_err(|error| failed(what, &error.to_string()))
    };
    let head = json!({"mcpFactoryBackup": DUMP_FORMAT, "format": NEWEST, "madeAt": made_at});
    put(head.to_string(), &mut chain)?;
    let tables = tables::all(session).attempted(what)?;
    let (mut rows, mut count) = (0, 0);
    for table in tables.iter().filter(|table| table.name != FORMAT_TABLE) {
        let columns: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        put(json!({"table": table.name, "columns": columns}).to_string(), &mut chain)?;
        count += 1;
        let mut after: Option<Vec<Value>> = None;
        loop {
            let key = after.unwrap_or_default();
            let held: Vec<Option<Vec<u8>>> = key.iter().map(bytes).collect();
            let values: Vec<Param<'_>> = key.iter().zip(&held).map(|(cell, bytes)| param(cell, bytes)).collect();
            let sql = table.page(key.is_empty(), ROWS_AT_ONCE);
            let found = session.rows(&sql, &values, |row| read(row, table)).attempted(what)?;
            let is_full = found.len() == ROWS_AT_ONCE;
            after = found.last().map(|last| table.key().map(|at| last[at].clone()).collect());
            for row in found {
                put(Value::Array(row).to_string(), &mut chain)?;
                rows += 1;
            }
            if !is_full || after.as_ref().is_none_or(Vec::is_empty) {
                break;
            }
        }
    }
    let dumped = Dumped { format: NEWEST, made_at, tables: count, rows, digest: chain.0.as_str().to_owned() };
    let end = serde_json::to_string(&dumped).map_err(|error| failed(what, &error.to_string()))?;
    writeln!(out, "{{\"end\":{end}}}").map_err(|error| failed(what, &error.to_string()))?;
    Ok(dumped)
}

fn read(row: &Row<'_>, table: &Table) -> Result<Vec<Value>, Fault> {
    let cells = table.columns.iter().enumerate().map(|(at, (_, kind))| {
        Ok(match kind {
            Kind::Text => row.get::<Option<String>>(at)?.map_or(Value::Null, Value::from),
            Kind::Int => row.get::<Option<i64>>(at)?.map_or(Value::Null, Value::from),
            Kind::Real => row.get::<Option<f64>>(at)?.map_or(Value::Null, Value::from),
            Kind::Bytes => row.get::<Option<Vec<u8>>>(at)?.map_or(Value::Null, |bytes| json!({"hex": hex(&bytes)})),
        })
    });
    cells.collect()
}

fn load(
    session: &Session<'_>,
    lines: impl Iterator<Item = std::io::Result<String>>,
    what: &'static str,
) -> Result<Dumped, Error> {
    if let Session::Sqlite(_) = session {
        session.batch("PRAGMA defer_foreign_keys = ON").attempted(what)?;
    }
    let known = tables::all(session).attempted(what)?;
    for table in known.iter().rev().filter(|table| table.name != FORMAT_TABLE) {
        session.execute(&format!("DELETE FROM {}", table.name), &[]).attempted(what)?;
    }
    let mut insert = String::new();
    for line in lines {
        let line = line.map_err(|error| failed(what, &error.to_string()))?;
        if let Some(end) = line.strip_prefix("{\"end\":") {
            let end = end.strip_suffix('}').unwrap_or_default();
            return serde_json::from_str(end).map_err(|error| failed(what, &error.to_string()));
        }
        let value: Value = serde_json::from_str(&line).map_err(|error| failed(what, &error.to_string()))?;
        match &value {
            Value::Array(cells) => {
                let bytes: Vec<Option<Vec<u8>>> = cells.iter().map(bytes).collect();
                let values: Vec<Param<'_>> = cells.iter().zip(&bytes).map(|(cell, bytes)| param(cell, bytes)).collect();
                session.execute(&insert, &values).attempted(what)?;
            }
            head if head.get("table").is_some() => {
                insert = insertion(&known, head).map_err(|why| failed(what, &why))?
            }
            _ => {}
        }
    }
    Err(failed(what, "the backup was cut off"))
}

/// The statement for the rows of a table. Only names that this store has are written into it.
fn insertion(known: &[Table], head: &Value) -> Result<String, String> {
    let name = head["table"].as_str().unwrap_or_default();
    let table = known.iter().find(|table| table.name == name && name != FORMAT_TABLE);
    let table = table.ok_or_else(|| format!("the backup has a table `{name}`, which this program does not know"))?;
    let mut columns = Vec::new();
    for column in head["columns"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let known = table.columns.iter().find(|(name, _)| name == column);
        let (name, _) = known
            .ok_or_else(|| format!("the backup has a column `{name}.{column}`, which this program does not know"))?;
        columns.push(name.as_str());
    }
    let values: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    Ok(format!("INSERT INTO {name} ({}) VALUES ({})", columns.join(", "), values.join(", ")))
}

fn param<'a>(cell: &'a Value, bytes: &'a Option<Vec<u8>>) -> Param<'a> {
    match cell {
        Value::String(text) => Param::Text(text),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Param::Int(number),
            None => Param::Real(number.as_f64().unwrap_or_default()),
        },
        _ => bytes.as_ref().map_or(Param::Null, |bytes| Param::Bytes(bytes)),
    }
}

fn bytes(cell: &Value) -> Option<Vec<u8>> {
    let text = cell.get("hex")?.as_str()?;
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
