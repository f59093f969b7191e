//! One line for each call, in a file for each server. Kept over restarts, and bounded.

mod call;
mod writer;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use call::{Call, Times};
pub use writer::{Done, Sink, Writer};

/// Largest file of a log; a full one is put aside, and the one that was aside goes.
pub const LOG_BYTES_MAX: u64 = 4 << 20;
/// Longest text of a failure, characters.
pub const MESSAGE_CHARS_MAX: usize = 300;
/// Most entries that are read at once.
pub const READ_MAX: usize = 1_000;
/// Most entries that are written at once.
const BATCH_MAX: usize = 1_000;

/// A call, as it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Grows from entry to entry: microseconds since 1970, or one more than the entry before.
    pub id: u64,
    /// When the call ended, RFC 3339.
    pub time: String,
    /// The server.
    pub server: String,
    /// The version that answered.
    pub version: String,
    /// The tool.
    pub tool: String,
    /// Who called.
    pub caller: String,
    /// `ok` or `error`.
    pub outcome: String,
    /// How long it took, milliseconds.
    pub ms: f64,
    /// Size of the arguments, bytes.
    #[serde(default)]
    pub bytes_in: u64,
    /// Size of the answer, bytes.
    pub bytes: u64,
    /// What the failure says, with secrets masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Entries of this tool alone.
    pub tool: Option<String>,
    /// Entries of this time and later, microseconds since 1970.
    pub since: Option<u64>,
    /// Entries after the one of this id, the oldest of them first; without it the newest entries.
    pub after: Option<u64>,
    /// Most entries.
    pub limit: usize,
}

/// The logs of a home folder.
#[derive(Clone, Debug)]
pub struct Logs(PathBuf);

impl Logs {
    /// The logs in a folder, which is made when something is written.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Reads entries, oldest first. A line that was cut off by the end of a process is left out.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn read(&self, server: &str, query: &Query) -> std::io::Result<Vec<Entry>> {
        let limit = query.limit.clamp(1, READ_MAX);
        let mut found = std::collections::VecDeque::new();
        for path in [self.aside(server), self.file(server)] {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for line in BufReader::new(file).split(b'\n') {
                let Ok(entry) = serde_json::from_slice::<Entry>(&line?) else { continue };
                if !wanted(&entry, query) {
                    continue;
                }
                found.push_back(entry);
                if query.after.is_some() && found.len() == limit {
                    return Ok(found.into());
                }
                if found.len() > limit {
                    found.pop_front();
                }
            }
        }
        Ok(found.into())
    }

    /// Removes the log of a server.
    ///
    /// # Errors
    /// A file is there and cannot be removed.
    pub fn remove(&self, server: &str) -> std::io::Result<()> {
        for path in [self.aside(server), self.file(server)] {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Begins to write. Ends when every [`Writer`] is dropped. Entries are handed on to `sink` when they were written.
    pub fn writer(&self, sink: Option<Sink>) -> Writer {
        Writer::start(self.clone(), sink)
    }

    fn write(&self, calls: &[Call]) -> std::io::Result<()> {
        make_private_folder(&self.0)?;
        let mut times = Times::default();
        for calls in calls.chunks(BATCH_MAX) {
            let mut texts: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
            for call in calls {
                call.write(&mut times, texts.entry(&call.server).or_default())?;
            }
            for (server, text) in texts {
                self.append(server, &text)?;
            }
        }
        Ok(())
    }

    fn append(&self, server: &str, text: &[u8]) -> std::io::Result<()> {
        let path = self.file(server);
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        if file.metadata()?.len() + text.len() as u64 > LOG_BYTES_MAX {
            drop(file);
            std::fs::rename(&path, self.aside(server))?;
            file = OpenOptions::new().create(true).append(true).open(&path)?;
        }
        file.write_all(text)
    }

    fn file(&self, server: &str) -> PathBuf {
        self.0.join(format!("{}.jsonl", plain(server)))
    }

    fn aside(&self, server: &str) -> PathBuf {
        self.0.join(format!("{}.1.jsonl", plain(server)))
    }
}

fn wanted(entry: &Entry, query: &Query) -> bool {
    query.after.is_none_or(|after| entry.id > after)
        && query.since.is_none_or(|since| entry.id >= since)
        && query.tool.as_ref().is_none_or(|tool| *tool == entry.tool)
}

/// A name that is safe as the name of a file. Names of servers are; nothing else gets past the folder.
fn plain(server: &str) -> String {
    server.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect()
}

/// Who called what is for the owner alone.
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::{Call, Done, Entry, LOG_BYTES_MAX, Logs, Query};

    fn call(id: u64, tool: &str) -> Call {
        Call {
            id,
            server: "shop".into(),
            version: "1.0.0".into(),
            tool: tool.into(),
            caller: None,
            is_error: false,
            micros: 1_500,
            bytes_in: 5,
            bytes: 10,
            message: None,
        }
    }

    fn ids(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn entries_are_found_by_tool_time_and_place() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::at(folder.path().join("logs"));
        assert!(logs.read("shop", &Query { limit: 5, ..Query::default() }).unwrap().is_empty());
        let calls: Vec<Call> = (1..=10).map(|id| call(id, if id % 2 == 0 { "even" } else { "odd" })).collect();
        logs.write(&calls).unwrap();
        let read = |query: Query| ids(&logs.read("shop", &query).unwrap());
        assert_eq!(read(Query { limit: 3, ..Query::default() }), [8, 9, 10]);
        assert_eq!(read(Query { limit: 2, after: Some(4), ..Query::default() }), [5, 6]);
        assert_eq!(read(Query { limit: 9, since: Some(9), ..Query::default() }), [9, 10]);
        assert_eq!(read(Query { limit: 2, tool: Some("even".into()), ..Query::default() }), [8, 10]);
        logs.append("shop", b"{\"id\": 11, \"cut").unwrap();
        assert_eq!(read(Query { limit: 1, ..Query::default() }), [10]);
        logs.remove("shop").unwrap();
        assert!(read(Query { limit: 1, ..Query::default() }).is_empty());
    }

    #[test]
    fn a_log_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::at(folder.path());
        let mut id = 0;
        for _ in 0..30 {
            let batch: Vec<Call> = (0..2_000).map(|next| call(id + next, "tool")).collect();
            id += 2_000;
            logs.write(&batch).unwrap();
        }
        let size: u64 =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!(size <= 2 * LOG_BYTES_MAX, "{size} bytes");
        let newest = logs.read("shop", &Query { limit: 1, ..Query::default() }).unwrap();
        assert_eq!(ids(&newest), [id - 1]);
    }

    #[tokio::test]
    async fn a_writer_gives_growing_ids_and_writes_in_the_background() {
        let folder = tempfile::tempdir().unwrap();
        let logs = Logs::at(folder.path());
        let writer = logs.writer(None);
        for _ in 0..100 {
            let (server, version) = (&"shop".into(), &"1.0.0".into());
            writer.put(Done {
                server,
                version,
                tool: "tool",
                caller: None,
                is_error: false,
                micros: 1,
                bytes_in: 1,
                bytes: 1,
                message: None,
            });
        }
        writer.flush().await;
        let found = logs.read("shop", &Query { limit: 1_000, ..Query::default() }).unwrap();
        assert_eq!(found.len(), 100);
        assert_eq!(writer.usage().take().iter().map(|sum| sum.calls).sum::<u64>(), 100);
        assert!(found.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(writer.lost(), 0);
    }
}
