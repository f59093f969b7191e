//! What every operation gets as its first argument.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use identity::{Kind, Principal, Scopes};
use store::{Pending, Store};
use tokio::sync::{Mutex, OnceCell, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

use crate::audit::Recorder;
use crate::deploy::Targets;
use crate::index::Index;
use crate::jobs::Jobs;
use crate::operation::{Audit, Scope};
use crate::policies::Policies;
use crate::precondition::Precondition;
use crate::{Code, Error};

/// Changes of servers whose names share a place take turns.
const TURNS: usize = 64;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The person, or the program, at this machine's command line.
    Local,
    /// Somebody who asks a control plane.
    Remote(Arc<Principal>),
}

impl Caller {
    /// Somebody about whom nothing is known and who may do everything: whoever reaches a control plane that asks for no
    /// key.
    pub fn anybody() -> Self {
        Self::Remote(Arc::new(Principal::new(Kind::Anonymous, "anonymous", Scopes::of([identity::ADMIN]))))
    }

    /// Somebody who shows nothing and may do nothing but what everybody may.
    pub fn nobody() -> Self {
        Self::Remote(Arc::new(Principal::new(Kind::Anonymous, "anonymous", Scopes::default())))
    }

    /// Whether they may do what needs this scope.
    pub fn may(&self, scope: Scope) -> bool {
        match self {
            Self::Local => true,
            Self::Remote(principal) => {
                let uses = matches!(scope, Scope::ServersRead | Scope::ServersCall);
                let scopes = &principal.scopes;
                scope == Scope::Open || scopes.allow(scope.as_str()) || (uses && scopes.allow(crate::access::USE))
            }
        }
    }

    /// Whether it is a program that somebody let in by OAuth: it can ask for more.
    pub fn is_program(&self) -> bool {
        matches!(self, Self::Remote(principal) if principal.kind == Kind::Client)
    }

    /// Names them.
    pub fn id(&self) -> &str {
        match self {
            Self::Local => "local",
            Self::Remote(principal) => &principal.id,
        }
    }

    /// Whose things they use.
    pub fn owner(&self) -> &str {
        match self {
            Self::Local => "local",
            Self::Remote(principal) => &principal.owner,
        }
    }

    /// As it is kept with a job.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Local => serde_json::Value::Null,
            Self::Remote(principal) => serde_json::json!({
                "id": principal.id, "kind": principal.kind, "owner": principal.owner,
                "scopes": principal.scopes.iter().collect::<Vec<_>>(),
            }),
        }
    }

    /// Reads what [`Self::to_json`] made. What cannot be read may do nothing.
    pub(crate) fn of_json(kept: &serde_json::Value) -> Self {
        if kept.is_null() {
            return Self::Local;
        }
        let word = |name: &str| kept[name].as_str().unwrap_or_default();
        let kind = serde_json::from_value(kept["kind"].clone()).unwrap_or(Kind::Anonymous);
        let scopes = kept["scopes"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        Self::Remote(Arc::new(Principal::new(kind, word("id"), Scopes::of(scopes)).owned_by(word("owner"))))
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.id())
    }
}

/// The folder that holds the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// A folder chosen by the user. It is made when something is stored.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder that is used when none is chosen: `$XDG_DATA_HOME/mcp-factory`, else
    /// `~/.local/share/mcp-factory` (XDG Base Directory Specification 0.8).
    pub fn standard(environment: &Environment) -> Result<Self, Error> {
        let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        data.map(|data| Self(data.join("mcp-factory"))).ok_or_else(|| {
            Error::new(Code::Usage, "there is no home folder: neither XDG_DATA_HOME nor HOME is set")
                .hint("choose one with `--home DIR` or MCP_FACTORY_HOME")
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Where environment variables come from: the process, and over it what a file or a caller gave.
#[derive(Clone, Default)]
pub struct Environment {
    given: Arc<BTreeMap<String, String>>,
    process: bool,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values may be secrets.
        f.debug_struct("Environment").field("given", &self.given.keys()).field("process", &self.process).finish()
    }
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self { given: Arc::default(), process: true }
    }

    /// These variables and no others.
    pub fn only(given: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { given: Arc::new(given.into_iter().collect()), process: false }
    }

    /// The same with these variables on top.
    #[must_use]
    pub fn with(mut self, given: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all = (*self.given).clone();
        all.extend(given);
        self.given = Arc::new(all);
        self
    }

    /// The value of a variable. An empty value counts as unset.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = match self.given.get(name) {
            Some(value) => Some(value.clone()),
            None if self.process => std::env::var(name).ok(),
            None => None,
        };
        value.filter(|value| !value.is_empty())
    }

    /// Reads `NAME=value` lines; `file` is their name in messages.
    pub fn parse_file(file: &str, text: &str) -> Result<Vec<(String, String)>, Error> {
        let mut found = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            let named = line.split_once('=').map(|(name, value)| (name.trim(), unquoted(value.trim())));
            match named {
                Some((name, value)) if is_variable(name) => found.push((name.to_owned(), value.to_owned())),
                // The line itself is not shown: it may hold a secret.
                _ => {
                    return Err(Error::new(Code::BadEnvFile, format!("{file}:{number} is not `NAME=value`"))
                        .hint("write one `NAME=value` a line; `#` begins a comment line"));
                }
            }
        }
        Ok(found)
    }
}

fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

/// The variable that puts the store on a PostgreSQL server, which several processes may share, instead of a file in the
/// home folder.
pub const STORE: &str = "MCP_FACTORY_STORE";

/// The first argument of every operation: who asks, where things are, and whether to stop.
#[derive(Clone)]
pub struct Context {
    /// The home folder.
    pub home: Home,
    /// Environment variables that specs refer to.
    pub environment: Environment,
    /// Who asks.
    pub caller: Caller,
    /// Names this request in logs.
    pub request: Arc<str>,
    /// Where the request came from; `None` at a command line.
    pub address: Option<IpAddr>,
    /// Cancelled when the caller does not want the answer any more.
    pub cancel: CancellationToken,
    /// What must be true of the server that is changed.
    pub precondition: Option<Precondition>,
    /// Is told of everything that was done.
    pub audit: Option<Arc<dyn Audit>>,
    /// Writes the audit log of a control plane behind; none at a command line.
    pub recorder: Option<Arc<Recorder>>,
    /// The note about the operation that is done, stored with its first change.
    pub(crate) pending: Option<Arc<Pending>>,
    /// Whether changes are only tried.
    pub(crate) tries: bool,
    /// The jobs of a control plane; none at a command line.
    pub jobs: Option<Arc<Jobs>>,
    /// Who may use what at a control plane; none at a command line.
    pub policies: Option<Arc<Policies>>,
    /// Where a control plane runs servers; none at a command line.
    pub targets: Option<Arc<Targets>>,
    /// The ways to sign in that a control plane has on; none at a command line.
    pub ways: Option<store::accounts::Ways>,
    /// Is told how far it is.
    pub progress: Option<crate::Progress>,
    /// What all servers offer and use.
    pub(crate) index: Arc<Index>,
    store: Arc<OnceCell<Arc<Store>>>,
    turns: Arc<[Arc<Mutex<()>>]>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("home", &self.home).field("request", &self.request).finish_non_exhaustive()
    }
}

impl Context {
    /// A context for one request. The catalogue is opened when an operation first needs it.
    pub fn new(home: Home, environment: Environment, caller: Caller, request: impl Into<Arc<str>>) -> Self {
        Self {
            home,
            environment,
            caller,
            request: request.into(),
            address: None,
            cancel: CancellationToken::new(),
            precondition: None,
            audit: None,
            recorder: None,
            pending: None,
            tries: false,
            jobs: None,
            policies: None,
            targets: None,
            ways: None,
            progress: None,
            index: Arc::default(),
            store: Arc::default(),
            turns: (0..TURNS).map(|_| Arc::default()).collect(),
        }
    }

    /// Tells whoever waits how far it is.
    pub(crate) fn tell(&self, done: f64, total: f64, message: &str) {
        if let Some(progress) = &self.progress {
            progress.tell(done, Some(total), message);
        }
    }

    /// Whether other processes may work on the same catalogue as control planes.
    pub(crate) fn is_shared(&self) -> bool {
        self.environment.get(STORE).is_some()
    }

    /// Whether there is a catalogue to read. A home folder without one has no servers, and none is made by looking. One that was
    /// opened is read, so that whoever asks learns that it is gone.
    pub(crate) fn has_store(&self) -> bool {
        self.store.initialized() || self.environment.get(STORE).is_some() || Store::exists(self.home.path())
    }

