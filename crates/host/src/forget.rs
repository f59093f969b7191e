//! Takes away what was kept for a server that is gone: whoever makes the next one of its name begins with nothing.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use crate::tasks::{FileTasks, SERVED};

/// What the parts of a database file are called beside the file itself.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// The folders in which things are kept by the name of the server.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What scripts remember, and timers.
    pub state: PathBuf,
    /// What APIs gave for the users of a server.
    pub tokens: PathBuf,
    /// Calls that go on as tasks.
    pub tasks: PathBuf,
}

impl Kept {
    /// Takes away what was kept for a server. Whatever can be, is, also where something else cannot. Calls that are under way
    /// end with what they have open, which nobody finds any more.
    ///
    /// # Errors
    /// The first thing that is still there.
    pub fn forget(&self, server: &str) -> Result<()> {
        let files = [&self.state, &self.tasks].map(|folder| remove_database(folder, server));
        let tasks = forget_tasks(&self.tasks, server);
        let tokens = remove_tokens(&self.tokens.join(server));
        files.into_iter().chain([tasks, tokens]).collect()
    }
}

/// What is not there need not be removed.
fn gone(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_database(folder: &Path, server: &str) -> Result<()> {
    PARTS.iter().try_for_each(|part| gone(std::fs::remove_file(folder.join(format!("{server}.db{part}")))))
}

/// Those that a control plane keeps in one file for all that it serves.
fn forget_tasks(folder: &Path, server: &str) -> Result<()> {
    if !folder.join(format!("{SERVED}.db")).exists() {
        return Ok(());
    }
    FileTasks::open(folder, SERVED).and_then(|tasks| tasks.forget(server)).map_err(Error::other)
}

/// The tokens of users are in a folder for each connection. Files beside those are not of a server: sign-ins (`logins/`) are
/// kept next to the folders of servers.
fn remove_tokens(folder: &Path) -> Result<()> {
    let connections = match std::fs::read_dir(folder) {
        Err(error) => return gone(Err(error)),
        Ok(connections) => connections,
    };
    for connection in connections {
        let connection = connection?;
        if connection.file_type()?.is_dir() {
            gone(std::fs::remove_dir_all(connection.path()))?;
        }
    }
    // It stays where sign-ins are in it.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use connect::http::{TokenStore as _, UserToken};
    use connect::state::{Limits, State, now};
    use protocol::{TaskRecord, TaskStatus, TaskStore as _};

    use super::Kept;
    use crate::tasks::{FileTasks, SERVED};
    use crate::users::UserTokens;

    fn task(id: &str, server: &str) -> TaskRecord {
        TaskRecord {
            id: id.into(),
            endpoint: server.into(),
            principal: Some("bob".into()),
            status: TaskStatus::Working,
            status_message: None,
            created_at: String::new(),
            updated_at: String::new(),
            expires_s: 4_000_000_000,
            ttl_ms: 0,
            poll_ms: 0,
            input_requests: Vec::new(),
            interrupted: None,
            result: None,
            error: None,
        }
    }

    #[test]
    fn nothing_of_a_server_stays_and_everything_of_others_does() {
        let home = tempfile::tempdir().unwrap();
        let [state, tokens, tasks] = ["state", "tokens", "tasks"].map(|name| home.path().join(name));
        let kept = Kept { state, tokens, tasks };
        kept.forget("shop").expect("nothing is there yet");
        let open = |server: &str| State::open(&kept.state.join(format!("{server}.db")), Limits::default()).unwrap();
        let users = |server: &str| UserTokens::new(Some(kept.tokens.clone()), server, "api");
        let served = FileTasks::open(&kept.tasks, SERVED).unwrap();
        let (held, _other) = (open("shop"), open("other"));
        for server in ["shop", "other"] {
            open(server).set("key", "1", None, None, now()).unwrap();
            let token = UserToken { access: base::Secret::new("secret"), refresh: None, expires_at: 4_000_000_000 };
            users(server).save("bob", &token).unwrap();
            served.save(&task(server, server)).unwrap();
        }
        let login = kept.tokens.join("logins");
        std::fs::create_dir_all(&login).unwrap();
        std::fs::write(login.join("x.json"), "{}").unwrap();

        kept.forget("shop").unwrap();
        kept.forget("logins").unwrap();
        // A call that is under way ends with what it has open.
        held.set("late", "1", None, None, now()).unwrap();
        drop(held);
        let found = |server: &str| {
            let value = open(server).get("key", now()).unwrap().is_some();
            let late = open(server).get("late", now()).unwrap().is_some();
            (value, late, users(server).load("bob").unwrap().is_some(), served.load(server).is_some())
        };
        assert_eq!(found("shop"), (false, false, false, false));
        assert_eq!(found("other"), (true, false, true, true));
        assert!(login.join("x.json").exists(), "no server's");
    }
}
