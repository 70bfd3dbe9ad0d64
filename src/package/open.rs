//! Reading a package, which anybody may have made.
//!
//! Before a byte is unpacked, every entry's name, kind and size is looked at; while it is unpacked, its size and its
//! SHA-256 are. What does not fit is an error that says which limit or rule was broken. Nothing is ever written
//! outside the folder that was asked for.

mod layout;

use super::check::{Problem, is_seal};
use super::content::is_path;
use super::error::PackageError;
use super::manifest::Manifest;
use super::{ATTESTATION, Attestation, MANIFEST, SUMS, TIMESTAMP, sums};
use crate::evidence::digest::{Sha256, sha256};
use crate::evidence::recording::{Recording, create_private_dir};
use flate2::read::DeflateDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// What is refused as a zip bomb, or as nothing that this program can have written.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Entries.
    entries: usize,
    /// Bytes of all entries together, unpacked.
    total: u64,
    /// How many times larger an entry may be than it is in the zip. JSON and CSV reach 50.
    ratio: u64,
    /// The size of an entry from which on the ratio counts.
    ratio_from: u64,
    /// Bytes of an entry that is read into memory.
    in_memory: u64,
}

const LIMITS: Limits =
    Limits { entries: 1_000_000, total: 64 << 30, ratio: 400, ratio_from: 1 << 20, in_memory: 512 << 20 };

/// A package that is open for reading.
#[derive(Debug)]
pub struct OpenPackage {
    archive: Archive,
    manifest: Manifest,
    layout: Vec<Problem>,
}

/// The zip, with what was found out about it before anything was unpacked.
#[derive(Debug)]
struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    /// Index and size of each file, by path.
    files: BTreeMap<String, (usize, u64)>,
    sums: BTreeMap<String, String>,
    limits: Limits,
}

/// The recording of a package, unpacked to a folder of its own that vanishes with this.
#[derive(Debug)]
pub struct OpenRecording {
    /// The recording.
    pub recording: Recording,
    /// The folder.
    pub dir: tempfile::TempDir,
}

/// What became of the comparison of a package's files with SHA256SUMS and manifest.json.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SumsReport {
    /// How many files were compared.
    pub checked: u64,
    /// Files that are not what they were when they were packed, with the reason.
    pub altered: BTreeMap<String, String>,
    /// Files that are named and not there.
    pub missing: BTreeSet<String>,
    /// Files that are there and not named.
    pub unlisted: BTreeSet<String>,
}

impl SumsReport {
    /// Whether nothing was altered, taken away or added.
    pub fn is_intact(&self) -> bool {
        self.altered.is_empty() && self.missing.is_empty() && self.unlisted.is_empty()
    }
}

/// Opens a package.
pub fn open(path: &Path) -> Result<OpenPackage, PackageError> {
    open_within(path, LIMITS, true)
}

/// Opens a package to find out what is wrong with it: its manifest may be another than SHA256SUMS says.
pub fn open_to_check(path: &Path) -> Result<OpenPackage, PackageError> {
    open_within(path, LIMITS, false)
}

/// Opens a package to work with what is in it: nothing in it may have been changed since it was packed and signed. That
/// says nothing of who packed it; `auditpack verify` does.
pub fn open_intact(path: &Path) -> Result<OpenPackage, PackageError> {
    let mut opened = open(path)?;
    let mut wrong = super::check::digests(&mut opened).problems;
    wrong.extend(opened.check_seals());
    let Some(first) = wrong.first() else { return Ok(opened) };
    let place = if first.file.is_empty() { String::new() } else { format!("{}: ", first.file) };
    let more = wrong.len() - 1;
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    let reason = format!(
        "it is not as it was packed ({place}{}{more}); `auditpack verify` tells all; ask for the original",
        first.what
    );
    Err(opened.archive.unreadable(reason))
}

