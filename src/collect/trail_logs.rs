//! CloudTrail log files that were copied from a trail's bucket: their events, and what the digest
//! chain proves about them.
//!
//! [`read`] walks a folder once. Every log file is decompressed, hashed and split into records in one
//! pass, on all cores and in memory that does not grow with the number of events; each event goes to
//! the caller's sink (an [`sorter::EventSorter`] as a rule). The digest files are then checked against
//! AWS's public keys and against each other, and the log files against the digests. The result is a
//! table with one row per file, a summary per chain and a verdict.
//!
//! What is said about a file:
//!
//! | status | meaning |
//! |---|---|
//! | valid | an RSA signature under a supplied key covers this digest; or such a digest lists the hash of this log |
//! | invalid | a signature or hash was checked and does not fit, or the file is not what its name says |
//! | missing | a digest (or a signature file) names it and it is not in the folder |
//! | not-proven | nothing contradicts it, and nothing proves it either |
//! | not-covered | a log that no digest lists |
//!
//! The format and the rules are AWS's:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>,
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>.
//! This module is stricter than `aws cloudtrail validate-logs`; docs/trail-logs.md lists where.
//!
//! It must not reach for the network, print, read the clock, or open a path that a digest names: files
//! are opened because the walk found them, never because hostile JSON mentions them.

mod chain;
mod content;
mod coverage;
mod digest;
mod event;
pub mod keep;
mod keys;
mod logs;
mod names;
mod reader;
mod records;
mod rows;
pub mod sorter;
mod table;
mod verdict;
mod walk;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

pub use crate::evidence::trail_logs::{DELIVERY, EventCounts, Period, Problem};
pub use event::Event;
pub use keys::{KeysError, PublicKey, PublicKeys};
pub use reader::read;
pub(super) use records::one_line;
pub use table::{ChainSummary, Counts, Interval, Kind, Report, Row, Status, Verdict};

/// What to read and what to hold it against.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The folder. Symbolic links inside it are not followed, and are reported.
    pub root: &'a Path,
    /// Events outside it are counted as excluded; files outside it do not weigh on the verdict.
    pub period: Period,
    /// Account ids to take; empty takes all.
    pub accounts: BTreeSet<String>,
    /// Trail names that must be proven; empty means every trail that has a digest in the folder.
    pub trails: BTreeSet<String>,
    /// Chains that must exist. A Region whose every file was deleted leaves no trace in the folder,
    /// so only the caller, who asked `DescribeTrails`, can know that it is missing.
    pub expected: Vec<ExpectedChain>,
    /// The keys that `ListPublicKeys` returned.
    pub keys: PublicKeys,
    /// Bounds against hostile files.
    pub limits: Limits,
    /// Log files that are copies without session tokens, by their path, and what their content was before.
    pub redacted: HashMap<String, Original>,
    /// Problems that were met when the folder was copied, and can no longer be seen.
    pub known_problems: Vec<Problem>,
}

/// The content of a log file before session tokens were taken out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Its SHA-256; none if it could not be read to its end.
    pub sha256: Option<[u8; 32]>,
    /// Why it could not.
    pub defect: Option<String>,
}

impl<'a> Options<'a> {
    /// Everything in `root`, over `period`, without keys: nothing can be proven until keys are set.
    #[must_use]
    pub fn new(root: &'a Path, period: Period) -> Self {
        Self {
            root,
            period,
            accounts: BTreeSet::new(),
            trails: BTreeSet::new(),
            expected: Vec::new(),
            keys: PublicKeys::default(),
            limits: Limits::default(),
            redacted: HashMap::new(),
            known_problems: Vec::new(),
        }
    }
}

/// A chain of digests that the caller knows must exist.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedChain {
    /// Twelve digits.
    pub account: String,
    /// The Region whose events it covers, not the trail's home Region.
    pub region: String,
    /// The names of trails, one of which must be there; empty is content with any trail.
    pub trails: BTreeSet<String>,
}

/// Bounds on what one file may ask of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Decompressed bytes of one log file.
    pub log_bytes: u64,
    /// Decompressed bytes of one digest file, key file or signature file.
    pub digest_bytes: u64,
    /// Bytes of one record. CloudTrail's own bound for an event is far lower (256 KB, larger fields cut):
    /// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>.
    pub record_bytes: usize,
    /// Folders below the root.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { log_bytes: 1 << 30, digest_bytes: 64 << 20, record_bytes: 16 << 20, depth: 64 }
    }
}

/// The Region that a file's name states, if the name is one of CloudTrail's.
pub fn region_of(path: &str) -> Option<String> {
    let name = names::file_name(path);
    let digest = names::parse_digest_name(name).map(|digest| digest.region);
    digest.or_else(|| names::parse_log_name(name).map(|log| log.region))
}

/// Removes session tokens from one record. The record is one line of JSON, and must stay so.
pub type Redact<'a> = dyn for<'r> Fn(&'r [u8]) -> Cow<'r, [u8]> + Sync + 'a;

/// Takes one event. It is called from several threads at once, in no particular order; an error ends
/// the reading.
pub type Sink<'a> = dyn Fn(&Event<'_>) -> Result<(), SinkError> + Sync + 'a;

/// Whatever the sink cannot go on with.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Why nothing could be read. What is wrong with a single file is a [`Problem`] or a [`Row`] instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The root is not a folder that can be listed.
    #[error("cannot list {path}: {source}; give the folder that `aws s3 sync` wrote to", path = path.display())]
    Root {
        /// The folder asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The period ends before it starts.
    #[error("the period from {from} to {to} is empty; give a start that lies before the end", from = _0.from, to = _0.to)]
    Period(Period),
    /// The sink refused an event.
    #[error("reading stopped at {path}: {source}")]
    Sink {
        /// Path below the root.
        path: String,
        /// What the sink said.
        source: SinkError,
    },
}
