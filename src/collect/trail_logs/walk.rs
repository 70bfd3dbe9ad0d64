//! Finds the files below a folder.
//!
//! Symbolic links are reported and not followed: a loop of links would never end, and a link that
//! leaves the folder would make this program read what nobody asked it to.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Problem;

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Below the root, with `/`, for people; bytes that are not UTF-8 are shown as `\xNN`.
    pub(super) shown: String,
    /// Below the root, as the system has it, where that is not what is shown.
    odd: Option<PathBuf>,
}

impl Found {
    /// What to open.
    pub(super) fn path(&self, root: &Path) -> PathBuf {
        match &self.odd {
            Some(odd) => root.join(odd),
            None => root.join(&self.shown),
        }
    }
}

/// All regular files, sorted by what is shown, and what could not be listed.
pub(super) fn walk(root: &Path, max_depth: usize) -> io::Result<(Vec<Found>, Vec<Problem>)> {
    let mut files = Vec::new();
    let mut problems = Vec::new();
    let mut pending = vec![(root.to_path_buf(), String::new(), 0_usize)];
    let mut first = true;
    while let Some((folder, shown, depth)) = pending.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if first => return Err(e),
            Err(e) => {
                problems.push(lost(shown, format!("cannot list the folder: {e}; make it readable")));
                continue;
            }
        };
        first = false;
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => {
                    problems.push(lost(shown.clone(), format!("cannot list the folder to its end: {e}")));
                    break;
                }
            };
            let name = show(&entry.file_name());
            let shown = if shown.is_empty() { name } else { format!("{shown}/{name}") };
            // file_type, unlike metadata, does not follow links.
            match entry.file_type() {
                Ok(kind) if kind.is_file() => {
                    let path = entry.path();
                    let below = path.strip_prefix(root).unwrap_or(&path);
                    // Kept only where it is needed: there can be millions of files.
                    let odd = (below != Path::new(&shown)).then(|| below.to_path_buf());
                    files.push(Found { shown, odd });
                }
                Ok(kind) if kind.is_dir() && depth >= max_depth => {
                    problems.push(lost(shown, format!("lies more than {max_depth} folders deep; copy it higher")));
                }
                Ok(kind) if kind.is_dir() => pending.push((entry.path(), shown, depth + 1)),
                Ok(kind) if kind.is_symlink() => problems.push(lost(
                    shown,
                    "is a symbolic link, which is not followed; copy what it points to into the folder".to_owned(),
                )),
                Ok(_) => problems.push(lost(shown, "is neither a file nor a folder; remove it".to_owned())),
                Err(e) => problems.push(lost(shown, format!("cannot be examined: {e}"))),
            }
        }
    }
    files.sort_by(|a, b| a.shown.cmp(&b.shown).then_with(|| a.odd.cmp(&b.odd)));
    Ok((files, problems))
}

fn lost(path: String, problem: String) -> Problem {
    Problem { path, events_lost: true, problem }
}

/// A name for people: two names that differ in their bytes stay different.
fn show(name: &OsString) -> String {
    let mut shown = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        shown.push_str(chunk.valid());
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    shown
}
