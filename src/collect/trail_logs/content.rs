//! The decompressed bytes of a file, bounded, and hashed on the way.
//!
//! AWS's hashes, of logs and of digests alike, are of the uncompressed content, so a copy that was
//! decompressed proves as much as the original.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use flate2::bufread::GzDecoder;

/// The SHA-256 of a file's content.
pub(super) type Sha256 = [u8; 32];

/// Why a file's content could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContentError {
    #[error("cannot be read: {0}")]
    Io(io::Error),
    #[error("is cut short: the gzip stream ends early; copy it again")]
    Truncated,
    #[error("is not sound gzip: {0}; copy it again")]
    Gzip(io::Error),
    #[error("holds data after the end of its gzip stream, which CloudTrail does not write")]
    Trailing,
    #[error("expands to more than {0} bytes, the limit for one file of this kind")]
    TooLarge(u64),
}

// One exists per file being read: the space that the plain kind wastes does not matter.
#[allow(clippy::large_enum_variant)]
enum Source {
    Gzip(GzDecoder<BufReader<File>>),
    Plain(BufReader<File>),
}

/// A file being read. gzip is told by its first bytes, not by the name.
pub(super) struct Content {
    source: Source,
    hash: Context,
    read: u64,
    limit: u64,
    at_end: bool,
}

impl Content {
    pub(super) fn open(path: &Path, limit: u64) -> Result<Self, ContentError> {
        let file = File::open(path).map_err(ContentError::Io)?;
        let mut reader = BufReader::with_capacity(16 << 10, file);
        let is_gzip = reader.fill_buf().map_err(ContentError::Io)?.starts_with(&[0x1f, 0x8b]);
        let source = if is_gzip { Source::Gzip(GzDecoder::new(reader)) } else { Source::Plain(reader) };
        Ok(Self { source, hash: Context::new(&SHA256), read: 0, limit, at_end: false })
    }

    /// Reads some bytes; none only at the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ContentError> {
        if self.at_end || buffer.is_empty() {
            return Ok(0);
        }
        let count = loop {
            let outcome = match &mut self.source {
                Source::Gzip(decoder) => decoder.read(buffer),
                Source::Plain(reader) => reader.read(buffer),
            };
            match outcome {
                Ok(count) => break count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.explain(e)),
            }
        };
        if count == 0 {
            self.at_end = true;
            return self.refuse_trailing().map(|()| 0);
        }
        self.read += count as u64;
        if self.read > self.limit {
            return Err(ContentError::TooLarge(self.limit));
        }
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// Whether the file is compressed.
    pub(super) fn is_gzip(&self) -> bool {
        matches!(self.source, Source::Gzip(_))
    }

    /// Decompressed bytes so far.
    pub(super) fn bytes(&self) -> u64 {
        self.read
    }

    /// The hash of the whole content: `None` unless the end was reached without an error.
    pub(super) fn sha256(self) -> Option<Sha256> {
        if !self.at_end {
            return None;
        }
        self.hash.finish().as_ref().try_into().ok()
    }

    fn explain(&self, error: io::Error) -> ContentError {
        match (&self.source, error.kind()) {
            (Source::Gzip(_), io::ErrorKind::UnexpectedEof) => ContentError::Truncated,
            (Source::Gzip(_), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => ContentError::Gzip(error),
            _ => ContentError::Io(error),
        }
    }

    /// `zcat` would print a second gzip member that the hash does not cover: the file must end with the first.
    fn refuse_trailing(&mut self) -> Result<(), ContentError> {
        let Source::Gzip(decoder) = &mut self.source else {
            return Ok(());
        };
        let rest = decoder.get_mut().fill_buf().map_err(ContentError::Io)?;
        if rest.is_empty() {
            return Ok(());
        }
        self.at_end = false;
        Err(ContentError::Trailing)
    }
}

/// The whole content of a small file, with its hash.
pub(super) fn read_whole(path: &Path, limit: u64) -> Result<(Vec<u8>, Sha256), ContentError> {
    let mut content = Content::open(path, limit)?;
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 16 << 10];
    loop {
        let count = content.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
    // The loop ends at the end of the content only, where a hash exists.
    let hash = content.sha256().ok_or(ContentError::Truncated)?;
    Ok((bytes, hash))
}

/// The first bytes, to tell what a file of an unknown name is. A file that cannot be read gives the
/// bytes before the error.
pub(super) fn peek(path: &Path, count: usize) -> Result<Vec<u8>, ContentError> {
    let mut content = Content::open(path, u64::MAX)?;
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|r| !r.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if filled == 0 => return Err(e),
            Err(_) => break,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}