fn open_within(path: &Path, limits: Limits, strict: bool) -> Result<OpenPackage, PackageError> {
    let unreadable = |reason: String| PackageError::Unreadable { path: path.to_owned(), reason };
    let file = File::open(path).map_err(PackageError::io("read", path))?;
    if !file.metadata().map_err(PackageError::io("read", path))?.is_file() {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let mut zip = ZipArchive::new(BufReader::new(file))
        .map_err(|e| unreadable(format!("it is not a zip, or only a part of one: {e}")))?;
    if zip.len() > limits.entries {
        let (found, limit) = (zip.len(), limits.entries);
        return Err(unreadable(format!("it has {found} entries, more than {limit}")));
    }
    if zip.has_duplicate_names() {
        return Err(unreadable("two of its entries have the same name".to_owned()));
    }
    let files = list(&zip, limits).map_err(unreadable)?;
    // Programs that read a zip from its start and those that read it from its end must see the same.
    zip.validate_header_consistency().map_err(|e| unreadable(format!("its parts contradict each other: {e}")))?;
    let mut archive = Archive { path: path.to_owned(), zip, files, sums: BTreeMap::new(), limits };
    let mut layout = layout::check(&File::open(path).map_err(PackageError::io("read", path))?)
        .map_err(PackageError::io("read", path))?;
    layout.extend(layout::clashes(archive.files.keys().map(String::as_str)));
    if let (true, Some(first)) = (strict, layout.first()) {
        let place = if first.file.is_empty() { String::new() } else { format!("{} ", first.file) };
        return Err(archive.unreadable(format!("{place}{}", first.what)));
    }
    let text = archive.in_memory(SUMS)?;
    archive.sums = sums::parse(&text).map_err(|reason| archive.unreadable(reason))?;
    let text = if strict { archive.read(MANIFEST)? } else { archive.in_memory(MANIFEST)? };
    let manifest = Manifest::read(&text).map_err(|reason| archive.unreadable(reason))?;
    Ok(OpenPackage { archive, manifest, layout })
}

/// Every entry's name, kind and size.
fn list(archive: &ZipArchive<BufReader<File>>, limits: Limits) -> Result<BTreeMap<String, (usize, u64)>, String> {
    let mut files = BTreeMap::new();
    let mut total = 0_u64;
    for index in 0..archive.len() {
        let entry = archive.by_index_data(index).map_err(|e| e.to_string())?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let shown = name.escape_debug();
        if entry.is_symlink() {
            return Err(format!("its entry `{shown}` is a symbolic link"));
        }
        if entry.encrypted() {
            return Err(format!("its entry `{shown}` is encrypted"));
        }
        if name.ends_with('/') && entry.size() == 0 && is_path(name.trim_end_matches('/')) {
            continue;
        }
        if !is_path(&name) {
            return Err(format!("its entry `{shown}` has a name that no package uses"));
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(format!("its entry `{shown}` is compressed by a method that packages do not use"));
        }
        let (size, packed) = (entry.size(), entry.compressed_size());
        if size > limits.ratio_from && size / packed.max(1) > limits.ratio {
            return Err(format!(
                "its entry `{shown}` would unpack to more than {} times its size: that is how a zip bomb looks",
                limits.ratio
            ));
        }
        total = total.saturating_add(size);
        if total > limits.total {
            return Err(format!("it would unpack to more than {} bytes", limits.total));
        }
        files.insert(name, (index, size));
    }
    Ok(files)
}

impl OpenPackage {
    /// What the package says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What is in the zip besides what packages hold: bytes, fields or comments that belong to no file.
    pub fn layout(&self) -> &[Problem] {
        &self.layout
    }

    /// The paths of its files, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.archive.files.keys().map(String::as_str)
    }

    /// The content of a file, if its SHA-256 is the one in SHA256SUMS. For files that fit into memory.
    pub fn read(&mut self, file: &str) -> Result<Vec<u8>, PackageError> {
        self.archive.read(file)
    }

    /// Whether it has a file.
    pub fn has(&self, file: &str) -> bool {
        self.archive.files.contains_key(file)
    }

    /// The content of a file, whatever its SHA-256 is. For files that fit into memory.
    pub fn bytes(&mut self, file: &str) -> Result<Vec<u8>, PackageError> {
        self.archive.in_memory(file)
    }

    /// Reads a file piece by piece.
    pub fn with_reader<T>(&mut self, file: &str, read: impl FnOnce(&mut dyn Read) -> T) -> Result<T, PackageError> {
        let missing = || self.archive.unreadable(format!("it holds no {file}"));
        let (index, size) = *self.archive.files.get(file).ok_or_else(missing)?;
        let path = self.archive.path.clone();
        let entry = self
            .archive
            .zip
            .by_index(index)
            .map_err(|e| PackageError::Unreadable { path, reason: format!("{file} cannot be unpacked: {e}") })?;
        Ok(read(&mut entry.take(size.saturating_add(1))))
    }

    /// What is wrong with SHA256SUMS and the manifest's list as lists: order, doubles, sizes.
    pub(super) fn check_lists(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let archive = &mut self.archive;
        match archive.in_memory(SUMS) {
            Ok(text) if text != sums::print(&archive.sums).as_bytes() => {
                problems.push(Problem::of(SUMS, "is not sorted, or holds more than checksums"));
            }
            Ok(_) => {}
            Err(error) => problems.push(Problem::of(SUMS, error.to_string())),
        }
        if archive.sums.contains_key(SUMS) || archive.sums.keys().any(|path| is_seal(path)) {
            problems.push(Problem::of(SUMS, "names itself or a seal"));
        }
        let files = &self.manifest.files;
        if !files.is_sorted_by(|a, b| a.path < b.path) {
            problems.push(Problem::of(MANIFEST, "its list of files is not sorted, or names one twice"));
        }
        for file in files {
            match archive.files.get(file.path.as_str()) {
                Some((_, size)) if *size != file.size => {
                    let what = format!("has {size} bytes, {MANIFEST} says {}", file.size);
                    problems.push(Problem::of(&file.path, what));
                }
                _ => {}
            }
        }
        problems
    }

    /// Whether there are the seals that the manifest declares, and the signature is about this manifest. Whose it is only
    /// a key tells that comes from elsewhere.
    fn check_seals(&mut self) -> Vec<Problem> {
        let declared = self.manifest.seals.clone();
        let mut problems = Vec::new();
        for (path, declared) in [(ATTESTATION, declared.signed_by), (TIMESTAMP, declared.stamped_by)] {
            match (declared.is_some(), self.has(path)) {
                (true, false) => problems.push(Problem::of(path, "is missing, and the manifest declares it")),
                (false, true) => problems.push(Problem::of(path, "is there, and the manifest does not declare it")),
                _ => {}
            }
        }
        if self.has(ATTESTATION) {
            let read = self.bytes(ATTESTATION).map_err(|e| e.to_string());
            let manifest = self.bytes(MANIFEST).map(|bytes| sha256(&bytes)).map_err(|e| e.to_string());
            match read.and_then(|bytes| Attestation::read(&bytes)) {
                Ok(attestation) if Ok(&attestation.manifest_sha256) == manifest.as_ref() => {}
                Ok(_) => problems.push(Problem::of(ATTESTATION, "is about another manifest")),
                Err(reason) => problems.push(Problem::of(ATTESTATION, reason)),
            }
        }
        problems
    }

    /// The controls that the package was judged by: path below `controls/`, and text.
    pub fn controls(&mut self) -> Result<BTreeMap<String, String>, PackageError> {
        let mut controls = BTreeMap::new();
        for path in self.archive.below("controls/") {
            let text = String::from_utf8(self.archive.read(&path)?)
                .map_err(|_| self.archive.unreadable(format!("{path} is not text")))?;
            controls.insert(path.strip_prefix("controls/").unwrap_or(&path).to_owned(), text);
        }
        Ok(controls)
    }

    /// The recording, unpacked below `work` to a new folder that only its owner may enter. Every file is compared with
    /// SHA256SUMS on the way.
    pub fn recording(&mut self, work: &Path) -> Result<OpenRecording, PackageError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("recording-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let dir = builder.tempdir_in(work).map_err(PackageError::io("create a folder in", work))?;
        if self.unpack("raw/", dir.path())? == 0 {
            let reason = "it holds no recording (raw/): it was made from files, not from the answers of AWS";
            return Err(self.archive.unreadable(reason.to_owned()));
        }
        Ok(OpenRecording { recording: Recording::open(dir.path())?, dir })
    }

    /// Unpacks the files below a folder of the package (`raw/`) to a folder on disk; how many there were. Every file is
    /// compared with SHA256SUMS on the way.
    pub fn unpack(&mut self, folder: &str, to: &Path) -> Result<u64, PackageError> {
        let mut count = 0;
        for path in self.archive.below(folder) {
            let expected = self.archive.expected(&path)?;
            let target = to.join(path.strip_prefix(folder).unwrap_or(&path));
            if let Some(parent) = target.parent() {
                create_private_dir(parent).map_err(PackageError::io("create", parent))?;
            }
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file = options.open(&target).map_err(PackageError::io("create", &target))?;
            let mut out = BufWriter::new(file);
            let copied = self.archive.copy(&path, &mut out);
            let found = copied.map_err(|e| self.archive.copy_error(e, &target))?;
            out.flush().map_err(PackageError::io("write", &target))?;
            if found != expected {
                return Err(self.archive.altered(&path, expected, found));
            }
            count += 1;
        }
        Ok(count)
    }

    /// Compares every file with SHA256SUMS and with manifest.json. What does not fit is reported, not an error.
    pub fn check_sums(&mut self) -> SumsReport {
        let mut report = SumsReport::default();
        let archive = &mut self.archive;
        let of_manifest: BTreeMap<&str, &str> =
            self.manifest.files.iter().map(|file| (file.path.as_str(), file.sha256.as_str())).collect();
        let named = archive.sums.keys().map(String::as_str).chain(of_manifest.keys().copied());
        report.missing = named.filter(|path| !archive.files.contains_key(*path)).map(str::to_owned).collect();
        let paths: Vec<String> = archive.files.keys().cloned().collect();
        for path in paths.into_iter().filter(|path| path != SUMS && !is_seal(path)) {
            let in_sums = archive.sums.get(&path).cloned();
            let in_manifest = of_manifest.get(path.as_str()).copied();
            if in_sums.is_none() && in_manifest.is_none() {
                report.unlisted.insert(path);
                continue;
            }
            report.checked += 1;
            let found = archive.copy(&path, &mut io::sink());
            let complaint = match (found, in_sums) {
                (Err(CopyError::Read(reason)), _) => reason,
                (Err(CopyError::Write(e)), _) => e.to_string(),
                (Ok(_), None) => format!("{SUMS} does not name it"),
                (Ok(found), Some(sum)) if found != sum => format!("its SHA-256 is {found}, {SUMS} says {sum}"),
                (Ok(_), _) if path == MANIFEST => continue,
                (Ok(found), _) => match in_manifest {
                    Some(sum) if sum == found => continue,
                    Some(sum) => format!("its SHA-256 is {found}, {MANIFEST} says {sum}"),
                    None => format!("{MANIFEST} does not name it"),
                },
            };
            report.altered.insert(path, complaint);
        }
        report
    }
}

