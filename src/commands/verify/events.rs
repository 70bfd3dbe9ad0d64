//! Reading an export of CloudTrail events: a package, a folder, or a file, in any of the shapes that AWS and this program
//! write. One file is in memory at a time; what cannot be read is told, and the rest is read.

use super::super::CommandError;
use crate::package::{self, Corroboration, OpenPackage, Record, Step};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The largest file that is read, unpacked, other than one with a record on each line.
const LARGEST: u64 = 1 << 30;
/// The longest record: CloudTrail's own limit is 256 KiB.
const LONGEST_LINE: u64 = 16 << 20;
/// How deep folders are looked into.
const DEEPEST: usize = 32;

/// Holds the calls of a package against the events in an export.
pub(super) fn corroborate(
    opened: &mut OpenPackage,
    export: &Path,
) -> Result<(Step, Vec<package::Confirmed>), CommandError> {
    if !opened.has(package::CALLS) {
        return Ok((package::nothing_to_corroborate(), Vec::new()));
    }
    let mut calls = Corroboration::of(opened).map_err(CommandError::no_package)?;
    let mut unreadable = Vec::new();
    if export.is_dir() {
        folder(export, 0, &mut calls, &mut unreadable)?;
    } else if export.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip")) {
        let mut other = package::open_intact(export).map_err(CommandError::usage)?;
        let paths: Vec<String> =
            other.paths().filter(|path| path.starts_with("evidence/") && is_events(path)).map(str::to_owned).collect();
        for path in paths {
            let read = other.with_reader(&path, |input| lines(BufReader::new(input), &mut calls));
            if let Err(reason) = read.map_err(|e| e.to_string()).and_then(|told| told) {
                unreadable.push(format!("{path}: {reason}"));
            }
        }
    } else {
        file(export, &mut calls)
            .map_err(|reason| CommandError::usage(format!("cannot read the events {}: {reason}", export.display())))?;
    }
    Ok(calls.conclude(&unreadable))
}

fn is_events(path: &str) -> bool {
    path.ends_with("/cloudtrail/events.jsonl")
}

/// Everything in a folder that can hold events. Links are not followed.
fn folder(
    path: &Path,
    depth: usize,
    calls: &mut Corroboration,
    unreadable: &mut Vec<String>,
) -> Result<(), CommandError> {
    let cannot = |e: std::io::Error| CommandError::usage(format!("cannot read {}: {e}", path.display()));
    let mut entries: Vec<_> = std::fs::read_dir(path).map_err(cannot)?.collect::<Result<_, _>>().map_err(cannot)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() && depth < DEEPEST {
            folder(&entry.path(), depth + 1, calls, unreadable)?;
        } else if kind.is_file()
            && [".json", ".json.gz", ".jsonl"].iter().any(|ending| name.ends_with(ending))
            && let Err(reason) = file(&entry.path(), calls)
        {
            unreadable.push(format!("{name}: {reason}"));
        }
    }
    Ok(())
}

fn file(path: &Path, calls: &mut Corroboration) -> Result<(), String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let opened = File::open(path).map_err(|e| e.to_string())?;
    let input: Box<dyn Read> =
        if name.ends_with(".gz") { Box::new(MultiGzDecoder::new(BufReader::new(opened))) } else { Box::new(opened) };
    if name.ends_with(".jsonl") {
        return lines(BufReader::new(input), calls);
    }
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    let lost = records(&bytes)?.iter().filter(|record| !see(record.as_bytes(), calls)).count();
    told(lost)
}

fn told(lost: usize) -> Result<(), String> {
    if lost == 0 { Ok(()) } else { Err(format!("{lost} of its records cannot be read")) }
}

/// A record on each line.
fn lines(mut input: impl BufRead, calls: &mut Corroboration) -> Result<(), String> {
    let mut line = Vec::new();
    let mut lost = 0;
    loop {
        line.clear();
        let n = (&mut input).take(LONGEST_LINE + 1).read_until(b'\n', &mut line).map_err(|e| e.to_string())?;
        match n as u64 {
            0 => return told(lost),
            n if n > LONGEST_LINE => return Err(format!("a line has more than {LONGEST_LINE} bytes")),
            _ if line.iter().all(u8::is_ascii_whitespace) => {}
            _ => lost += usize::from(!see(&line, calls)),
        }
    }
}

/// A log file of a trail, or what `aws cloudtrail lookup-events` prints.
#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "Records", default)]
    records: Vec<Box<RawValue>>,
    #[serde(rename = "Events", default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "CloudTrailEvent")]
    record: Option<String>,
}

fn records(bytes: &[u8]) -> Result<Vec<String>, String> {
    let no_events = |e: serde_json::Error| format!("it holds no CloudTrail events: {e}");
    if bytes.trim_ascii_start().starts_with(b"[") {
        let list: Vec<Box<RawValue>> = serde_json::from_slice(bytes).map_err(no_events)?;
        return Ok(list.into_iter().map(|record| record.get().to_owned()).collect());
    }
    // Digests and other documents have neither member, and hold no events.
    let listing: Listing = serde_json::from_slice(bytes).map_err(no_events)?;
    let records = listing.records.into_iter().map(|record| record.get().to_owned());
    Ok(records.chain(listing.events.into_iter().filter_map(|event| event.record)).collect())
}

/// Whether a record can be read.
fn see(record: &[u8], calls: &mut Corroboration) -> bool {
    serde_json::from_slice::<Record>(record).map(|record| calls.see(&record)).is_ok()
}
