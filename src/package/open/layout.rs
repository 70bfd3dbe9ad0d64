//! Whether every byte of the zip belongs to an entry or to the directory, once.
//!
//! A zip is read from its end: bytes before the first entry, between entries, or in comments and extra fields are seen by
//! no reader and by no checksum, and entries may share bytes. Nothing of that does harm by itself; none of it is in a
//! package as it was written, so that each is a sign of another hand. The zip is read here without the `zip` crate, whose
//! reading of it this is to be held against.

use super::super::check::Problem;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// The id of the extra field for sizes of 4 GiB and more.
const EXTRA_64: u16 = 1;
/// Flags: the sizes follow the data; the name is UTF-8. Others are refused before.
const SIZES_FOLLOW: u16 = 1 << 3;
const UTF_8: u16 = 1 << 11;

/// An entry as the directory has it.
struct Entry {
    name: String,
    header: Vec<u8>,
    packed: u64,
    offset: u64,
}

/// What is in the zip besides its entries, in another order, or twice; nothing if it is as packages are.
pub(super) fn check(file: &File) -> io::Result<Vec<Problem>> {
    let mut file = BufReader::new(file);
    let length = file.seek(SeekFrom::End(0))?;
    Ok(walk(&mut file, length).err().into_iter().collect())
}

/// Entries that take each other's place when they are unpacked where upper case is lower case, as on Windows and macOS, and
/// entries that would have to be a file and a folder. Whoever unpacks sees the one, and digests tell of both.
pub(super) fn clashes<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<Problem> {
    let mut files: BTreeMap<String, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for path in paths {
        if let Some(other) = files.insert(path.to_ascii_lowercase(), path) {
            let what =
                format!("differs from {other} in upper and lower case only: unpacked, one takes the other's place");
            problems.push(Problem::of(path, what));
        }
    }
    for (folded, path) in &files {
        let folders = folded.match_indices('/').map(|(at, _)| &folded[..at]);
        for file in folders.filter_map(|folder| files.get(folder)) {
            problems.push(Problem::of(*path, format!("lies in {file}, which is a file")));
        }
    }
    problems
}

fn whole(what: impl Into<String>) -> Problem {
    Problem::of("", what.into())
}

fn walk(file: &mut (impl Read + Seek), length: u64) -> Result<(), Problem> {
    let end = read(file, length.checked_sub(22).ok_or_else(|| whole("is too short for a zip"))?, 22)?;
    if number(&end, 0, 4) != u64::from(END) || number(&end, 20, 2) != 0 {
        return Err(whole("the zip has a comment, or bytes after its end"));
    }
    let mut count = number(&end, 10, 2);
    let mut size = number(&end, 12, 4);
    let mut start = number(&end, 16, 4);
    let mut directory_end = length - 22;
    if number(&end, 4, 4) != 0 || number(&end, 8, 2) != count {
        return Err(whole("the zip says that it is one of several parts"));
    }
    let large = count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF;
    if large {
        let at = directory_end.checked_sub(76).ok_or_else(|| whole("the zip's large directory has no end"))?;
        let record = read(file, at, 76)?;
        let is_record = number(&record, 0, 4) == u64::from(END_64)
            && number(&record, 4, 8) == 44
            && number(&record, 56, 4) == u64::from(LOCATOR_64)
            && number(&record, 64, 8) == at
            && number(&record, 16, 8) == 0
            && number(&record, 24, 8) == number(&record, 32, 8);
        if !is_record {
            return Err(whole("the zip's large directory has another end than packages have"));
        }
        (count, size, start) = (number(&record, 32, 8), number(&record, 40, 8), number(&record, 48, 8));
        directory_end = at;
    }
    if start.checked_add(size) != Some(directory_end) {
        return Err(whole("the zip has bytes before its first entry, or between its directory and its end"));
    }
    let mut entries = Vec::new();
    let mut at = start;
    for _ in 0..count {
        at = central(file, at, &mut entries)?;
    }
    if at != directory_end {
        return Err(whole("the zip's directory holds more than its entries"));
    }
    let mut at = 0;
    for entry in &entries {
        at = local(file, at, entry)?;
    }
    if at != start {
        return Err(whole("the zip has bytes between its last entry and its directory"));
    }
    Ok(())
}

