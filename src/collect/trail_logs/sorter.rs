//! Sorts any number of events in bounded memory, and removes duplicates.
//!
//! Events are collected in a buffer; a full buffer is sorted and written to a run, an unlinked temporary
//! file in the caller's folder; at the end the runs are merged. The order is that of group, time, id and
//! content, so that the same set of events gives the same bytes, whatever order they came in.
//!
//! Two events with the same id and the same content are one event, delivered twice. Two with the same id
//! and different content are a contradiction: both are kept, and the id is reported, even when their times
//! lie far apart. For that, a second, much smaller sort keeps a 16-byte mark of each id.
//!
//! It knows nothing of CloudTrail, so that LookupEvents can use it as well.

mod marks;
mod runs;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use marks::{Contradictions, Marker, Marks};
use runs::{Buffer, Entry, Merge, Run};

/// A bound on group and id; real ones have at most 40 bytes.
pub const MAX_KEY_BYTES: usize = 1024;

/// A bound on one event.
pub const MAX_EVENT_BYTES: usize = 64 << 20;

/// How many contradictory ids are named; all are counted.
pub const MAX_NAMED: usize = 1000;

/// Why sorting cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SorterError {
    /// The disk refused.
    #[error("cannot {action} the temporary sort files in {folder}: {source}; free space there or choose another work folder", folder = folder.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// Where.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was written is not what is read back.
    #[error("the temporary sort files in {folder} were changed while they were in use; check the disk and start again", folder = folder.display())]
    Corrupt {
        /// Where.
        folder: PathBuf,
    },
    /// An event that is larger than any event can be.
    #[error("an event has {bytes} bytes in its {part}, more than the limit of {limit}; leave it out")]
    TooLarge {
        /// The part of the event.
        part: &'static str,
        /// Its size.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
}

/// One event, as the caller gives it and gets it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item<'a> {
    /// What comes first in the order: the Region, as a rule.
    pub group: &'a str,
    /// In milliseconds since 1970.
    pub time_ms: i64,
    /// The event's id.
    pub id: &'a str,
    /// The event.
    pub raw: &'a [u8],
}

/// What became of the events. Complete once [`SortedEvents::next_event`] returned `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SortCounts {
    /// Given to the sorter.
    pub pushed: u64,
    /// Given back.
    pub kept: u64,
    /// Removed: same id, same content.
    pub duplicates: u64,
    /// Ids under which there are events of different content. All of those events are kept.
    pub contradictory_ids: u64,
    /// The first [`MAX_NAMED`] of these ids, in order.
    pub named: Vec<String>,
}

/// Takes events from any number of threads.
#[derive(Debug)]
pub struct EventSorter {
    folder: PathBuf,
    /// Of one buffer.
    buffer_bytes: usize,
    marker: Marker,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    buffer: Buffer,
    marks: Marks,
    runs: Vec<Run>,
    pushed: u64,
}

/// More open files than this are merged into one before the end.
const MAX_RUNS: usize = 96;

impl EventSorter {
    /// A sorter that keeps its runs in `folder` and uses about `memory` bytes, at least 4 MiB. The runs
    /// need as much space as the events; they vanish when the process ends, however it ends.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn new(folder: &Path, memory: usize) -> Result<Self, SorterError> {
        // While one buffer is being written, others fill: one for each thread that pushes, at worst. The
        // merge needs a read buffer per run. A quarter of the bound each leaves room for both.
        let buffer_bytes = memory.max(4 << 20) / 4;
        // Find out now, not after an hour, that the folder cannot be written to.
        tempfile::tempfile_in(folder).map_err(|source| SorterError::Io {
            action: "create",
            folder: folder.to_path_buf(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_path_buf(),
            buffer_bytes,
            marker: Marker::new(),
            state: Mutex::new(State {
                buffer: Buffer::default(),
                marks: Marks::new(buffer_bytes / 8),
                runs: Vec::new(),
                pushed: 0,
            }),
        })
    }

