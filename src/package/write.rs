//! Writing a package: whole or not at all, for its owner only, never over another file unless asked.
//!
//! Memory does not grow with the size of the files: they are copied in pieces and hashed on the way. Equal
//! contents give equal bytes: entries are sorted, times and modes are fixed, and the compressor is fed pieces of
//! one size, whatever the pieces were in which a content came.

use super::content::{Content, Contents, Part};
use super::error::PackageError;
use super::manifest::FileRecord;
use super::unfinished::Unfinished;
use super::{MANIFEST, SUMS, sums};
use crate::evidence::Text;
use crate::evidence::digest::Sha256;
use crate::evidence::document::write_json;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// From this size on an entry is written in the zip64 form. Below the limit of 4 GiB, so that it holds for the
/// compressed size of a file that does not compress as well.
const LARGE: u64 = 0xF000_0000;
/// The size of the pieces that are hashed and compressed.
const PIECE: usize = 1 << 16;
/// The compression level: changing it changes the bytes of every package.
const LEVEL: i64 = 6;
/// How unpacked files may be used: read and written by their owner.
const MODE: u32 = 0o600;

/// A package that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// How many files are in it.
    pub files: u64,
    /// The SHA-256 of manifest.json, which pins every other file.
    pub manifest_sha256: String,
}

/// Whether a package can be written to a file, as far as that can be told before there is anything to write. To be
/// asked before a long collection.
pub fn check_target(target: &Path, force: bool) -> Result<(), PackageError> {
    let folder = folder_of(target);
    if target.file_name().is_none() || target.is_dir() {
        return Err(PackageError::NotAFile(target.to_owned()));
    }
    if !folder.is_dir() {
        return Err(PackageError::NoFolder(folder));
    }
    match target.symlink_metadata() {
        Ok(_) if !force => return Err(PackageError::Exists(target.to_owned())),
        Ok(found) if !found.is_file() && !found.is_symlink() => return Err(PackageError::NotAFile(target.to_owned())),
        _ => {}
    }
    Unfinished::create(&folder, target).map(drop)
}

/// Writes a package: to a temporary file beside the target, which takes the target's name when all is on the disk.
/// With `force`, a file of that name is replaced.
pub fn write(contents: Contents<'_>, target: &Path, force: bool) -> Result<Written, PackageError> {
    check_target(target, force)?;
    let folder = folder_of(target);
    let unfinished = Unfinished::create(&folder, target)?;
    let cannot_write = || PackageError::io("write", target);
    let (sink, zipped) = write_zip(contents, BufWriter::new(unfinished.file()), target, LARGE)?;
    sink.into_inner().map_err(|e| cannot_write()(e.into_error()))?;
    unfinished.file().sync_all().map_err(cannot_write())?;
    let size = unfinished.file().metadata().map_err(cannot_write())?.len();
    unfinished.publish(target, force)?;
    // The new name is on the disk when the folder is. Not every system can be asked for that.
    if let Ok(folder) = File::open(&folder) {
        let _ = folder.sync_all();
    }
    Ok(Written { path: target.to_owned(), size, files: zipped.files, manifest_sha256: zipped.manifest_sha256 })
}

/// The folder that a path lies in.
fn folder_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[derive(Debug)]
struct Zipped {
    files: u64,
    manifest_sha256: String,
}

/// Writes the zip. `target` is only named in errors.
fn write_zip<W: Write + Seek>(
    contents: Contents<'_>,
    out: W,
    target: &Path,
    large: u64,
) -> Result<(W, Zipped), PackageError> {
    let failure = Failure::default();
    let zip = ZipWriter::new(Steady::new(out, failure.clone()));
    let mut writer = Writer { zip, target, failure, sums: BTreeMap::new(), large };
    let Contents { parts, mut manifest, seals, .. } = contents;
    manifest.notes.sort();
    for (path, part) in parts {
        let Part { content, call, sources, partial } = part;
        let (sha256, size) = writer.entry(&path, &content)?;
        if let Content::File { sha256: Some(recorded), .. } = content
            && recorded.as_str() != sha256.as_str()
        {
            let [path, recorded, found] = [path, recorded, sha256].map(|text| text.to_string());
            return Err(PackageError::RecordingAltered { path, recorded, found });
        }
        manifest.files.push(FileRecord { path, sha256, size, call, sources, partial });
    }
    let (manifest_sha256, _) = writer.entry(&MANIFEST.into(), &Content::stream(|out| write_json(&manifest, out)))?;
    let sums = std::mem::take(&mut writer.sums);
    let mut files = sums.len() as u64;
    writer.entry(&SUMS.into(), &Content::stream(move |out| sums::write(&sums, out)))?;
    for (path, seal) in seals.over(&manifest, &manifest_sha256).map_err(PackageError::NotSealed)? {
        writer.entry(&path.into(), &Content::Bytes(seal))?;
    }
    files += writer.sums.len() as u64;
    let manifest_sha256 = manifest_sha256.to_string();
    Ok((writer.finish()?, Zipped { files, manifest_sha256 }))
}

struct Writer<'a, W: Write + Seek> {
    zip: ZipWriter<Steady<W>>,
    target: &'a Path,
    failure: Failure,
    /// The SHA-256 of what was written, by its path.
    sums: BTreeMap<Text, Text>,
    /// From this size on an entry is written in the zip64 form.
    large: u64,
}