/// Reads an entry of the directory; where the next one begins.
fn central(file: &mut (impl Read + Seek), at: u64, entries: &mut Vec<Entry>) -> Result<u64, Problem> {
    let header = read(file, at, 46)?;
    if number(&header, 0, 4) != u64::from(CENTRAL) {
        return Err(whole("the zip's directory has fewer entries than it says"));
    }
    let (name, extra, comment) = (number(&header, 28, 2), number(&header, 30, 2), number(&header, 32, 2));
    let rest = read(file, at + 46, name + extra)?;
    let (name, extra) = rest.split_at_checked(name as usize).unwrap_or_default();
    let name = String::from_utf8_lossy(name).escape_debug().to_string();
    if comment != 0 {
        return Err(Problem::of(name, "has a comment in the zip, which no package has"));
    }
    let mut sizes = LargeSizes::of(extra).ok_or_else(|| Problem::of(&name, EXTRA))?;
    let mut large = |small: u64| if small == 0xFFFF_FFFF { sizes.next() } else { Some(small) };
    // In this order they stand in the extra field: size, packed size, offset.
    let numbers = large(number(&header, 24, 4)).zip(large(number(&header, 20, 4))).zip(large(number(&header, 42, 4)));
    let ((_, packed), offset) = numbers.ok_or_else(|| Problem::of(&name, "has a large size that is not told"))?;
    entries.push(Entry { name, header, packed, offset });
    Ok(at + 46 + rest.len() as u64)
}

const EXTRA: &str = "has extra fields in the zip, which no package has: it was packed by another program";

/// Holds an entry's own header against the directory's; where the entry ends.
fn local(file: &mut (impl Read + Seek), at: u64, entry: &Entry) -> Result<u64, Problem> {
    let wrong = |what: &str| Problem::of(&entry.name, what);
    if entry.offset != at {
        return Err(wrong(
            "does not begin where the entry before it ends: entries overlap, or there are bytes between them",
        ));
    }
    let header = read(file, at, 30)?;
    if number(&header, 0, 4) != u64::from(LOCAL) {
        return Err(wrong("has no header of its own"));
    }
    let flags = number(&header, 6, 2) as u16;
    if flags & SIZES_FOLLOW != 0 {
        return Err(wrong("has its sizes after its data, as no package has: it was packed by another program"));
    }
    if flags & !UTF_8 != 0 {
        return Err(wrong("has flags in the zip that no package has"));
    }
    let (name, extra) = (number(&header, 26, 2), number(&header, 28, 2));
    let extra_bytes = read(file, at + 30 + name, extra)?;
    let large = !LargeSizes::of(&extra_bytes).ok_or_else(|| wrong(EXTRA))?.0.is_empty();
    // From the version to the checksum, then both sizes, then the length of the name.
    let same = |from: usize, to: usize| header.get(from..to) == entry.header.get(from + 2..to + 2);
    if !same(6, 18) || !same(26, 28) || !(large || same(18, 26)) {
        return Err(wrong("has another header of its own than the directory has"));
    }
    (at + 30 + name + extra).checked_add(entry.packed).ok_or_else(|| wrong("is larger than a zip can be"))
}

/// The numbers in the extra field for large sizes, the only one that packages have.
struct LargeSizes(std::collections::VecDeque<u64>);

impl LargeSizes {
    fn of(extra: &[u8]) -> Option<Self> {
        let numbers = match extra {
            [] => Default::default(),
            [..] => {
                let (head, numbers) = extra.split_at_checked(4)?;
                let fits = number(head, 0, 2) == u64::from(EXTRA_64) && number(head, 2, 2) == numbers.len() as u64;
                if !fits || !numbers.len().is_multiple_of(8) || numbers.len() > 24 {
                    return None;
                }
                numbers.chunks(8).map(|bytes| number(bytes, 0, 8)).collect()
            }
        };
        Some(Self(numbers))
    }

    fn next(&mut self) -> Option<u64> {
        self.0.pop_front()
    }
}

/// A little-endian number within bytes that were read in full.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn read(file: &mut (impl Read + Seek), at: u64, length: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = vec![0; length as usize];
    let done = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut bytes));
    done.map_err(|e| whole(format!("the zip's structure leads outside of it, or cannot be read: {e}")))?;
    Ok(bytes)
}
