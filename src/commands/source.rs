//! Where evidence comes from when AWS is not asked: a recording, by itself or in a package.

use super::CommandError;
use crate::collect::{Collection, Session, Silent, StopSignal, collect};
use crate::evidence::Evidence;
use crate::evidence::recording::{CALLS_FILE, Recording};
use crate::package;
use std::path::Path;
use std::sync::Arc;

/// A recording that is replayed. Its files vanish with it, and so must the evidence.
#[derive(Debug)]
pub(super) struct Replay {
    pub recording: Arc<Recording>,
    scratch: tempfile::TempDir,
    _unpacked: Option<tempfile::TempDir>,
}

impl Replay {
    /// Opens a recording's folder, a work folder, or a package.
    pub fn open(path: &Path) -> Result<Self, CommandError> {
        let scratch = tempfile::Builder::new()
            .prefix("auditpack-")
            .tempdir()
            .map_err(|e| CommandError::no_package(format!("cannot create a temporary folder: {e}")))?;
        let (recording, unpacked) = if path.is_dir() {
            let nested = path.join("recording");
            let folder = if is_recording(path) { path } else { nested.as_path() };
            if !is_recording(folder) {
                let text = format!("{} is no recording: it has no {CALLS_FILE}", path.display());
                return Err(CommandError::usage(text));
            }
            (Recording::open(folder).map_err(CommandError::usage)?, None)
        } else {
            let mut opened = package::open(path).map_err(CommandError::usage)?;
            let opened = opened.recording(scratch.path()).map_err(CommandError::usage)?;
            (opened.recording, Some(opened.dir))
        };
        Ok(Self { recording: Arc::new(recording), scratch, _unpacked: unpacked })
    }

    /// Asks the recording what the run had asked AWS.
    pub fn evidence(&self, expect_account: Option<String>) -> Result<Evidence, CommandError> {
        let collection = Collection {
            session: Session::replay(&self.recording.run.home_region),
            recording: Arc::clone(&self.recording),
            trail_logs: None,
            unpaced: false,
            scratch: self.scratch.path().to_owned(),
            expect_account,
            progress: Arc::new(Silent),
            stop: StopSignal::default(),
        };
        runtime()?.block_on(collect(&collection)).map_err(CommandError::no_package)
    }
}

/// Whether a folder is a recording.
pub(super) fn is_recording(folder: &Path) -> bool {
    folder.join(CALLS_FILE).is_file()
}

/// The runtime for asking.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| CommandError::no_package(format!("cannot start: {e}")))
}