impl Archive {
    fn below(&self, folder: &str) -> Vec<String> {
        self.files.keys().filter(|path| path.starts_with(folder)).cloned().collect()
    }

    fn in_memory(&mut self, file: &str) -> Result<Vec<u8>, PackageError> {
        let size = match self.files.get(file) {
            Some((_, size)) => *size,
            None => return Err(self.unreadable(format!("it holds no {file}"))),
        };
        if size > self.limits.in_memory {
            let limit = self.limits.in_memory;
            return Err(
                self.unreadable(format!("{file} has {size} bytes, more than the {limit} that are read into memory"))
            );
        }
        let mut bytes = Vec::new();
        let copied = self.copy(file, &mut bytes);
        copied.map(|_| bytes).map_err(|e| self.copy_error(e, &self.path))
    }

    /// The content of a file, if its SHA-256 is the one in SHA256SUMS.
    fn read(&mut self, file: &str) -> Result<Vec<u8>, PackageError> {
        let expected = self.expected(file)?;
        let bytes = self.in_memory(file)?;
        let found = sha256(&bytes);
        if found != expected { Err(self.altered(file, expected, found)) } else { Ok(bytes) }
    }

    fn expected(&self, file: &str) -> Result<String, PackageError> {
        let expected = self.sums.get(file).cloned();
        expected.ok_or_else(|| self.unreadable(format!("{SUMS} does not name {file}")))
    }

