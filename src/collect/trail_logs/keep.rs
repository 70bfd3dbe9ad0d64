//! Takes a folder of log files into a recording, so that the recording alone proves what the folder proved.
//!
//! Each file is copied as it is, at its place. Of a log file that holds session tokens a copy without them is kept,
//! and the SHA-256 of the content as it was, which is what AWS's digests list. Files of other accounts, of Regions out
//! of scope, and from long before the period are left out, and counted.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;

use super::content::{Content, ContentError};
use super::digest::hex;
use super::names;
use super::reader::{FileKind, classify};
use super::walk::{Found, walk};
use super::{Error, Limits, Problem};
use crate::evidence::call::file_name;
use crate::evidence::digest::Sha256;
use crate::evidence::recording::{RecordingError, create_private_dir, private};
use crate::evidence::redaction::Redactor;
use crate::evidence::trail_logs::{KEPT_DIR, KeptFile, KeptFiles, LeftOut};

/// How long before the period a log can be delivered and matter: not at all, but for clocks that differ.
const LOG_SLACK: TimeDelta = TimeDelta::days(1);
/// How long before the period a digest can end and matter: it shows that the chain does not start with the period.
const DIGEST_SLACK: TimeDelta = TimeDelta::days(2);
/// How many files of no use are named.
const MAX_OTHERS: usize = 20;
/// The longest path of a copy, below its folder.
const LONGEST_PATH: usize = 700;

/// What of the folder is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The account.
    pub account: String,
    /// The Regions in scope.
    pub regions: BTreeSet<String>,
    /// The start of the period.
    pub from: DateTime<Utc>,
    /// Bounds against hostile files.
    pub limits: Limits,
}

