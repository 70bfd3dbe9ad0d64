//! Why a package cannot be written or read: cause, place, remedy.

use crate::evidence::recording::RecordingError;
use std::io;
use std::path::{Path, PathBuf};

/// A package cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is a file already, and nobody allowed to replace it.
    #[error("{} exists already: name another file with --out, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// Another process writes to the same file now.
    #[error("another auditpack is writing {}: wait until it has ended, or name another file with --out", .0.display())]
    BeingWritten(PathBuf),
    /// The target is a folder, or something else that is no file.
    #[error("{} is not a file: name a file or a folder with --out", .0.display())]
    NotAFile(PathBuf),
    /// The folder to write to is not there.
    #[error("there is no folder {}: create it, or name another one with --out", .0.display())]
    NoFolder(PathBuf),
    /// Two parts of the package would have the same path, or paths that Windows and macOS cannot keep apart.
    #[error("two files of the package would be called {0}, but for upper and lower case: rename one of them")]
    SamePath(String),
    /// Something that cannot be a path in a package.
    #[error("`{}` cannot be a path in a package: this is a defect of auditpack, please report it", .0.escape_debug())]
    BadPath(String),
    /// A part of the package cannot be read or made.
    #[error("cannot put {path} into the package: {source}")]
    Part {
        /// The part's path in the package.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A recorded response is not what was recorded.
    #[error("{path} was altered since it was recorded or first read: its SHA-256 is {found}, it was {recorded}")]
    RecordingAltered {
        /// The body's path in the package.
        path: String,
        /// The SHA-256 in the log.
        recorded: String,
        /// The SHA-256 of the file.
        found: String,
    },
    /// The file is no package, or one that this program refuses to read.
    #[error("{} cannot be read as a package: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A file of the package is not the one that was packed.
    #[error("{file} in {} was altered: its SHA-256 is {found}, SHA256SUMS says {expected}", path.display())]
    Altered {
        /// The package.
        path: PathBuf,
        /// The file in it.
        file: String,
        /// The SHA-256 in SHA256SUMS.
        expected: String,
        /// The SHA-256 of what is there.
        found: String,
    },
    /// The package cannot be signed or stamped.
    #[error("{0}")]
    NotSealed(String),
    /// The package's recording cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}

impl PackageError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PackageError {
        let path = path.to_owned();
        move |source| PackageError::Io { action, path, source }
    }

    pub(super) fn part(path: &str) -> impl FnOnce(io::Error) -> PackageError {
        let path = path.to_owned();
        move |source| PackageError::Part { path, source }
    }
}

/// What can be done about an error of the file system.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or name a folder on another disk with --out"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; name a folder that you may write to with --out"
        }
        _ => "",
    }
}