impl<W: Write + Seek> Writer<'_, W> {
    /// Writes one entry; its SHA-256 and size. The form follows from the size. What only writing tells is taken for
    /// small, and hardly ever written again: to measure it first would double the work for each.
    fn entry(&mut self, path: &Text, content: &Content<'_>) -> Result<(Text, u64), PackageError> {
        let size = content.size().map_err(PackageError::part(path))?;
        let large = size.is_some_and(|size| size >= self.large);
        let limit = if size.is_none() { self.large } else { u64::MAX };
        let (hash, written) = match self.write_entry(path, content, large, limit)? {
            Some(done) => done,
            None => {
                self.zip.abort_file().map_err(|e| self.zip_error(e))?;
                self.write_entry(path, content, true, u64::MAX)?
                    .ok_or_else(|| PackageError::part(path)(io::Error::other("it changes while it is read")))?
            }
        };
        if let Some(size) = size.filter(|size| *size != written) {
            let changed = io::Error::other(format!("it had {size} bytes, then {written}: it changes while it is read"));
            return Err(PackageError::part(path)(changed));
        }
        let hash = Text::from(hash);
        self.sums.insert(path.clone(), hash.clone());
        Ok((hash, written))
    }

    /// Writes one entry, or gives up (`None`) at `limit` bytes.
    fn write_entry(
        &mut self,
        path: &str,
        content: &Content<'_>,
        large: bool,
        limit: u64,
    ) -> Result<Option<(String, u64)>, PackageError> {
        // What is compressed already does not get smaller.
        let stored = path.ends_with(".gz");
        let options = SimpleFileOptions::DEFAULT
            .compression_method(if stored { CompressionMethod::Stored } else { CompressionMethod::Deflated })
            .compression_level((!stored).then_some(LEVEL))
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(MODE)
            .large_file(large);
        self.zip.start_file(path, options).map_err(|e| self.zip_error(e))?;
        let mut pieces = Pieces {
            out: &mut self.zip,
            failure: &self.failure,
            hash: Sha256::new(),
            size: 0,
            limit,
            piece: Vec::with_capacity(PIECE),
        };
        let copied = content.write(&mut pieces);
        let too_large = pieces.size >= limit;
        match copied.and_then(|()| pieces.finish()) {
            _ if self.failure.is_set() => Err(PackageError::io("write", self.target)(self.failure.take())),
            _ if too_large => Ok(None),
            Err(e) => Err(PackageError::part(path)(e)),
            Ok(done) => Ok(Some(done)),
        }
    }

    fn finish(self) -> Result<W, PackageError> {
        let Writer { zip, target, failure, .. } = self;
        let cannot_write = PackageError::io("write", target);
        match zip.finish() {
            // The error that the disk gave stands before what became of the zip by it.
            _ if failure.is_set() => Err(cannot_write(failure.take())),
            Ok(sink) => Ok(sink.inner),
            Err(e) => Err(cannot_write(e.into())),
        }
    }

    fn zip_error(&self, error: ZipError) -> PackageError {
        let source = if self.failure.is_set() { self.failure.take() } else { error.into() };
        PackageError::io("write", self.target)(source)
    }
}

/// Takes pieces of any size, hashes them and passes them on in pieces of one size.
struct Pieces<'a, W> {
    out: &'a mut W,
    failure: &'a Failure,
    hash: Sha256,
    size: u64,
    /// From this size on nothing more is taken.
    limit: u64,
    piece: Vec<u8>,
}

impl<W: Write> Pieces<'_, W> {
    fn pass_on(&mut self) -> io::Result<()> {
        self.hash.update(&self.piece);
        self.out.write_all(&self.piece)?;
        self.piece.clear();
        if self.failure.is_set() { Err(io::Error::other("the package cannot be written")) } else { Ok(()) }
    }

    fn finish(mut self) -> io::Result<(String, u64)> {
        self.pass_on()?;
        Ok((self.hash.finish(), self.size))
    }
}

impl<W: Write> Write for Pieces<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size >= self.limit {
            return Err(io::Error::other("it is larger than was thought"));
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        self.size += taken as u64;
        if self.piece.len() == PIECE {
            self.pass_on()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first error of a file, kept where the zip writer cannot lose it.
#[derive(Clone, Debug, Default)]
struct Failure(Rc<(Cell<bool>, RefCell<Option<io::Error>>)>);

impl Failure {
    fn is_set(&self) -> bool {
        self.0.0.get()
    }

    fn set(&self, error: io::Error) {
        if !self.0.0.replace(true) {
            self.0.1.replace(Some(error));
        }
    }

    fn take(&self) -> io::Error {
        self.0.1.take().unwrap_or_else(|| io::Error::other("the package cannot be written"))
    }
}

/// A file that never tells the zip writer of an error: it keeps it, and goes on as if nothing had happened. The zip
/// writer of the `zip` crate swallows some errors (a finished archive without entries after one that was too
/// large), and prints others when it is dropped.
struct Steady<W> {
    inner: W,
    failure: Failure,
    position: u64,
    length: u64,
}

impl<W: Write + Seek> Steady<W> {
    fn new(inner: W, failure: Failure) -> Self {
        Self { inner, failure, position: 0, length: 0 }
    }

    fn keep(&self, result: io::Result<impl Sized>) {
        if let Err(e) = result {
            self.failure.set(e);
        }
    }
}

impl<W: Write + Seek> Write for Steady<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.failure.is_set() {
            let result = self.inner.write_all(bytes);
            self.keep(result);
        }
        self.position += bytes.len() as u64;
        self.length = self.length.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.failure.is_set() {
            let result = self.inner.flush();
            self.keep(result);
        }
        Ok(())
    }
}

impl<W: Write + Seek> Seek for Steady<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        if !self.failure.is_set() {
            let result = self.inner.seek(SeekFrom::Start(self.position));
            self.keep(result);
        }
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