/// Why nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The folder cannot be listed.
    #[error(transparent)]
    Folder(#[from] Error),
    /// The recording cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A file with keys cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A copy cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The copy.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Copies what is wanted of the folder, and the files with public keys, into the recording. What an earlier attempt
/// has left there is replaced.
///
/// # Errors
/// The folder cannot be listed, or the recording cannot be written. What is wrong with single files is in the index.
pub fn keep(source: &Path, keys: &[PathBuf], wanted: &Wanted, recording: &Path) -> Result<KeptFiles, KeepError> {
    let folder = recording.join(KEPT_DIR);
    let unwritable = |source| KeepError::Write { path: folder.clone(), source };
    match std::fs::remove_dir_all(&folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(unwritable(e)),
        _ => {}
    }
    create_private_dir(&KeptFiles::folder(recording)).map_err(unwritable)?;
    let (mut files, mut problems) =
        walk(source, wanted.limits.depth).map_err(|e| Error::Root { path: source.to_path_buf(), source: e })?;
    // A work folder within the folder of the logs is no part of them.
    if let (Ok(recording), Ok(root)) = (recording.canonicalize(), source.canonicalize())
        && let Ok(inside) = recording.strip_prefix(&root)
    {
        let inside = format!("{}/", inside.display());
        files.retain(|found| !found.shown.starts_with(&inside));
        problems.retain(|problem| !problem.path.starts_with(&inside));
    }
    let kinds: Vec<(FileKind, Option<Problem>)> = files.par_iter().map(|f| classify(f, source)).collect();
    let mut left_out = LeftOut::default();
    let mut kept = Vec::new();
    let mut taken = BTreeSet::new();
    for (found, (kind, problem)) in files.into_iter().zip(kinds) {
        problems.extend(problem);
        if kind == FileKind::Other {
            left_out.other_files += 1;
            if left_out.other_named.len() < MAX_OTHERS {
                left_out.other_named.push(found.shown);
            }
        } else if let Some(count) = why_left_out(&found, wanted, &mut left_out) {
            *count += 1;
        } else if !taken.insert(found.shown.to_lowercase()) {
            let problem = "another file has this path but for upper and lower case, which systems that the package is \
                           unpacked on cannot keep apart: read one of them only";
            problems.push(Problem { path: found.shown, events_lost: true, problem: problem.to_owned() });
        } else {
            kept.push((found, kind));
        }
    }
    let copied: Result<Vec<Result<KeptFile, Problem>>, KeepError> = kept
        .into_par_iter()
        .with_max_len(1)
        .map(|(found, kind)| copy(&found, kind, source, &wanted.limits, &folder))
        .collect();
    let mut index = KeptFiles { format: KeptFiles::FORMAT, left_out, ..KeptFiles::default() };
    for outcome in copied? {
        match outcome {
            Ok(file) => index.files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    index.files.sort();
    for (number, path) in keys.iter().enumerate() {
        let place = format!("keys/{number}.json");
        let file = File::open(path).map_err(|source| KeepError::Keys { path: path.clone(), source })?;
        let stored = store(file, &folder.join(&place), wanted.limits.digest_bytes)?;
        index.keys.push(stored.unwrap_or_default().named(place));
    }
    problems.sort();
    index.problems = problems;
    index.write(recording)?;
    Ok(index)
}

/// The count of files that are left out for the same reason, if this one is.
fn why_left_out<'l>(found: &Found, wanted: &Wanted, left_out: &'l mut LeftOut) -> Option<&'l mut u64> {
    let name = names::file_name(&found.shown);
    let of_signature = name.strip_suffix(names::SIDECAR_SUFFIX).unwrap_or(name);
    let (account, region, is_old) = match (names::parse_digest_name(of_signature), names::parse_log_name(name)) {
        (Some(digest), _) => (digest.account, digest.region, digest.end + DIGEST_SLACK < wanted.from),
        (None, Some(log)) => (log.account, log.region, log.delivered + LOG_SLACK < wanted.from),
        // Only the content says whose it is.
        (None, None) => return None,
    };
    if account != wanted.account {
        Some(&mut left_out.other_accounts)
    } else if !wanted.regions.contains(&region) {
        Some(&mut left_out.other_regions)
    } else if is_old {
        Some(&mut left_out.before_period)
    } else {
        None
    }
}

type Kept = Result<KeptFile, Problem>;

/// Copies one file. What is wrong with it is a problem; that the copy cannot be written is an error.
fn copy(found: &Found, kind: FileKind, source: &Path, limits: &Limits, folder: &Path) -> Result<Kept, KeepError> {
    let path = found.path(source);
    let lost =
        |problem: String| Ok(Err(Problem { path: found.shown.clone(), events_lost: kind == FileKind::Log, problem }));
    let place = KeptFiles::place(&place(&found.shown));
    let target = folder.join(&place);
    let limit = if kind == FileKind::Log { limits.log_bytes } else { limits.digest_bytes };
    if kind == FileKind::Log {
        match without_tokens(&path, limit, &target)? {
            Redacted::None => {}
            Redacted::Copy(file) => return Ok(Ok(file.named(place))),
            Redacted::Impossible(why) => return lost(format!("{why}; it was not kept")),
        }
    }
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) => return lost(format!("cannot be read: {e}")),
    };
    match store(file, &target, limit)? {
        Some(file) => Ok(Ok(file.named(place))),
        None => lost(format!("has more than {limit} bytes, or cannot be read to its end; it was not kept")),
    }
}

enum Redacted {
    /// It holds no token: it can be copied as it is.
    None,
    /// A copy without tokens was written.
    Copy(KeptFile),
    /// It holds tokens, and no copy without them can be made.
    Impossible(String),
}

