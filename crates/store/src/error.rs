//! What can go wrong with the catalogue.

use std::path::PathBuf;

use base::Digest;

/// A failed request to the catalogue. `Display` says what was attempted; the cause is the source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was only tried, and taken back. Callers never see it.
    #[error("it was only tried")]
    Tried,
    /// A text in it can be in no database.
    #[error("cannot {attempted}: there is a NUL character in it")]
    Unkeepable {
        /// What was attempted.
        attempted: &'static str,
    },
    /// The folder or the file cannot be made or opened.
    #[error("cannot open the catalogue {path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the operating system or SQLite said.
        reason: String,
    },
    /// The file was written by a newer program.
    #[error("the catalogue {place} has format {found}, and this program knows formats up to {known}")]
    TooNew {
        /// The file or the server.
        place: String,
        /// Format of the file.
        found: u32,
        /// Newest format that this program knows.
        known: u32,
    },
    /// There is no server of this name.
    #[error("there is no server `{name}`")]
    NoServer {
        /// The name that was asked for.
        name: String,
        /// The names that exist, at most a thousand of them.
        known: Vec<String>,
    },
    /// The server exists, this version of it does not.
    #[error("server `{name}` has no version `{version}`")]
    NoVersion {
        /// The server.
        name: String,
        /// The version that was asked for.
        version: String,
        /// The versions that exist, newest first.
        known: Vec<String>,
    },
    /// The same name and version exist with another meaning.
    #[error("version {version} of `{name}` exists with another content")]
    Conflict {
        /// The server.
        name: String,
        /// The version.
        version: String,
        /// Digest of what is stored.
        stored: Digest,
        /// Digest of what was offered.
        offered: Digest,
    },
    /// There is a server of this name, and it is somebody else's.
    #[error("the name `{name}` is taken")]
    Taken {
        /// The name.
        name: String,
    },
    /// The owner has as many servers as they may.
    #[error("{used} of {most} servers are used")]
    TooMany {
        /// How many there are.
        used: u64,
        /// How many there may be.
        most: u64,
    },
    /// A cursor that this catalogue did not give.
    #[error("`{cursor}` is not a cursor of this list")]
    Cursor {
        /// What was given.
        cursor: String,
    },
    /// Others held the catalogue for too long.
    #[error("cannot {attempted}: another process is writing to the catalogue")]
    Busy {
        /// What was attempted.
        attempted: &'static str,
    },
    /// A control plane uses the store, or what is stored is being replaced.
    #[error("cannot {attempted}: {why}")]
    Held {
        /// What was attempted.
        attempted: &'static str,
        /// What is in its way.
        why: &'static str,
    },
    /// The database server does not answer, or went away meanwhile.
    #[error("cannot {attempted}: the database server is away: {reason}")]
    Away {
        /// What was attempted.
        attempted: &'static str,
        /// What the connection said.
        reason: String,
    },
    /// The file is not the one that was opened any more.
    #[error("cannot {attempted}: the catalogue {path} was {became} while it was in use")]
    Gone {
        /// What was attempted.
        attempted: &'static str,
        /// Where it was.
        path: PathBuf,
        /// What became of it.
        became: &'static str,
        /// Whether the same file can be put back.
        returns: bool,
    },
    /// The disk is full.
    #[error("cannot {attempted}: the disk is full")]
    Full {
        /// What was attempted.
        attempted: &'static str,
    },
    /// Anything else that the database says, such as a damaged file.
    #[error("cannot {attempted}: {reason}")]
    Failed {
        /// What was attempted.
        attempted: &'static str,
        /// What it said.
        reason: String,
    },
}
