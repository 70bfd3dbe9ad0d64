//! The files of a folder that somebody supplied.

use super::FolderError;
use std::fs;
use std::path::{Path, PathBuf};

/// A file, or why an entry of a folder is not read.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    /// The path below the folder, with `/` between names.
    pub relative: String,
    /// Why it is not to be read.
    pub refused: Option<&'static str>,
}

/// How deep folders may lie in each other.
const DEEPEST: usize = 12;
/// How many entries are looked at.
const MOST: usize = 200_000;

/// All files below a folder, sorted by path; or the file itself. Of an unpacked package, only `evidence/`. Links are
/// not followed, and nothing is opened that is not a file.
pub(super) fn walk(root: &Path) -> Result<Vec<Found>, FolderError> {
    let cannot_read = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Io { path, source }
    };
    let kind = fs::metadata(root).map_err(cannot_read(root))?;
    if !kind.is_dir() {
        let relative = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let refused = (!kind.is_file()).then_some("is not a file");
        return Ok(vec![Found { path: root.to_owned(), relative, refused }]);
    }
    let evidence = root.join("evidence");
    let root = if evidence.is_dir() { evidence } else { root.to_owned() };
    let mut found = Vec::new();
    let mut open = vec![(root, String::new(), 0)];
    while let Some((folder, prefix, depth)) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(cannot_read(&folder))? {
            let entry = entry.map_err(cannot_read(&folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            let relative = format!("{prefix}{name}");
            // Of the entry itself, not of what a link leads to.
            let kind = entry.file_type().map_err(cannot_read(&path))?;
            if kind.is_dir() && depth < DEEPEST {
                open.push((path, format!("{relative}/"), depth + 1));
                continue;
            }
            let refused = match () {
                () if kind.is_symlink() => Some("is a symbolic link, which is not followed"),
                () if kind.is_dir() => Some("lies too deep in other folders"),
                () if !kind.is_file() => Some("is not a file"),
                () => None,
            };
            found.push(Found { path, relative, refused });
            if found.len() > MOST {
                return Err(FolderError::TooMany { path: folder, limit: MOST });
            }
        }
    }
    found.sort_by(|a, b| a.relative.cmp(&b.relative));
    Ok(found)
}