/// Writes a copy without session tokens of a log file that holds some.
fn without_tokens(path: &Path, limit: u64, target: &Path) -> Result<Redacted, KeepError> {
    let Ok(mut content) = Content::open(path, limit) else { return Ok(Redacted::None) };
    let is_gzip = content.is_gzip();
    let mut redactor = Redactor::new(io::sink());
    let read = pump(&mut content, &mut redactor);
    let scanned = redactor.finish();
    let defect = match read {
        Ok(()) => None,
        Err(Pump::Content(e)) => Some(e.to_string()),
        Err(Pump::Write(e)) => return Ok(Redacted::Impossible(e.to_string())),
    };
    match scanned {
        Ok((0, _)) => return Ok(Redacted::None),
        Err(e) => return Ok(Redacted::Impossible(e.to_string())),
        Ok(_) => {}
    }
    let original_sha256 = content.sha256().map(|hash| hex(&hash));
    let unwritable = |source| KeepError::Write { path: target.to_owned(), source };
    let out = Hashed::create(target).map_err(unwritable)?;
    let Ok(mut content) = Content::open(path, limit) else {
        return Ok(Redacted::Impossible("changes while it is read".to_owned()));
    };
    let (redactions, out) = if is_gzip {
        let mut redactor = Redactor::new(GzEncoder::new(out, Compression::fast()));
        if let Err(Pump::Write(e)) = pump(&mut content, &mut redactor) {
            return Err(unwritable(e));
        }
        let (count, encoder) = redactor.finish().map_err(unwritable)?;
        (count, encoder.finish().map_err(unwritable)?)
    } else {
        let mut redactor = Redactor::new(out);
        if let Err(Pump::Write(e)) = pump(&mut content, &mut redactor) {
            return Err(unwritable(e));
        }
        redactor.finish().map_err(unwritable)?
    };
    let (size, sha256) = out.finish().map_err(unwritable)?;
    Ok(Redacted::Copy(KeptFile { path: String::new(), size, sha256, redactions, original_sha256, defect }))
}

enum Pump {
    Content(ContentError),
    Write(io::Error),
}

fn pump<W: Write>(content: &mut Content, redactor: &mut Redactor<W>) -> Result<(), Pump> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer).map_err(Pump::Content)? {
            0 => return Ok(()),
            count => redactor.push(buffer.get(..count).unwrap_or_default()).map_err(Pump::Write)?,
        }
    }
}

/// Copies a file as it is; nothing if it is too large or cannot be read to its end.
fn store(mut from: File, target: &Path, limit: u64) -> Result<Option<KeptFile>, KeepError> {
    let unwritable = |source| KeepError::Write { path: target.to_owned(), source };
    let mut out = Hashed::create(target).map_err(unwritable)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) if out.size + count as u64 <= limit => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Ok(_) | Err(_) => {
                drop(out);
                std::fs::remove_file(target).map_err(unwritable)?;
                return Ok(None);
            }
        };
        out.write_all(buffer.get(..count).unwrap_or_default()).map_err(unwritable)?;
    }
    let (size, sha256) = out.finish().map_err(unwritable)?;
    Ok(Some(KeptFile { size, sha256, ..KeptFile::default() }))
}

impl KeptFile {
    fn named(self, path: String) -> Self {
        Self { path, ..self }
    }
}

/// A file that is hashed as it is written.
struct Hashed {
    file: BufWriter<File>,
    hash: Sha256,
    size: u64,
}

impl Hashed {
    fn create(path: &Path) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            create_private_dir(parent)?;
        }
        let file = private().write(true).create(true).truncate(true).open(path)?;
        Ok(Self { file: BufWriter::new(file), hash: Sha256::new(), size: 0 })
    }

    fn finish(mut self) -> io::Result<(u64, String)> {
        self.file.flush()?;
        Ok((self.size, self.hash.finish()))
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The copy's path: that of the file, with names that no package can hold encoded.
fn place(shown: &str) -> String {
    let names: Vec<String> = shown.split('/').map(file_name).collect();
    let place = names.join("/");
    if place.len() <= LONGEST_PATH {
        return place;
    }
    let name = names.last().map_or("", String::as_str);
    format!("{}/{name}", crate::evidence::digest::sha256(shown.as_bytes()))
}
