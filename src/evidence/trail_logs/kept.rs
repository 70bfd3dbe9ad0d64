//! The part of a recording that holds log files of a trail: copies of what was read, and an index of them.
//!
//! A copy is byte-exact unless session tokens had to be taken out of it; the index then declares the SHA-256 of the
//! content as it was, which is what AWS's digests list. So a replay validates the chain by the same code as the run.

use super::Problem;
use crate::evidence::recording::{RecordingError, io_error, malformed, write_new};
use serde::{Deserialize, Serialize};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The folder below a recording.
pub const KEPT_DIR: &str = "trail-logs";
const FILES: &str = "files";
const INDEX: &str = "index.json";

/// One file of the copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeptFile {
    /// Where it lies, below [`KEPT_DIR`].
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of the file as it is kept.
    pub sha256: String,
    /// How many session tokens were taken out of it.
    #[serde(default, skip_serializing_if = "crate::evidence::is_default")]
    pub redactions: u64,
    /// If it was redacted: the SHA-256 of the uncompressed content as it was, unless that could not be read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_sha256: Option<String>,
    /// If it was redacted: why the content could not be read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
}

/// Files of the folder that were not kept, because they are not what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Files of other accounts.
    pub other_accounts: u64,
    /// Files of Regions out of scope.
    pub other_regions: u64,
    /// Files delivered so long before the period that they cannot hold events of it.
    pub before_period: u64,
    /// Files that are neither logs, nor digests, nor signatures.
    pub other_files: u64,
    /// The first of these.
    pub other_named: Vec<String>,
}

/// What was kept of a folder of log files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFiles {
    /// The version of this file's format: 1.
    pub format: u32,
    /// Logs, digests and signatures, sorted by path.
    pub files: Vec<KeptFile>,
    /// The files with public keys that were supplied.
    pub keys: Vec<KeptFile>,
    /// What was not kept.
    pub left_out: LeftOut,
    /// What of the folder could not be read or kept.
    pub problems: Vec<Problem>,
}

impl KeptFiles {
    /// The version of the index that this program writes.
    pub const FORMAT: u32 = 1;

    /// The folder with the copies, below a recording's folder.
    pub fn folder(recording: &Path) -> PathBuf {
        recording.join(KEPT_DIR).join(FILES)
    }

    /// Where a file of the copy is written to: a path below [`KEPT_DIR`] for its path in the user's folder.
    pub fn place(path: &str) -> String {
        format!("{FILES}/{path}")
    }

    /// The index of a recording, if the recording holds log files and they are all there.
    pub fn read(recording: &Path) -> Result<Option<Self>, RecordingError> {
        let path = recording.join(KEPT_DIR).join(INDEX);
        let file = match std::fs::File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(io_error("read", &path))?,
        };
        Self::parse(BufReader::new(file)).map(Some).map_err(|reason| malformed(&path, reason))
    }

    /// Reads an index.
    pub fn parse(from: impl std::io::Read) -> Result<Self, String> {
        let index: Self = serde_json::from_reader(from).map_err(|e| e.to_string())?;
        match index.format {
            Self::FORMAT => Ok(index),
            other => Err(format!("its format {other} is not known; use a newer auditpack")),
        }
    }

    /// Writes the index, which says that the copy is complete.
    pub fn write(&self, recording: &Path) -> Result<(), RecordingError> {
        let path = recording.join(KEPT_DIR).join(INDEX);
        let mut text = serde_json::to_vec_pretty(self).map_err(|e| malformed(&path, e.to_string()))?;
        text.push(b'\n');
        write_new(&path, &text)
    }

    /// The index's own path below a recording.
    pub fn index_path() -> String {
        format!("{KEPT_DIR}/{INDEX}")
    }

    /// All files of the copy, keys included, with their paths below the recording.
    pub fn all(&self) -> impl Iterator<Item = (String, &KeptFile)> {
        self.files.iter().chain(&self.keys).map(|file| (format!("{KEPT_DIR}/{}", file.path), file))
    }
}
