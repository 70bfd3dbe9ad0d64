//! Finding the files that the settings attach to requirements.

use super::CommandError;
use crate::controls::Settings;
use crate::controls::manual::{Attached, LARGEST_FILE, LARGEST_TOTAL};
use crate::evidence::digest::Sha256;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Finds each file below the folder of the settings' file, before anything is collected. All that is wrong is told at once.
pub(super) fn beside_settings(settings: &mut Settings) -> Result<(), CommandError> {
    let folder = settings.file.as_ref().and_then(|file| Path::new(file.name()).parent().map(Path::to_owned));
    let folder = folder.unwrap_or_default();
    attach(settings, |evidence| folder.join(&evidence.file)).map_err(CommandError::usage)
}

/// Finds each file in the folder that a package's `manual/` was unpacked to.
pub(super) fn unpacked(settings: &mut Settings, folder: &Path) -> Result<(), String> {
    attach(settings, |evidence| folder.join(evidence.path.strip_prefix("manual/").unwrap_or(&evidence.path)))
}

fn attach(
    settings: &mut Settings,
    place: impl Fn(&crate::controls::manual::ManualEvidence) -> PathBuf,
) -> Result<(), String> {
    let mut errors = Vec::new();
    let mut total = 0;
    for evidence in &mut settings.manual {
        let path = place(evidence);
        match read(&path) {
            Ok(attached) => {
                total += attached.size;
                evidence.attached = Some(attached);
            }
            Err(reason) => errors.push(format!("cannot attach {}: {reason}", path.display())),
        }
    }
    if total > LARGEST_TOTAL {
        errors.push(format!(
            "the attached files have {total} bytes together, more than {LARGEST_TOTAL}: attach what an auditor reads, and name where the rest is"
        ));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
}

fn read(path: &Path) -> Result<Attached, String> {
    let found = path.metadata().map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file; paths count from the settings' folder".to_owned(),
        _ => e.to_string(),
    })?;
    if !found.is_file() {
        return Err("it is not a file".to_owned());
    }
    if found.len() > LARGEST_FILE {
        return Err(format!("it has {} bytes, more than {LARGEST_FILE}", found.len()));
    }
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        match file.read(&mut buffer).map_err(|e| e.to_string())? {
            0 => return Ok(Attached { path: path.to_owned(), sha256: hash.finish(), size }),
            n => {
                size += n as u64;
                hash.update(buffer.get(..n).unwrap_or_default());
            }
        }
    }
}
