//! Mending the recording of an interrupted run, to go on with it.
//!
//! A process that is killed leaves at most a last line that is cut off. A computer that loses its power can leave more:
//! lines of zeros, bodies that are empty or half-written. Whatever of a request cannot be read back counts as never
//! asked, and is asked again; nothing is believed that its digest does not confirm.

use super::log::{Log, next_line};
use super::{CALLS_FILE, Entry, Recording, RecordingError, io_error, private};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

/// How many lines are taken at a time: their bodies are read side by side.
const LINES: usize = 512;

/// A recording that is gone on with.
#[derive(Debug)]
pub struct Resumed {
    /// The recording.
    pub recording: Recording,
    /// How many requests' answers were recorded and cannot be read back. They are asked again.
    pub lost: u64,
}

/// A request: its identity and sequence.
type Asked = (String, u32);

impl Recording {
    /// Opens the recording of an interrupted run to go on with it. A line that was being written when the
    /// run was killed is removed; its request is made again. So are requests whose recorded answers were lost.
    pub fn resume(dir: &Path) -> Result<Resumed, RecordingError> {
        let path = dir.join(CALLS_FILE);
        // A run that was killed at once has written its facts and nothing more.
        private().append(true).create(true).open(&path).map_err(io_error("open", &path))?;
        let nothing = Self::with(dir, Log::empty(path.clone())?)?;
        let (mut unreadable, mut lost, mut attempts) = (0, BTreeSet::new(), BTreeSet::new());
        for_lines(&path, |lines| {
            let read: Vec<(Option<Entry>, bool)> = lines.par_iter().map(|line| nothing.read_back(line)).collect();
            for (entry, is_whole) in read {
                let Some(entry) = entry else {
                    unreadable += 1;
                    continue;
                };
                let asked = (entry.key, entry.sequence);
                if !is_whole || !attempts.insert((asked.clone(), entry.attempt)) {
                    lost.insert(asked);
                }
            }
            Ok(())
        })?;
        if unreadable > 0 || !lost.is_empty() {
            leave_out(&path, &lost)?;
        }
        let recording = Self::with(dir, Log::resume(path)?)?;
        Ok(Resumed { recording, lost: unreadable + lost.len() as u64 })
    }

    /// A line's entry, and whether the body that it names is the one that was recorded.
    fn read_back(&self, line: &[u8]) -> (Option<Entry>, bool) {
        let Ok(entry) = serde_json::from_slice::<Entry>(line) else { return (None, false) };
        let is_whole = entry.response.as_ref().is_none_or(|response| self.body(response).is_ok());
        (Some(entry), is_whole)
    }
}

/// Hands on the whole lines of a file, some at a time. A last line that is cut off is none.
fn for_lines(path: &Path, mut act: impl FnMut(&[Vec<u8>]) -> Result<(), RecordingError>) -> Result<(), RecordingError> {
    let mut reader = BufReader::new(File::open(path).map_err(io_error("read", path))?);
    let mut lines = Vec::with_capacity(LINES);
    loop {
        let mut line = Vec::new();
        next_line(&mut reader, &mut line).map_err(io_error("read", path))?;
        let ended = line.last() != Some(&b'\n');
        if !ended {
            lines.push(line);
        }
        if ended || lines.len() == LINES {
            act(&lines)?;
            lines.clear();
        }
        if ended {
            return Ok(());
        }
    }
}

/// Writes a log anew without the lines that cannot be read and those about some requests, whole or not at all.
fn leave_out(path: &Path, lost: &BTreeSet<Asked>) -> Result<(), RecordingError> {
    let part = path.with_extension("jsonl.part");
    let file = private().write(true).create(true).truncate(true).open(&part).map_err(io_error("create", &part))?;
    let mut out = BufWriter::new(file);
    for_lines(path, |lines| {
        let kept = lines.iter().filter(|line| {
            serde_json::from_slice::<Entry>(line).is_ok_and(|entry| !lost.contains(&(entry.key, entry.sequence)))
        });
        kept.into_iter().try_for_each(|line| out.write_all(line)).map_err(io_error("write", &part))
    })?;
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(io_error("write", &part))?;
    std::fs::rename(&part, path).map_err(io_error("write", path))
}
