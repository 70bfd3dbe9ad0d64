//! What the log files of a trail, and the digests that AWS signed, prove: one row for each file, a summary for each
//! chain of digests, a verdict. Made by `collect`, told by `report`.

mod kept;

pub use kept::{KEPT_DIR, KeptFile, KeptFiles, LeftOut};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A span of time: `from` belongs to it, `to` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Period {
    /// First moment.
    pub from: DateTime<Utc>,
    /// First moment after.
    pub to: DateTime<Utc>,
}

impl Period {
    /// Whether the moment, in milliseconds since 1970, lies within.
    #[must_use]
    pub fn contains_ms(&self, ms: i64) -> bool {
        ms >= self.from.timestamp_millis() && ms < self.to.timestamp_millis()
    }

    /// Whether the closed span from `start` to `end` shares a moment with it.
    #[must_use]
    pub fn meets(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        start < self.to && end >= self.from
    }

    /// When the events of the period are delivered: until [`DELIVERY`] after its end.
    #[must_use]
    pub fn delivered(&self) -> Self {
        Self { from: self.from, to: self.to + DELIVERY }
    }
}

/// How long after a call its event is delivered. AWS says about five minutes on average, and does not guarantee it
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>); this is three times as long.
pub const DELIVERY: TimeDelta = TimeDelta::minutes(15);

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A digest file.
    Digest,
    /// A log file.
    Log,
}

/// What was found out about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Cryptographically proven to be as AWS delivered it.
    Valid,
    /// Checked, and not as AWS delivered it.
    Invalid,
    /// Named by a digest, and not in the folder.
    Missing,
    /// Neither proven nor refuted.
    NotProven,
    /// A log that no digest lists.
    NotCovered,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::NotProven => "not proven",
            Self::NotCovered => "not covered",
        })
    }
}

/// What is said about one file. The texts are shared, since there can be millions of rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Row {
    /// Twelve digits; empty if the file does not say.
    #[serde(serialize_with = "shared")]
    pub account: Arc<str>,
    /// The Region whose events it is about; empty if the file does not say.
    #[serde(serialize_with = "shared")]
    pub region: Arc<str>,
    /// The trail; none for logs that no digest lists, because their names do not say.
    #[serde(serialize_with = "maybe_shared")]
    pub trail: Option<Arc<str>>,
    /// Digest or log.
    pub kind: Kind,
    /// Below the root; for what is missing, `s3://<bucket>/<key>`.
    #[serde(serialize_with = "shared")]
    pub path: Arc<str>,
    /// The finding.
    pub status: Status,
    /// Why, and what can be done.
    pub reason: String,
    /// Whether it weighs on the verdict: it concerns the period, the accounts and the trails asked for.
    pub in_scope: bool,
}

// serde serialises an Arc only with a feature that the rest of the crate does not need.
fn shared<S: serde::Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn maybe_shared<S: serde::Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

/// A span of time that an unbroken chain of proven digests covers, by time of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// Start of its first digest.
    pub from: DateTime<Utc>,
    /// End of its last digest.
    pub to: DateTime<Utc>,
}

/// Rows by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// See [`Status`].
    pub valid: u64,
    /// See [`Status`].
    pub invalid: u64,
    /// See [`Status`].
    pub missing: u64,
    /// See [`Status`].
    pub not_proven: u64,
    /// See [`Status`].
    pub not_covered: u64,
}

impl Counts {
    /// Counts one row.
    pub fn count(&mut self, status: Status) {
        *match status {
            Status::Valid => &mut self.valid,
            Status::Invalid => &mut self.invalid,
            Status::Missing => &mut self.missing,
            Status::NotProven => &mut self.not_proven,
            Status::NotCovered => &mut self.not_covered,
        } += 1;
    }
}

/// What all of it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every chain is unbroken and proven over the whole period, and every log file is listed and unaltered.
    Proven,
    /// Something is not proven; nothing is refuted.
    NotProven,
    /// A file was altered, or one that AWS delivered is missing.
    Invalid,
}

/// One trail in one Region of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainSummary {
    /// Twelve digits.
    pub account: String,
    /// The Region whose events it covers.
    pub region: String,
    /// The trail; none where there are logs that no digest lists.
    pub trail: Option<String>,
    /// Where the trail was created.
    pub home_region: Option<String>,
    /// The verdict on this chain.
    pub verdict: Verdict,
    /// What it proves, whether within the period or not. An event is delivered some minutes after it happened
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html>), so copy an hour
    /// more than the period.
    pub proven: Vec<Interval>,
    /// Whether one interval holds the whole period, and [`DELIVERY`] after it.
    pub period_is_proven: bool,
    /// The digests in scope.
    pub digests: Counts,
    /// The logs in scope.
    pub logs: Counts,
    /// Files that do not concern the period.
    pub out_of_scope: u64,
    /// Why the verdict is not better; empty if it is proven.
    pub reasons: Vec<String>,
}

/// What was read of the log files of a trail, in place of the event history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailLogs {
    /// What was found out.
    pub report: Report,
    /// Files that were not looked at, because they are not what was asked for.
    pub left_out: LeftOut,
    /// Events that came more than once, with the same content; each is kept once.
    pub duplicates: u64,
    /// Ids under which events of different content came. All of those events are kept.
    pub contradictory_ids: u64,
    /// Events of Regions out of scope, which were left out.
    pub other_regions: u64,
}

/// Everything that was found out about a folder of log files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The period asked for.
    pub period: Period,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not better; empty if it is proven.
    pub reasons: Vec<String>,
    /// Per chain, in order of account, Region and trail.
    pub chains: Vec<ChainSummary>,
    /// Per file, in order of account, Region, trail, kind and path.
    pub rows: Vec<Row>,
    /// What is wrong with single files besides.
    pub problems: Vec<Problem>,
    /// What became of the events.
    pub events: EventCounts,
    /// How many files are neither digests, nor logs, nor signature files.
    pub other_files: u64,
    /// The first of them.
    pub other_named: Vec<String>,
}

/// What is wrong with one file, besides what its row says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Path below the root, with `/`.
    pub path: String,
    /// True when events of the file may be absent from what the sink received.
    pub events_lost: bool,
    /// Cause and remedy.
    pub problem: String,
}

/// What became of the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EventCounts {
    /// Log files whose content was read.
    pub files: u64,
    /// Their decompressed bytes.
    pub bytes: u64,
    /// Records found.
    pub records: u64,
    /// Given to the sink, before duplicates are removed.
    pub taken: u64,
    /// Left out because of their time.
    pub outside_period: u64,
    /// Left out because of their account.
    pub other_account: u64,
    /// Not to be placed: not JSON objects, not UTF-8, without a readable time. Each file that has some is
    /// among the problems.
    pub unreadable: u64,
    /// Among those taken, how many have no `eventID`.
    pub without_id: u64,
}

impl EventCounts {
    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.records += other.records;
        self.taken += other.taken;
        self.outside_period += other.outside_period;
        self.other_account += other.other_account;
        self.unreadable += other.unreadable;
        self.without_id += other.without_id;
    }
}
