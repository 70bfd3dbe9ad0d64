//! The log of the calls: its lines stay on disk, and what finds them is in memory.
//!
//! A run of hours makes tens of thousands of lines. Of each, memory holds its place in the file and what it is sorted by.

use super::{Entry, RecordingError, io_error, malformed, private};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// The longest line that is read, in bytes. Lines have a few hundred.
const LONGEST_LINE: u64 = 16 << 20;

/// Reads the next line of a log, with what ends it, in place of what `line` holds; how many bytes it has, 0 at the end.
/// A line that is longer than any can be is an error, and is not taken into memory.
pub(crate) fn next_line(log: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    let read = log.by_ref().take(LONGEST_LINE).read_until(b'\n', line)?;
    match line.last() {
        Some(last) if *last != b'\n' && read as u64 == LONGEST_LINE => {
            Err(io::Error::new(io::ErrorKind::InvalidData, format!("a line is longer than {LONGEST_LINE} bytes")))
        }
        _ => Ok(read),
    }
}

/// The log in its file.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// Open while a run goes on, closed for a replay.
    writer: Option<File>,
    reader: File,
    /// How long the whole lines are together.
    end: u64,
    /// By request identity, sequence and attempt.
    lines: BTreeMap<(Box<str>, u32, u32), Line>,
    /// What was asked so far, each once.
    questions: BTreeSet<Arc<Question>>,
}

/// Operation, Region and resource.
type Question = (String, Option<String>, Option<String>);

/// Where a line is.
#[derive(Clone, Debug)]
struct Line {
    at: u64,
    length: u32,
    page: u32,
    question: Arc<Question>,
}

impl Log {
    /// A log without lines, in a file that must not exist.
    pub fn create(path: PathBuf) -> Result<Self, RecordingError> {
        let writer = private().create_new(true).append(true).open(&path).map_err(io_error("create", &path))?;
        Ok(Self { writer: Some(writer), ..Self::empty(path)? })
    }

    /// A log that is not read, of a file that is there.
    pub fn empty(path: PathBuf) -> Result<Self, RecordingError> {
        let reader = File::open(&path).map_err(io_error("read", &path))?;
        Ok(Self { path, writer: None, reader, end: 0, lines: BTreeMap::new(), questions: BTreeSet::new() })
    }

    /// A finished log.
    pub fn open(path: PathBuf) -> Result<Self, RecordingError> {
        let (log, torn) = Self::read(path)?;
        match torn {
            true => Err(malformed(&log.path, "its last line is cut off: the run was interrupted".to_owned())),
            false => Ok(log),
        }
    }

    /// The log of an interrupted run, to go on with it. A line that was being written when the run was killed is removed.
    pub fn resume(path: PathBuf) -> Result<Self, RecordingError> {
        let (mut log, torn) = Self::read(path)?;
        let writer = private().append(true).open(&log.path).map_err(io_error("open", &log.path))?;
        if torn {
            writer.set_len(log.end).map_err(io_error("mend", &log.path))?;
        }
        log.writer = Some(writer);
        Ok(log)
    }

    /// Reads all lines. Also says whether the last one is cut off.
    fn read(path: PathBuf) -> Result<(Self, bool), RecordingError> {
        let mut log = Self::empty(path)?;
        let mut lines = BufReader::new(log.reader.try_clone().map_err(io_error("read", &log.path))?);
        let mut line = Vec::new();
        for number in 1.. {
            if next_line(&mut lines, &mut line).map_err(io_error("read", &log.path))? == 0 {
                break;
            }
            if line.last() != Some(&b'\n') {
                return Ok((log, true));
            }
            let entry: Entry =
                serde_json::from_slice(&line).map_err(|e| malformed(&log.path, format!("line {number}: {e}")))?;
            if !log.index(&entry, line.len()) {
                return Err(malformed(
                    &log.path,
                    format!("line {number} is about an attempt that an earlier line has"),
                ));
            }
        }
        Ok((log, false))
    }