    fn copy_error(&self, error: CopyError, target: &Path) -> PackageError {
        match error {
            CopyError::Read(reason) => self.unreadable(reason),
            CopyError::Write(e) => PackageError::io("write", target)(e),
        }
    }

    /// Copies a file; its SHA-256. All of what the zip holds for it is used for it, and nothing besides.
    fn copy(&mut self, file: &str, out: &mut dyn Write) -> Result<String, CopyError> {
        let missing = || CopyError::Read(format!("it holds no {file}"));
        let (index, size) = *self.files.get(file).ok_or_else(missing)?;
        let broken = |e: &dyn std::fmt::Display| CopyError::Read(format!("{file} cannot be unpacked: {e}"));
        let entry = self.zip.by_index_raw(index).map_err(|e| broken(&e))?;
        let (packed, crc32) = (entry.compressed_size(), entry.crc32());
        let (copied, used) = if entry.compression() == CompressionMethod::Stored {
            let copied = pump(entry, size, out).map_err(|e| e.of(broken))?;
            (copied, packed)
        } else {
            let mut entry = DeflateDecoder::new(entry);
            let copied = pump(&mut entry, size, out).map_err(|e| e.of(broken))?;
            (copied, entry.total_in())
        };
        if copied.size != size {
            return Err(broken(&format!("it has {} bytes and says {size}", copied.size)));
        }
        if used != packed {
            return Err(broken(&format!("{} bytes behind its data belong to nothing", packed.saturating_sub(used))));
        }
        if copied.crc32 != crc32 {
            return Err(broken(&"it has another checksum than the zip says"));
        }
        Ok(copied.sha256)
    }

