//! Errors of the file system in words that show no path outside the root.

use std::io;

use crate::{Error, ErrorKind};

/// What failed.
pub(in crate::files) enum Fault {
    /// A reason of ours.
    Reason { kind: ErrorKind, message: String, code: Option<&'static str> },
    /// An error that is complete.
    Whole(Error),
}

pub(in crate::files) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(in crate::files) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::Reason { kind, message: message.into(), code: None }
    }

    pub(in crate::files) fn coded(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self::Reason { kind, message: message.into(), code: Some(code) }
    }

    /// A failure with a path.
    pub(in crate::files) fn io(path: &str, error: &io::Error) -> Self {
        let coded = |kind, code, why: &str| Self::coded(kind, code, format!("`{path}` {why}"));
        match error.kind() {
            io::ErrorKind::NotFound => coded(ErrorKind::Value, "not_found", "is not there"),
            io::ErrorKind::AlreadyExists => coded(ErrorKind::Constraint, "exists", "is there already"),
            io::ErrorKind::PermissionDenied => coded(ErrorKind::Denied, "permission", "is not permitted by the system"),
            io::ErrorKind::NotADirectory => {
                coded(ErrorKind::Value, "not_folder", "is no folder, or lies below something that is none")
            }
            io::ErrorKind::IsADirectory => coded(ErrorKind::Value, "is_folder", "is a folder"),
            io::ErrorKind::DirectoryNotEmpty => {
                coded(ErrorKind::Constraint, "not_empty", "is a folder with files in it")
            }
            io::ErrorKind::StorageFull => coded(ErrorKind::Limit, "disk_full", "does not fit on the disk"),
            io::ErrorKind::ReadOnlyFilesystem => {
                coded(ErrorKind::Denied, "permission", "is on a file system that is only read")
            }
            io::ErrorKind::CrossesDevices => coded(ErrorKind::Value, "other_disk", "is on another file system"),
            io::ErrorKind::InvalidFilename => coded(ErrorKind::Value, "path", "is too long a name"),
            _ => Self::of(ErrorKind::Other, format!("`{path}`: {error}")),
        }
    }

    pub(super) fn into_error(self, connection: &str, attempted: &'static str) -> Error {
        match self {
            Self::Whole(error) => error,
            Self::Reason { kind, message, code } => {
                let error = super::plain_fault(connection, kind, attempted, message);
                match code {
                    Some(code) => error.with_code(code),
                    None => error,
                }
            }
        }
    }
}

/// A link is on the way.
pub(super) fn link(path: &str) -> Fault {
    Fault::coded(
        ErrorKind::Denied,
        "link",
        format!("`{path}` is or lies below a symbolic link, and links are not followed"),
    )
}