    /// Notes the line that ends the file. `false` if there is one about the same attempt.
    fn index(&mut self, entry: &Entry, length: usize) -> bool {
        let question = (entry.operation.clone(), entry.region.clone(), entry.resource.clone());
        let question = match self.questions.get(&question) {
            Some(known) => Arc::clone(known),
            None => {
                let question = Arc::new(question);
                self.questions.insert(Arc::clone(&question));
                question
            }
        };
        let key = (entry.key.as_str().into(), entry.sequence, entry.attempt);
        // A line has a few hundred bytes; one of 4 GiB would not have been parsed.
        let line = Line { at: self.end, length: u32::try_from(length).unwrap_or(u32::MAX), page: entry.page, question };
        self.end += length as u64;
        self.lines.insert(key, line).is_none()
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Which attempt of a request was the last, from 1; 0 if there was none.
    pub fn attempts(&self, key: &str, sequence: u32) -> u32 {
        self.last(key, sequence).map_or(0, |(attempt, _)| attempt)
    }

    fn last(&self, key: &str, sequence: u32) -> Option<(u32, &Line)> {
        let of = |attempt: u32| (Box::from(key), sequence, attempt);
        self.lines.range(of(0)..=of(u32::MAX)).next_back().map(|((_, _, attempt), line)| (*attempt, line))
    }

    /// The last attempt of a request, if it was recorded.
    pub fn last_attempt(&mut self, key: &str, sequence: u32) -> Result<Option<Entry>, RecordingError> {
        let Some((_, line)) = self.last(key, sequence) else { return Ok(None) };
        let (at, length) = (line.at, line.length);
        self.entry(at, length).map(Some)
    }

    /// Where all lines are, in the order of a package: by operation, Region, resource, page, identity, sequence, attempt.
    pub fn places(&self) -> Vec<(u64, u32)> {
        let mut lines: Vec<_> = self.lines.iter().collect();
        // Stable: what is left to compare is the order of the map.
        lines.sort_by(|(_, a), (_, b)| (&a.question, a.page).cmp(&(&b.question, b.page)));
        lines.into_iter().map(|(_, line)| (line.at, line.length)).collect()
    }

    /// The line at a place.
    pub fn entry(&mut self, at: u64, length: u32) -> Result<Entry, RecordingError> {
        let mut line = vec![0; length as usize];
        let read = self.reader.seek(SeekFrom::Start(at)).and_then(|_| self.reader.read_exact(&mut line));
        read.map_err(io_error("read", &self.path))?;
        serde_json::from_slice(&line).map_err(|e| malformed(&self.path, format!("the line at byte {at}: {e}")))
    }

    /// Appends a line, whole or not at all.
    pub fn append(&mut self, entry: &Entry) -> Result<(), RecordingError> {
        let mut line = serde_json::to_vec(entry).map_err(|e| malformed(&self.path, e.to_string()))?;
        line.push(b'\n');
        let Some(writer) = &mut self.writer else {
            return Err(malformed(&self.path, "it takes no more calls".to_owned()));
        };
        if let Err(error) = writer.write_all(&line) {
            // A full disk takes part of a line, and may take the next one after that: the two would be one broken line.
            if writer.set_len(self.end).is_err() {
                self.writer = None;
            }
            return Err(io_error("write", &self.path)(error));
        }
        self.index(entry, line.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_for_a_log_is_not_read_into_memory() {
        let mut line = Vec::new();
        let mut log = BufReader::new(io::repeat(b'x').take(LONGEST_LINE * 3));
        let error = next_line(&mut log, &mut line).unwrap_err();
        assert!(error.to_string().contains("longer than") && line.len() as u64 == LONGEST_LINE, "{error}");
        let mut log = BufReader::new(&b"{}\n\n{"[..]);
        for expected in [&b"{}\n"[..], b"\n", b"{", b""] {
            assert_eq!(next_line(&mut log, &mut line).unwrap(), expected.len());
            assert_eq!(line, expected);
        }
    }
}