    /// The same surroundings for another request.
    #[must_use]
    pub fn asked(&self, caller: Caller, request: impl Into<Arc<str>>) -> Self {
        let cancel = CancellationToken::new();
        let request = request.into();
        Self {
            caller,
            request,
            address: None,
            cancel,
            precondition: None,
            pending: None,
            tries: false,
            progress: None,
            ..self.clone()
        }
    }

    /// The same for a request from an address.
    #[must_use]
    pub fn from(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// The same for an operation whose first change is stored with a note about it.
    pub(crate) fn noted(&self, pending: Arc<Pending>) -> Self {
        Self { pending: Some(pending), ..self.clone() }
    }

    /// The same for an operation that is only tried: it says what it would do, and changes nothing.
    #[must_use]
    pub fn trying(&self) -> Self {
        Self { tries: true, ..self.clone() }
    }

    /// Waits for the other changes of this server that are under way in this process.
    pub(crate) async fn turn(&self, name: &str) -> OwnedMutexGuard<()> {
        let sum = name.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        Arc::clone(&self.turns[sum % TURNS]).lock_owned().await
    }

    /// The catalogue itself, for what uses it longer than one request. Nothing that it changes is noted.
    pub(crate) async fn shared_store(&self) -> Result<Arc<Store>, Error> {
        let (home, url) = (self.home.path().to_owned(), self.environment.get(STORE));
        let opened = self.store.get_or_try_init(|| async move {
            blocking(move || match url {
                Some(url) => Ok(Arc::new(Store::connect(remote(&url)?)?)),
                None => Ok(Arc::new(Store::open(&home)?)),
            })
            .await
        });
        let store = opened.await.cloned()?;
        Ok(if self.tries { Arc::new(store.trying()) } else { store })
    }

    /// The catalogue for one operation: its first change and the note about it are one transaction.
    pub(crate) async fn noted_store(&self) -> Result<Arc<Store>, Error> {
        let store = self.shared_store().await?;
        Ok(match &self.pending {
            Some(pending) => Arc::new(store.on_behalf(Arc::clone(pending))),
            None => store,
        })
    }

    /// Looks whether the file of the catalogue is still the one that was opened, if it was.
    ///
    /// # Errors
    /// It was removed, replaced or emptied, which does not mend itself.
    pub fn look(&self) -> Result<(), Error> {
        self.store.get().map_or(Ok(()), |store| store.look().map_err(Error::from))
    }

    /// Runs a request to the catalogue on a blocking thread.
    ///
    /// # Errors
    /// The catalogue cannot be opened, or what the request says.
    pub async fn store<T: Send + 'static>(
        &self,
        request: impl FnOnce(&Store) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let store = self.noted_store().await?;
        blocking(move || request(&store).map_err(Error::from)).await
    }
}

/// The PostgreSQL server of a `postgresql://` URL. The URL may hold a password and is never shown.
fn remote(url: &str) -> Result<store::Remote, Error> {
    let (config, tls) = connect::postgres_client(base::Secret::new(url)).map_err(|why| {
        Error::new(Code::Usage, format!("{STORE} is no usable URL of a PostgreSQL database: {why}")).hint(
            "write `postgresql://user:password@host:5432/database`, or unset it to keep the store in the home folder",
        )
    })?;
    Ok(store::Remote { config, tls })
}

/// Runs blocking work off the asynchronous threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Error::new(Code::Internal, format!("a blocking task did not end: {error}"))
            .hint("please report this with the command")),
    }
}

#[cfg(test)]
mod tests {
    use super::Environment;

    #[test]
    fn environment_files_take_quotes_comments_and_export() {
        let text = "# a comment\n\nA=1\nexport B='two words'\nC=\"x=y\"\n D = 4 \n";
        let found = Environment::parse_file(".env", text).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("A", "1"), ("B", "two words"), ("C", "x=y"), ("D", "4")]);
    }

    #[test]
    fn a_bad_line_is_named_by_number_and_not_shown() {
        let error = Environment::parse_file(".env", "A=1\nhunter2\n").unwrap_err();
        assert_eq!(error.message, ".env:2 is not `NAME=value`");
    }

    #[test]
    fn given_variables_win_and_empty_ones_count_as_unset() {
        let environment = Environment::only([("A".to_owned(), String::new()), ("B".to_owned(), "b".to_owned())]);
        assert_eq!((environment.get("A"), environment.get("B").as_deref()), (None, Some("b")));
        assert_eq!(environment.get("HOME"), None);
    }
}
