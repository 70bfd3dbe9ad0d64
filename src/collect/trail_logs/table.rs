//! The table: one row per file, what each chain proves, and the verdict.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::coverage::{self, ChainId};
use super::digest::Digest;
use super::event::EventCounts;
use super::logs::LogFile;
use super::rows::{self, Judgement};
use super::{Options, Period, Problem, chain, verdict};

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
    pub(super) fn count(&mut self, status: Status) {
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
    /// Whether one interval holds the whole period.
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

/// Everything that [`super::read`] found out.
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

/// A file that its name or content gives out as a digest, and that is none, or not this one.
#[derive(Debug)]
pub(super) struct BadDigest {
    pub(super) path: String,
    pub(super) reason: String,
}

/// What was read, before it is judged.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) digests: Vec<Digest>,
    pub(super) bad_digests: Vec<BadDigest>,
    /// Signature files whose digest is not there.
    pub(super) orphans: Vec<String>,
    pub(super) logs: Vec<LogFile>,
}

/// How many other files are named.
const MAX_OTHERS: usize = 20;

/// Judges the evidence.
pub(super) fn report(
    options: &Options<'_>,
    evidence: &Evidence,
    events: EventCounts,
    mut problems: Vec<Problem>,
    mut others: Vec<String>,
) -> Report {
    let judged = chain::judge(&evidence.digests, &options.keys);
    let covers = coverage::covers(&evidence.digests, &judged, options.period);
    let Judgement { mut rows, homes } = rows::rows(options, evidence, &judged);
    rows.sort();
    problems.sort();
    let covers = covers.into_iter().filter(|(id, _)| is_asked_for(options, id)).collect();
    let (verdict, reasons, chains) = verdict::verdict(options, &rows, &homes, covers, &problems);
    let other_files = others.len() as u64;
    others.truncate(MAX_OTHERS);
    Report {
        period: options.period,
        verdict,
        reasons,
        chains,
        rows,
        problems,
        events,
        other_files,
        other_named: others,
    }
}

fn is_asked_for(options: &Options<'_>, id: &ChainId) -> bool {
    (options.accounts.is_empty() || options.accounts.contains(&id.account))
        && (options.trails.is_empty() || options.trails.contains(&id.trail))
}
