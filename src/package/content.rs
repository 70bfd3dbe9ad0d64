//! What a package is put together from: paths and contents, before a byte is written.

use super::error::PackageError;
use super::manifest::{CallRef, Manifest};
use super::seal::Seals;
use crate::evidence::Text;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// Paths of files that no part is.
const RESERVED: [&str; 4] = [super::MANIFEST, super::SUMS, super::ATTESTATION, super::TIMESTAMP];

/// Writes a file's content. It may be called again, and must give the same bytes each time.
pub type WriteFn<'a> = Box<dyn Fn(&mut dyn Write) -> io::Result<()> + 'a>;

/// The content of one file of a package.
pub enum Content<'a> {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of a file, copied when the package is written.
    File {
        /// The file.
        path: PathBuf,
        /// The SHA-256 that it must have, if that is known.
        sha256: Option<Text>,
    },
    /// What this writes.
    Stream(WriteFn<'a>),
}

impl<'a> Content<'a> {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Content::Bytes(text.into().into_bytes())
    }

    /// What `write` writes. It may be called again, and must give the same bytes each time.
    pub fn stream(write: impl Fn(&mut dyn Write) -> io::Result<()> + 'a) -> Self {
        Content::Stream(Box::new(write))
    }

    /// How many bytes it has; `None` where only writing it would tell.
    pub(super) fn size(&self) -> io::Result<Option<u64>> {
        match self {
            Content::Bytes(bytes) => Ok(Some(bytes.len() as u64)),
            Content::File { path, .. } => Ok(Some(path.metadata()?.len())),
            Content::Stream(_) => Ok(None),
        }
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Content::Bytes(bytes) => out.write_all(bytes),
            Content::File { path, .. } => copy(File::open(path)?, out),
            Content::Stream(write) => write(out),
        }
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Content::File { path, .. } => write!(f, "the file {}", path.display()),
            Content::Stream(_) => f.write_str("a stream"),
        }
    }
}

fn copy(mut from: impl Read, to: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => to.write_all(buffer.get(..n).unwrap_or_default())?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// One file of a package, and where it comes from.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub content: Content<'a>,
    /// The call whose document or response it is.
    pub call: Option<CallRef>,
    /// The files that it was made from: recorded responses, or the document that it is an extract of.
    pub sources: Vec<Text>,
    /// The document holds only what arrived before the call broke off.
    pub partial: bool,
}

/// Everything that a package will hold. Made by [`super::assemble`], written by [`super::write`].
#[derive(Debug)]
pub struct Contents<'a> {
    pub(super) parts: BTreeMap<Text, Part<'a>>,
    /// Hashes of the paths of the parts, as systems see them that do not tell upper case from lower case.
    hashes: HashSet<u64>,
    hasher: RandomState,
    /// The manifest, still without the list of files.
    pub(super) manifest: Manifest,
    /// What is added when all is written.
    pub(super) seals: Seals<'a>,
}

impl<'a> Contents<'a> {
    /// Without a file.
    pub(super) fn new(manifest: Manifest) -> Self {
        Self {
            parts: BTreeMap::new(),
            hashes: HashSet::new(),
            hasher: RandomState::new(),
            manifest,
            seals: Seals::default(),
        }
    }

    /// Whether a path is taken, or cannot be kept apart from one that is by Windows and macOS.
    pub(super) fn has(&self, path: &str) -> bool {
        let same = |taken: &str| taken.eq_ignore_ascii_case(path);
        // Looking through all is for the few that have the hash of another one.
        RESERVED.into_iter().any(same) || self.hashes.contains(&self.hash(path)) && self.paths().any(same)
    }

    fn hash(&self, path: &str) -> u64 {
        self.hasher.hash_one(path.to_ascii_lowercase())
    }

    /// Adds a file. Its path must be possible ([`is_path`]), and not taken.
    pub fn add(&mut self, path: impl Into<Text>, content: Content<'a>) -> Result<(), PackageError> {
        self.put(path.into(), Part { content, call: None, sources: Vec::new(), partial: false })
    }

    pub(super) fn put(&mut self, path: Text, part: Part<'a>) -> Result<(), PackageError> {
        if !is_path(&path) {
            return Err(PackageError::BadPath(path.to_string()));
        }
        if self.has(&path) {
            return Err(PackageError::SamePath(path.to_string()));
        }
        self.hashes.insert(self.hash(&path));
        self.parts.insert(path, part);
        Ok(())
    }

    /// Says what seals the package: the manifest declares it, and it is added when all other files are written.
    pub fn seal(&mut self, seals: Seals<'a>) {
        self.manifest.seals = seals.declared.clone();
        self.seals = seals;
    }

    /// The manifest as far as it is known before the files are written.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The paths of all files but manifest.json and SHA256SUMS.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.parts.keys().map(Text::as_str)
    }
}

/// Whether a text can be a path in a package: relative, `/` between names, each name of letters, digits and
/// `-_.@+=,%~`, none of which ends with a dot, which Windows takes away. So no path leaves the folder that a package is unpacked to, and none
/// needs the escapes of `sha256sum`.
pub fn is_path(path: &str) -> bool {
    let possible = |c: u8| c.is_ascii_alphanumeric() || b"-_.@+=,%~".contains(&c);
    path.len() <= 1024
        && path
            .split('/')
            .all(|name| !name.is_empty() && name.len() <= 255 && !name.ends_with('.') && name.bytes().all(possible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_paths_are_possible() {
        for path in ["README.txt", "evidence/iam/trust-policies/a%20b.json", "raw/iam/global/x-000.1.xml", "a/~b,c@d"] {
            assert!(is_path(path), "{path}");
        }
        let long = "a".repeat(256);
        for path in [
            "",
            "/etc/passwd",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "a\nb",
            "a b",
            "é",
            "C:a",
            "a.",
            "a./b",
            &long,
        ] {
            assert!(!is_path(path), "{path}");
        }
    }
}