    fn unreadable(&self, reason: String) -> PackageError {
        PackageError::Unreadable { path: self.path.clone(), reason }
    }

    fn altered(&self, file: &str, expected: String, found: String) -> PackageError {
        PackageError::Altered { path: self.path.clone(), file: file.to_owned(), expected, found }
    }
}

/// What was read of an entry.
struct Copied {
    size: u64,
    sha256: String,
    crc32: u32,
}

/// Copies from an entry, at most one byte more than it says it has: its size is what the limits were checked for.
fn pump(from: impl Read, size: u64, out: &mut dyn Write) -> Result<Copied, CopyError> {
    let mut from = from.take(size.saturating_add(1));
    let (mut hash, mut crc) = (Sha256::new(), flate2::Crc::new());
    let mut buffer = vec![0; 1 << 16];
    let mut copied = 0_u64;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(CopyError::Read(e.to_string())),
        };
        let piece = buffer.get(..count).unwrap_or_default();
        copied += count as u64;
        if copied > size {
            return Err(CopyError::Read(format!("it has more than the {size} bytes that it says")));
        }
        hash.update(piece);
        crc.update(piece);
        out.write_all(piece).map_err(CopyError::Write)?;
    }
    Ok(Copied { size: copied, sha256: hash.finish(), crc32: crc.sum() })
}

#[derive(Debug)]
enum CopyError {
    /// The package cannot be read.
    Read(String),
    /// The target cannot be written.
    Write(io::Error),
}

impl CopyError {
    /// The same error, told of a file.
    fn of(self, broken: impl Fn(&dyn std::fmt::Display) -> CopyError) -> Self {
        match self {
            CopyError::Read(reason) => broken(&reason),
            write => write,
        }
    }
}

#[cfg(test)]
mod tests;