    /// Takes one event.
    ///
    /// # Errors
    /// The disk is full, or the event too large.
    pub fn push(&self, item: Item<'_>) -> Result<(), SorterError> {
        check("group", item.group.len(), MAX_KEY_BYTES)?;
        check("id", item.id.len(), MAX_KEY_BYTES)?;
        check("content", item.raw.len(), MAX_EVENT_BYTES)?;
        let mark = self.marker.mark(item);
        let mut state = self.lock();
        state.pushed += 1;
        state.buffer.push(item);
        state.marks.push(mark, &self.folder)?;
        if state.buffer.bytes() < self.buffer_bytes {
            return Ok(());
        }
        let full = std::mem::take(&mut state.buffer);
        // Sorting and writing happen outside the lock, so that other threads go on.
        drop(state);
        self.spill(full)
    }

    fn spill(&self, buffer: Buffer) -> Result<(), SorterError> {
        let run = buffer.into_run(&self.folder)?;
        let mut state = self.lock();
        state.runs.push(run);
        if state.runs.len() < MAX_RUNS {
            return Ok(());
        }
        // The shortest first: otherwise one long run would be copied again and again.
        state.runs.sort_by_key(Run::bytes);
        let some: Vec<Run> = state.runs.drain(..MAX_RUNS / 2).collect();
        drop(state);
        let merged = Merge::new(some, &self.folder)?.into_run()?;
        self.lock().runs.push(merged);
        Ok(())
    }

    /// Ends the collecting. No thread may be pushing any more, which the signature sees to.
    ///
    /// # Errors
    /// The disk is full.
    pub fn finish(self) -> Result<SortedEvents, SorterError> {
        let mut state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let buffer = std::mem::take(&mut state.buffer);
        state.runs.push(buffer.into_run(&self.folder)?);
        let contradictions = state.marks.finish(self.marker, &self.folder)?;
        Ok(SortedEvents {
            merge: Merge::new(state.runs, &self.folder)?,
            previous: Entry::default(),
            counts: SortCounts {
                pushed: state.pushed,
                contradictory_ids: contradictions.count(),
                ..SortCounts::default()
            },
            contradictions,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No invariant spans a panic: a poisoned state is still a list of whole events.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(part: &'static str, bytes: usize, limit: usize) -> Result<(), SorterError> {
    if bytes > limit { Err(SorterError::TooLarge { part, bytes, limit }) } else { Ok(()) }
}

/// The events in order, without duplicates.
#[derive(Debug)]
pub struct SortedEvents {
    merge: Merge,
    previous: Entry,
    counts: SortCounts,
    contradictions: Contradictions,
}

impl SortedEvents {
    /// The next event; `None` after the last. It lives until the next call, which is why this is no `Iterator`.
    ///
    /// # Errors
    /// The disk does not give back what was written.
    pub fn next_event(&mut self) -> Result<Option<Item<'_>>, SorterError> {
        let mut next = Entry::default();
        loop {
            if !self.merge.next_into(&mut next)? {
                return Ok(None);
            }
            if self.counts.kept > 0 && next == self.previous {
                self.counts.duplicates += 1;
                continue;
            }
            break;
        }
        if self.contradictions.holds(next.item()) {
            let id = next.item().id;
            let named = &mut self.counts.named;
            // Few, and sorted at once, since events of one id need not follow each other.
            if let Err(place) = named.binary_search_by(|known| known.as_str().cmp(id)) {
                named.insert(place, id.to_owned());
                named.truncate(MAX_NAMED);
            }
        }
        self.counts.kept += 1;
        self.previous = next;
        Ok(Some(self.previous.item()))
    }

    /// What became of the events so far.
    #[must_use]
    pub fn counts(&self) -> &SortCounts {
        &self.counts
    }
}

#[cfg(test)]
mod tests;
