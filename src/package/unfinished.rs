//! What lives no longer than the process: the file that a package grows in, and temporary folders.
//!
//! All of it is registered, so that a process that is told to end can remove it ([`abandon`]). What a killed process
//! has left is told from what a living one writes by a lock on the file: the next writer of the same target removes the
//! first and refuses the second.

use super::error::PackageError;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{TempDir, TempPath};

/// How an unfinished package may be used: read and written by its owner.
const MODE: u32 = 0o600;
/// How often a folder is removed in which something is still being written.
const REMOVALS: u32 = 3;

/// All files and folders that must not outlive the process.
static LEFT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn left() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    // A set is changed by single insertions and removals.
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes all that must not outlive the process, which is about to end: from here on nothing more of the kind can be
/// made, and whoever tries waits for that end.
pub fn abandon() {
    let left = left();
    for path in left.iter() {
        for _ in 0..REMOVALS {
            let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
            if removed.is_ok() || !path.exists() {
                break;
            }
        }
    }
    std::mem::forget(left);
}

/// A temporary folder that only its owner may enter.
#[derive(Debug)]
pub struct ScratchFolder {
    /// Removed when this is dropped; none once it was.
    dir: Option<TempDir>,
    path: PathBuf,
}

impl ScratchFolder {
    /// Makes one among the system's temporary files.
    pub fn new() -> Result<Self, PackageError> {
        let mut left = left();
        let dir = tempfile::Builder::new().prefix("auditpack-").tempdir();
        let dir = dir.map_err(PackageError::io("create a temporary folder in", &std::env::temp_dir()))?;
        let path = dir.path().to_owned();
        left.insert(path.clone());
        Ok(Self { dir: Some(dir), path })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        drop(self.dir.take());
        left().remove(&self.path);
    }
}

/// The file that a package grows in, beside its target. It vanishes unless it is published.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// Locked as long as it is open: longer than it has its own name.
    file: File,
    /// Removed when this is dropped; none once it was published.
    path: Option<TempPath>,
    registered: PathBuf,
}

impl Unfinished {
    /// Makes the file for a target in a folder. One that a killed process has left is removed.
    pub(super) fn create(folder: &Path, target: &Path) -> Result<Self, PackageError> {
        let mut left = left();
        let own = folder.join(own_name(target));
        let reserved = reserve(&own).and_then(|file| match file {
            Some(file) => Ok(Some((file, TempPath::try_from_path(&own)?))),
            None => Ok(None),
        });
        let (file, path) = match reserved {
            Ok(Some(reserved)) => reserved,
            Ok(None) => return Err(PackageError::BeingWritten(target.to_owned())),
            // No locks here, a name that is too long, or something of another user's in the way.
            Err(_) => nameless(folder).map_err(PackageError::io("write", target))?,
        };
        left.insert(path.to_path_buf());
        Ok(Self { file, registered: path.to_path_buf(), path: Some(path) })
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the finished file its name. With `force`, a file of that name is replaced.
    pub(super) fn publish(mut self, target: &Path, force: bool) -> Result<(), PackageError> {
        let cannot_write = || PackageError::io("write", target);
        let Some(path) = self.path.take() else { return Ok(()) };
        if force {
            return path.persist(target).map_err(|e| cannot_write()(e.error));
        }
        match path.persist_noclobber(target) {
            Ok(()) => Ok(()),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(PackageError::Exists(target.to_owned())),
            Err(e) => reserve_and_publish(e.path, target),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Before the lock is let go: what others then find is not ours.
        drop(self.path.take());
        left().remove(&self.registered);
    }
}

/// Gives the finished file its name on file systems that can neither link nor rename without replacing (FAT on a
/// memory stick): the name is taken first, by an empty file that only one of two writers can create.
fn reserve_and_publish(temporary: TempPath, target: &Path) -> Result<(), PackageError> {
    match File::create_new(target) {
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Err(PackageError::Exists(target.to_owned())),
        Err(e) => return Err(PackageError::io("write", target)(e)),
    }
    temporary.persist(target).map_err(|e| {
        let _ = std::fs::remove_file(target);
        PackageError::io("write", target)(e.error)
    })
}

/// The name of the file that a target's package grows in.
fn own_name(target: &Path) -> OsString {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".part");
    name
}

/// Makes the file of that name and locks it. A file that nobody has locked is of a process that was killed, and is
/// removed first; nothing if a living process has it.
fn reserve(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A link that somebody has put there is not followed.
        options.mode(MODE).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    match options.open(path) {
        Ok(stale) => match lock(&stale, path)? {
            // The lock is held until the name is gone, so that nobody else takes the file for theirs.
            true => std::fs::remove_file(path)?,
            false => return Ok(None),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    match options.create_new(true).open(path) {
        Ok(file) => Ok(lock(&file, path)?.then_some(file)),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(e) => Err(e),
    }
}

/// Locks a file, if nobody else has and it still has its name.
fn lock(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => has_name(file, path),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

#[cfg(unix)]
fn has_name(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let file = file.metadata()?;
    match path.symlink_metadata() {
        Ok(named) => Ok((file.dev(), file.ino()) == (named.dev(), named.ino())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Where an open file cannot lose its name to another one.
#[cfg(not(unix))]
fn has_name(_: &File, path: &Path) -> io::Result<bool> {
    Ok(path.exists())
}

/// A file with a name of chance, where that of the target cannot be had.
fn nameless(folder: &Path) -> io::Result<(File, TempPath)> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".auditpack-").suffix(".part");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(MODE));
    builder.tempfile_in(folder).map(tempfile::NamedTempFile::into_parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        std::fs::write(dir.path().join(".a.zip.part"), "left by a process that was killed").unwrap();
        let first = Unfinished::create(dir.path(), &target).unwrap();
        assert_eq!(first.file().metadata().unwrap().len(), 0, "nothing of what was left is in it");
        first.file().write_all(b"whole").unwrap();
        let second = Unfinished::create(dir.path(), &target);
        assert!(matches!(second, Err(PackageError::BeingWritten(path)) if path == target));
        // That of another target is nobody's business.
        let other = Unfinished::create(dir.path(), &dir.path().join("b.zip")).unwrap();
        assert_eq!(names(dir.path()), [".a.zip.part", ".b.zip.part"]);
        drop(other);
        first.publish(&target, false).unwrap();
        assert_eq!(names(dir.path()), ["a.zip"]);
        assert_eq!(std::fs::read(&target).unwrap(), b"whole");
        // The published file has no lock, and its part no name, that stand in a later writer's way.
        drop(Unfinished::create(dir.path(), &target).unwrap());
        assert_eq!(names(dir.path()), ["a.zip"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_ours_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a.zip");
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join(".a.zip.part")).unwrap();
        let made = Unfinished::create(dir.path(), &target).unwrap();
        made.file().write_all(b"whole").unwrap();
        made.publish(&target, false).unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        assert_eq!(names(dir.path()), [".a.zip.part", "a.zip", "victim"]);
    }

    #[test]
    fn a_name_of_any_length_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join(format!("{}.zip", "x".repeat(251)));
        Unfinished::create(dir.path(), &target).unwrap().publish(&target, false).unwrap();
        assert_eq!(names(dir.path()).len(), 1);
    }
}
