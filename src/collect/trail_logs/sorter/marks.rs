//! Finds ids under which there are events of different content, wherever in the order they lie.
//!
//! For each event a mark is kept: 16 bytes that stand for its id, 8 that stand for its time and content.
//! Sorted, the marks of one id lie side by side. Marks are SipHash values under keys that are drawn anew
//! for each sorter, so that nobody can prepare events that collide; they never reach the output.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::runs::failed;
use super::{Item, SorterError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    id: u128,
    content: u64,
}

const MARK: usize = 24;

/// The keys of one sorter.
#[derive(Debug, Clone)]
pub(super) struct Marker {
    keys: [RandomState; 3],
}

impl Marker {
    pub(super) fn new() -> Self {
        Self { keys: [RandomState::new(), RandomState::new(), RandomState::new()] }
    }

    pub(super) fn mark(&self, item: Item<'_>) -> Mark {
        let [_, _, key] = &self.keys;
        let mut content = key.build_hasher();
        content.write_i64(item.time_ms);
        content.write(item.raw);
        Mark { id: self.id(item), content: content.finish() }
    }

    /// The group is left out: one id in two groups is a contradiction too.
    fn id(&self, item: Item<'_>) -> u128 {
        let [high, low, _] = &self.keys;
        let half = |key: &RandomState| u128::from(key.hash_one(item.id));
        half(high) << 64 | half(low)
    }
}

/// Collects marks.
#[derive(Debug)]
pub(super) struct Marks {
    buffer: Vec<Mark>,
    /// How many marks the buffer may hold.
    room: usize,
    runs: Vec<(File, u64)>,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Contradictions {
    marker: Marker,
    ids: HashSet<u128>,
    count: u64,
}

/// Ids are remembered up to this number, to be named; all are counted.
const MAX_REMEMBERED: usize = 10_000;

/// More runs than this are merged into one.
const MAX_RUNS: usize = 64;

impl Marks {
    pub(super) fn new(bytes: usize) -> Self {
        Self { buffer: Vec::new(), room: (bytes / size_of::<Mark>()).max(1024), runs: Vec::new() }
    }

    pub(super) fn push(&mut self, mark: Mark, folder: &Path) -> Result<(), SorterError> {
        self.buffer.push(mark);
        if self.buffer.len() < self.room {
            return Ok(());
        }
        self.spill(folder)?;
        if self.runs.len() >= MAX_RUNS {
            let runs = std::mem::take(&mut self.runs);
            let mut writer = Writer::new(folder)?;
            merge(runs, folder, |mark| writer.write(mark))?;
            self.runs.push(writer.finish()?);
        }
        Ok(())
    }

    fn spill(&mut self, folder: &Path) -> Result<(), SorterError> {
        self.buffer.sort_unstable();
        let mut writer = Writer::new(folder)?;
        for mark in self.buffer.drain(..) {
            writer.write(mark)?;
        }
        self.runs.push(writer.finish()?);
        Ok(())
    }

    pub(super) fn finish(mut self, marker: Marker, folder: &Path) -> Result<Contradictions, SorterError> {
        let mut found = Contradictions { marker, ids: HashSet::new(), count: 0 };
        let mut last: Option<Mark> = None;
        let mut counted = None;
        let mut see = |mark: Mark| {
            if last.is_some_and(|l| l.id == mark.id && l.content != mark.content) && counted != Some(mark.id) {
                counted = Some(mark.id);
                found.count += 1;
                if found.ids.len() < MAX_REMEMBERED {
                    found.ids.insert(mark.id);
                }
            }
            last = Some(mark);
        };
        if self.runs.is_empty() {
            self.buffer.sort_unstable();
            self.buffer.iter().copied().for_each(see);
        } else {
            self.spill(folder)?;
            merge(self.runs, folder, |mark| {
                see(mark);
                Ok(())
            })?;
        }
        Ok(found)
    }
}

impl Contradictions {
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn holds(&self, item: Item<'_>) -> bool {
        !self.ids.is_empty() && self.ids.contains(&self.marker.id(item))
    }
}

struct Writer<'a> {
    folder: &'a Path,
    writer: BufWriter<File>,
    count: u64,
}

impl<'a> Writer<'a> {
    fn new(folder: &'a Path) -> Result<Self, SorterError> {
        let file = tempfile::tempfile_in(folder).map_err(|e| failed("create", folder, e))?;
        Ok(Self { folder, writer: BufWriter::with_capacity(64 << 10, file), count: 0 })
    }

    fn write(&mut self, mark: Mark) -> Result<(), SorterError> {
        self.count += 1;
        let mut bytes = [0; MARK];
        let (id, content) = bytes.split_at_mut(16);
        id.copy_from_slice(&mark.id.to_le_bytes());
        content.copy_from_slice(&mark.content.to_le_bytes());
        self.writer.write_all(&bytes).map_err(|e| failed("write", self.folder, e))
    }

    fn finish(self) -> Result<(File, u64), SorterError> {
        let file = self.writer.into_inner().map_err(|e| e.into_error());
        let rewound = file.and_then(|mut file| file.rewind().map(|()| file));
        Ok((rewound.map_err(|e| failed("write", self.folder, e))?, self.count))
    }
}

fn merge(
    runs: Vec<(File, u64)>,
    folder: &Path,
    mut see: impl FnMut(Mark) -> Result<(), SorterError>,
) -> Result<(), SorterError> {
    let mut readers: Vec<_> =
        runs.into_iter().map(|(file, left)| (BufReader::with_capacity(32 << 10, file), left)).collect();
    let count = readers.len();
    let mut read = |number: usize| -> Result<Option<Mark>, SorterError> {
        let Some((reader, left)) = readers.get_mut(number).filter(|(_, left)| *left > 0) else {
            return Ok(None);
        };
        *left -= 1;
        let (mut id, mut content) = ([0; 16], [0; 8]);
        let outcome = reader.read_exact(&mut id).and_then(|()| reader.read_exact(&mut content));
        outcome.map_err(|e| failed("read", folder, e))?;
        Ok(Some(Mark { id: u128::from_le_bytes(id), content: u64::from_le_bytes(content) }))
    };
    let mut heads = BinaryHeap::new();
    for number in 0..count {
        if let Some(mark) = read(number)? {
            heads.push(Reverse((mark, number)));
        }
    }
    while let Some(Reverse((mark, number))) = heads.pop() {
        see(mark)?;
        if let Some(next) = read(number)? {
            heads.push(Reverse((next, number)));
        }
    }
    Ok(())
}
