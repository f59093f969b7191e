//! Where the demonstration happens: a temporary home, and a database.

use std::path::{Path, PathBuf};

use operations::{Caller, Code, Context, Environment, Error, Home, demo};

/// A temporary folder that goes when this value goes.
pub(super) struct Stage {
    folder: PathBuf,
    /// URL of the database.
    pub(super) url: String,
    /// What was done to the database, for people.
    pub(super) told: String,
    /// Whether the database is of another engine than the example's type.
    pub(super) dev: bool,
}

impl Stage {
    /// Makes the folder and the database.
    pub(super) async fn set(environment: &Environment) -> Result<Self, Error> {
        let folder = std::env::temp_dir().join(format!("mcp-factory-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| {
            Error::new(Code::CannotWrite, format!("cannot make {}: {error}", folder.display()))
                .hint("choose a folder that you may write, with TMPDIR")
        })?;
        let mut stage = Self { folder, url: String::new(), told: String::new(), dev: true };
        match environment.get(demo::VARIABLE) {
            Some(url) => stage.take(url).await?,
            None => {
                stage.url = demo::embedded(&stage.folder).await?;
                stage.told = format!(
                    "{} is not set: an embedded SQLite database was made, with a table `{}` of 40 rows",
                    demo::VARIABLE,
                    demo::TABLE
                );
            }
        }
        Ok(stage)
    }

    async fn take(&mut self, url: String) -> Result<(), Error> {
        self.dev = demo::engine(&url) != Some(demo::ENGINE);
        let done = match demo::fill(&url).await? {
            demo::Filled::Made => "was made there with 40 rows, and stays",
            demo::Filled::Kept => "is there already and is used as it is",
        };
        self.told = format!("the database of {} is used: a table `{}` {done}", demo::VARIABLE, demo::TABLE);
        self.url = url;
        Ok(())
    }

    /// The home folder of the demonstration.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// A context that has this home, and the database's URL.
    pub(super) fn context(&self) -> Context {
        let given = [(demo::VARIABLE.to_owned(), self.url.clone())];
        let environment = Environment::of_process().with(given);
        Context::new(Home::at(self.home()), environment, Caller::Local, "demo")
    }

    /// The command that runs this program on the example server.
    pub(super) fn command(&self, program: &Path, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command.arg("run").arg("inventory-mcp").arg("--home").arg(self.home()).args(arguments);
        command.env(demo::VARIABLE, &self.url).env("INVENTORY_MCP_API_KEY", super::steps::KEY).kill_on_drop(true);
        command
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
