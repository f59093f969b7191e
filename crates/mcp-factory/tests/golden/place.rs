//! What a case finds: a folder, databases of its own, the fakes, and the services of the tests.

use std::path::Path;
use std::time::Duration;

use base::Secret;
use connect::{Config, Database, Tls};

use crate::all;

/// Why a case was not played.
pub(crate) enum Missing {
    /// A service is not there.
    Service(String),
    /// Something is wrong.
    Fault(String),
}

impl From<String> for Missing {
    fn from(fault: String) -> Self {
        Self::Fault(fault)
    }
}

/// The values of `$WORD`s, and what has to be removed in the end.
#[derive(Default)]
pub(crate) struct Place {
    words: Vec<(String, String)>,
    drop: Vec<(String, String)>,
}

/// Words that are databases of a case's own: the variable of their server, and the file of statements that fills them.
const DATABASES: [(&str, &str); 3] = [
    ("postgres", "MCP_FACTORY_TEST_POSTGRES"),
    ("pgvector", "MCP_FACTORY_TEST_PGVECTOR"),
    ("mysql", "MCP_FACTORY_TEST_MYSQL"),
];

impl Place {
    /// Replaces the `$WORD`s of a text; makes what they stand for when it is not there yet.
    pub(crate) async fn fill(&mut self, text: &str, folder: &Path) -> Result<String, Missing> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            let (word, tail) = after.split_at(end);
            out.push_str(before);
            out.push_str(&self.word(word, folder).await?);
            rest = tail;
        }
        Ok(out + rest)
    }

    /// Replaces the words that are known; others stay.
    pub(crate) fn known(&self, text: &str) -> String {
        let mut words: Vec<&(String, String)> = self.words.iter().collect();
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("${word}"), value))
    }

    /// Keeps a value under a word.
    pub(crate) fn keep(&mut self, word: &str, value: String) {
        self.words.retain(|(known, _)| known != word);
        self.words.push((word.to_owned(), value));
    }

    /// Puts words where their values are, the longest first.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut words: Vec<&(String, String)> = self.words.iter().filter(|(_, value)| value.len() > 3).collect();
        words.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(value.as_str(), &format!("${word}")))
    }

    async fn word(&mut self, word: &str, folder: &Path) -> Result<String, Missing> {
        if let Some((_, value)) = self.words.iter().find(|(known, _)| known == word) {
            return Ok(value.clone());
        }
        let value = match word {
            "fakes" => all::start("127.0.0.1:0").await.map_err(|error| error.to_string())?,
            "factory" => serve(fakes::Factory::new(fakes::FactorySettings::default().work(800).idle(0))).await?,
            "shim" => serve(fakes::Shim::new(fakes::ShimSettings::default())).await?,
            "unique" => format!("u{}", uuid::Uuid::now_v7().simple()),
            "folder" => folder.display().to_string(),
            "s3_key_id" | "s3_key" => {
                let keys = service("MCP_FACTORY_TEST_S3_KEYS")?;
                let (id, key) = keys.split_once(':').unwrap_or((&keys, ""));
                (if word == "s3_key" { key } else { id }).to_owned()
            }
            "sqlite" => {
                let file = folder.join("case.db");
                std::fs::File::create(&file).map_err(|error| error.to_string())?;
                let url = format!("sqlite:{}", file.display());
                seed(&url, &folder.join("seed.sql")).await?;
                url
            }
            "mongo" => format!("{}/t_{}", service("MCP_FACTORY_TEST_MONGO")?, uuid::Uuid::now_v7().simple()),
            _ => match DATABASES.iter().find(|(name, _)| *name == word) {
                Some((_, variable)) => self.database(&service(variable)?, folder).await?,
                None if word.starts_with("MCP_FACTORY_TEST_") => service(word)?,
                None => return Err(Missing::Fault(format!("`${word}` is not known"))),
            },
        };
        self.words.push((word.to_owned(), value.clone()));
        Ok(value)
    }

    async fn database(&mut self, server: &str, folder: &Path) -> Result<String, String> {
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        execute(&open(server)?, &format!("CREATE DATABASE {name}")).await?;
        let url =
            server.rsplit_once('/').map_or_else(|| format!("{server}/{name}"), |(base, _)| format!("{base}/{name}"));
        let force = if server.starts_with("postgres") { " WITH (FORCE)" } else { "" };
        self.drop.push((server.to_owned(), format!("DROP DATABASE {name}{force}")));
        seed(&url, &folder.join("seed.sql")).await?;
        Ok(url)
    }

    /// Removes the databases.
    pub(crate) async fn clear(self) -> Result<(), String> {
        for (server, statement) in self.drop {
            execute(&open(&server)?, &statement).await?;
        }
        Ok(())
    }
}

/// Serves one of the fakes that come with the program, until the tests end.
async fn serve<H: shim::http::Handler>(fake: std::sync::Arc<H>) -> Result<String, String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tokio::spawn(fakes::serve(listener, fake, tokio_util::sync::CancellationToken::new()));
    Ok(format!("http://{address}"))
}

/// The address of a service.
fn service(variable: &str) -> Result<String, Missing> {
    std::env::var(variable).map_err(|_| Missing::Service(format!("{variable} is not set")))
}

fn open(url: &str) -> Result<Database, String> {
    let config = Config { tls: Tls::Disable, ..Config::new("case", Secret::new(url)) };
    Database::open(config).map_err(|error| error.to_string())
}

/// Runs the statements of a file, which have an empty line between them.
async fn seed(url: &str, file: &Path) -> Result<(), String> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
    let database = open(url)?;
    for statement in text.split("\n\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        execute(&database, statement.trim_end_matches(';')).await?;
    }
    Ok(())
}

/// Runs a statement on the database of a URL.
pub(crate) async fn execute_on(url: &str, sql: &str) -> Result<(), String> {
    execute(&open(url)?, sql).await
}

async fn execute(database: &Database, sql: &str) -> Result<(), String> {
    database.execute(sql, Duration::from_secs(60)).await.map_err(|error| format!("{sql}: {error}"))
}
