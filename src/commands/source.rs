//! Where evidence comes from when AWS is not asked: a recording, by itself or in a package.

use super::CommandError;
use super::work::{period, time};
use crate::collect::{Collection, Session, Silent, StopSignal, collect, folder, plan};
use crate::evidence::recording::{CALLS_FILE, Recording};
use crate::evidence::{EventScope, Evidence, Operation, Run, Timestamp};
use crate::package::{self, ScratchFolder};
use chrono::{SubsecRound, Utc};
use std::path::Path;
use std::sync::Arc;

/// A recording that is replayed. Its files vanish with it, and so must the evidence.
#[derive(Debug)]
pub(super) struct Replay {
    pub recording: Arc<Recording>,
    scratch: ScratchFolder,
    _unpacked: Option<tempfile::TempDir>,
}

impl Replay {
    /// Opens a recording's folder, a work folder, or a package. A package that was changed since it was packed is
    /// refused, whatever was changed in it: what is made from it would be silent about that.
    pub fn open(path: &Path) -> Result<Self, CommandError> {
        if !path.is_dir() {
            package::open_intact(path).map_err(CommandError::usage)?;
        }
        Self::open_unchecked(path)
    }

    /// The same for `verify`, which tells itself what was changed. The recording in a package must be as it was packed.
    pub fn open_unchecked(path: &Path) -> Result<Self, CommandError> {
        let scratch = ScratchFolder::new().map_err(CommandError::no_package)?;
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

/// Evidence that was given, whatever it lies in.
pub(super) struct Given {
    pub evidence: Evidence,
    /// The recording, if there is one.
    pub recording: Option<Arc<Recording>>,
    /// The files of the evidence vanish with this.
    _kept: Box<dyn std::any::Any>,
}

/// The evidence of a package, a recording or AWS CLI output. `as_of` is the time of such output, which does not say it
/// itself; without it, it is of now.
pub(super) fn given(path: &Path, as_of: Option<&str>) -> Result<Given, CommandError> {
    if !path.exists() {
        return Err(CommandError::usage(format!("there is no {}", path.display())));
    }
    let is_package = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if is_package || is_recording(path) || path.join("recording").is_dir() {
        if as_of.is_some() {
            let text = "--as-of is for AWS CLI output; a recording states its own time";
            return Err(CommandError::usage(text));
        }
        let replay = Replay::open(path)?;
        let evidence = replay.evidence(None)?;
        return Ok(Given { evidence, recording: Some(Arc::clone(&replay.recording)), _kept: Box::new(replay) });
    }
    let as_of = match as_of {
        Some(text) => time(text, true)?,
        None => Timestamp(Utc::now().trunc_subsecs(0)),
    };
    let run = Run {
        format: Run::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of,
        period: period(None, None, None, as_of)?,
        regions: None,
        home_region: "us-east-1".to_owned(),
        frameworks: Vec::new(),
        operations: plan::complete(&Operation::ALL.iter().copied().collect()).iter().map(ToString::to_string).collect(),
        events: EventScope::default(),
        slicing: Default::default(),
        config_history: Run::CONFIG_HISTORY,
    };
    let scratch = ScratchFolder::new().map_err(CommandError::no_package)?;
    let evidence = folder::read(path, run, scratch.path()).map_err(CommandError::usage)?;
    Ok(Given { evidence, recording: None, _kept: Box::new(scratch) })
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
