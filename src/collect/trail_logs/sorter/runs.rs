//! The buffer of events in memory, runs of sorted events on disk, and their merge.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::{Item, MAX_EVENT_BYTES, MAX_KEY_BYTES, SorterError};

/// Events in memory: their bytes one after the other, and where each begins.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    time_ms: i64,
    start: usize,
    group: u32,
    id: u32,
    raw: u32,
}

impl Buffer {
    pub(super) fn push(&mut self, item: Item<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(item.group.as_bytes());
        self.bytes.extend_from_slice(item.id.as_bytes());
        self.bytes.extend_from_slice(item.raw);
        // The sorter refused longer parts.
        let short = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.places.push(Place {
            time_ms: item.time_ms,
            start,
            group: short(item.group.as_bytes()),
            id: short(item.id.as_bytes()),
            raw: short(item.raw),
        });
    }

    /// What it occupies; vectors that double can have reserved twice as much.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + self.places.len() * size_of::<Place>()
    }

    fn parts(&self, place: &Place) -> (&[u8], i64, &[u8], &[u8]) {
        let part = |start: usize, length: u32| {
            let end = start.saturating_add(length as usize);
            (self.bytes.get(start..end).unwrap_or_default(), end)
        };
        let (group, end) = part(place.start, place.group);
        let (id, end) = part(end, place.id);
        let (raw, _) = part(end, place.raw);
        (group, place.time_ms, id, raw)
    }

    /// Sorts and writes.
    pub(super) fn into_run(mut self, folder: &Path) -> Result<Run, SorterError> {
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|a, b| self.parts(a).cmp(&self.parts(b)));
        let mut writer = RunWriter::new(folder)?;
        for place in &places {
            let (group, time_ms, id, raw) = self.parts(place);
            writer.write(group, time_ms, id, raw)?;
        }
        writer.finish()
    }
}

/// Sorted events on disk, ready to be read from the start.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    bytes: u64,
    count: u64,
}

impl Run {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

struct RunWriter<'a> {
    folder: &'a Path,
    writer: BufWriter<File>,
    bytes: u64,
    count: u64,
}

const HEADER: usize = 8 + 4 + 4 + 4;

impl<'a> RunWriter<'a> {
    fn new(folder: &'a Path) -> Result<Self, SorterError> {
        let file = tempfile::tempfile_in(folder).map_err(|source| failed("create", folder, source))?;
        Ok(Self { folder, writer: BufWriter::with_capacity(128 << 10, file), bytes: 0, count: 0 })
    }

    fn write(&mut self, group: &[u8], time_ms: i64, id: &[u8], raw: &[u8]) -> Result<(), SorterError> {
        let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
        let mut write = |bytes: &[u8]| {
            self.bytes += bytes.len() as u64;
            self.writer.write_all(bytes).map_err(|source| failed("write", self.folder, source))
        };
        write(&time_ms.to_le_bytes())?;
        write(&length(group))?;
        write(&length(id))?;
        write(&length(raw))?;
        write(group)?;
        write(id)?;
        write(raw)?;
        self.count += 1;
        Ok(())
    }

    fn finish(self) -> Result<Run, SorterError> {
        let rewound = self.writer.into_inner().map_err(io::IntoInnerError::into_error).and_then(|mut file| {
            file.rewind()?;
            Ok(file)
        });
        let file = rewound.map_err(|source| failed("write", self.folder, source))?;
        Ok(Run { file, bytes: self.bytes, count: self.count })
    }
}

pub(super) fn failed(action: &'static str, folder: &Path, source: io::Error) -> SorterError {
    SorterError::Io { action, folder: folder.to_path_buf(), source }
}

/// One event that was read back.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    group: String,
    time_ms: i64,
    id: String,
    raw: Vec<u8>,
}

impl Entry {
    pub(super) fn item(&self) -> Item<'_> {
        Item { group: &self.group, time_ms: self.time_ms, id: &self.id, raw: &self.raw }
    }
}

/// Runs being merged.
#[derive(Debug)]
pub(super) struct Merge {
    folder: PathBuf,
    readers: Vec<Reader>,
    /// The next event of each run, with the run's number.
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
}

#[derive(Debug)]
struct Reader {
    reader: BufReader<File>,
    left: u64,
}

impl Merge {
    pub(super) fn new(runs: Vec<Run>, folder: &Path) -> Result<Self, SorterError> {
        let mut merge = Self { folder: folder.to_path_buf(), readers: Vec::new(), heads: BinaryHeap::new() };
        for run in runs {
            merge.readers.push(Reader { reader: BufReader::with_capacity(64 << 10, run.file), left: run.count });
        }
        for number in 0..merge.readers.len() {
            merge.advance(number, Entry::default())?;
        }
        Ok(merge)
    }

    /// Puts the next event into `entry`, whose memory is used again; false after the last.
    pub(super) fn next_into(&mut self, entry: &mut Entry) -> Result<bool, SorterError> {
        let Some(Reverse((next, number))) = self.heads.pop() else {
            return Ok(false);
        };
        let used = std::mem::replace(entry, next);
        self.advance(number, used)?;
        Ok(true)
    }

    fn advance(&mut self, number: usize, mut entry: Entry) -> Result<(), SorterError> {
        let Some(reader) = self.readers.get_mut(number) else {
            return Ok(());
        };
        if reader.left == 0 {
            return Ok(());
        }
        reader.left -= 1;
        match reader.read(&mut entry) {
            Ok(true) => self.heads.push(Reverse((entry, number))),
            Ok(false) => {
                return Err(SorterError::Corrupt { folder: self.folder.clone() });
            }
            Err(source) => return Err(failed("read", &self.folder, source)),
        }
        Ok(())
    }

    /// Writes everything into one run.
    pub(super) fn into_run(mut self) -> Result<Run, SorterError> {
        let folder = self.folder.clone();
        let mut writer = RunWriter::new(&folder)?;
        let mut entry = Entry::default();
        while self.next_into(&mut entry)? {
            writer.write(entry.group.as_bytes(), entry.time_ms, entry.id.as_bytes(), &entry.raw)?;
        }
        writer.finish()
    }
}

impl Reader {
    /// False if what is read cannot have been written.
    fn read(&mut self, entry: &mut Entry) -> io::Result<bool> {
        let mut header = [0; HEADER];
        self.reader.read_exact(&mut header)?;
        let [t0, t1, t2, t3, t4, t5, t6, t7, g0, g1, g2, g3, i0, i1, i2, i3, r0, r1, r2, r3] = header;
        entry.time_ms = i64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]);
        let length = |bytes| u32::from_le_bytes(bytes) as usize;
        let (group, id, raw) = (length([g0, g1, g2, g3]), length([i0, i1, i2, i3]), length([r0, r1, r2, r3]));
        if group > MAX_KEY_BYTES || id > MAX_KEY_BYTES || raw > MAX_EVENT_BYTES {
            return Ok(false);
        }
        let sound = self.text(&mut entry.group, group)? && self.text(&mut entry.id, id)?;
        entry.raw.resize(raw, 0);
        self.reader.read_exact(&mut entry.raw)?;
        Ok(sound)
    }

    fn text(&mut self, text: &mut String, length: usize) -> io::Result<bool> {
        let mut bytes = std::mem::take(text).into_bytes();
        bytes.resize(length, 0);
        self.reader.read_exact(&mut bytes)?;
        match String::from_utf8(bytes) {
            Ok(read) => {
                *text = read;
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }
}
