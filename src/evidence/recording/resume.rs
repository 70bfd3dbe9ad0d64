//! Opening the recording of an interrupted run to go on with it.
//!
//! A process that is killed leaves at most a last line that is cut off. A computer that loses its power can leave more:
//! lines of zeros, bodies that are empty or half-written. Whatever of a request cannot be read back counts as never
//! asked, and is asked again; nothing is believed that its digest does not confirm.

use super::{CALLS_FILE, Entries, Entry, Log, Recording, RecordingError, Response, io_error, private, write_new};
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

/// A recording that is gone on with.
#[derive(Debug)]
pub struct Resumed {
    /// The recording.
    pub recording: Recording,
    /// How many requests' answers were recorded and cannot be read back. They are asked again.
    pub lost: u64,
}

impl Recording {
    /// Opens the recording of an interrupted run to go on with it. A line that was being written when the
    /// run was killed is removed; its request is made again. So are requests whose recorded answers were lost.
    pub fn resume(dir: &Path) -> Result<Resumed, RecordingError> {
        let path = dir.join(CALLS_FILE);
        // A run that was killed at once has written its facts and nothing more.
        let file = private().read(true).append(true).create(true).open(&path).map_err(io_error("open", &path))?;
        let (mut entries, unreadable) = read_lines(&path, &file)?;
        let opened = Self::with(dir, Log { file: None, length: 0, entries: Entries::new() })?;
        let lost: Vec<_> = entries
            .par_iter()
            .filter(|(_, attempts)| attempts.iter().any(|entry| !opened.has_body(entry)))
            .map(|(request, _)| request.clone())
            .collect();
        for request in &lost {
            entries.remove(request);
        }
        let file = if unreadable > 0 || !lost.is_empty() {
            rewrite(&path, &entries)?;
            private().append(true).open(&path).map_err(io_error("open", &path))?
        } else {
            file
        };
        let length = file.metadata().map_err(io_error("open", &path))?.len();
        let log = Log { file: Some(file), length, entries };
        Ok(Resumed { recording: Self::with(dir, log)?, lost: lost.len() as u64 + unreadable })
    }

    fn has_body(&self, entry: &Entry) -> bool {
        entry.response.as_ref().is_none_or(|response: &Response| self.body(response).is_ok())
    }
}

/// Reads what can be read of a log; how many whole lines cannot. A last line that is cut off is removed.
fn read_lines(path: &Path, mut file: &File) -> Result<(Entries, u64), RecordingError> {
    let mut entries = Entries::new();
    let mut unreadable = 0;
    let mut whole = 0;
    file.seek(SeekFrom::Start(0)).map_err(io_error("read", path))?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).map_err(io_error("read", path))?;
        if line.last() != Some(&b'\n') {
            if read > 0 {
                file.set_len(whole).map_err(io_error("mend", path))?;
            }
            break;
        }
        whole += read as u64;
        match serde_json::from_slice::<Entry>(&line) {
            Ok(entry) => {
                entries.entry((entry.key.clone(), entry.sequence)).or_default().push(Arc::new(entry));
            }
            Err(_) => unreadable += 1,
        }
    }
    for attempts in entries.values_mut() {
        attempts.sort_by_key(|entry| entry.attempt);
    }
    Ok((entries, unreadable))
}

/// Writes the log anew with what is left of it, whole or not at all.
fn rewrite(path: &Path, entries: &Entries) -> Result<(), RecordingError> {
    let mut text = Vec::new();
    for entry in entries.values().flatten() {
        let written: io::Result<()> = serde_json::to_writer(&mut text, entry.as_ref()).map_err(io::Error::from);
        written.map_err(io_error("write", path))?;
        text.push(b'\n');
    }
    write_new(path, &text)
}
