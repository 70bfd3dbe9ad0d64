//! The table: one row per file, what each chain proves, and the verdict.

use super::coverage::{self, ChainId};
use super::digest::Digest;
use super::logs::LogFile;
use super::rows::{self, Judgement};
use super::{Options, chain, verdict};
pub use crate::evidence::trail_logs::{
    ChainSummary, Counts, EventCounts, Interval, Kind, Problem, Report, Row, Status, Verdict,
};

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
    let covers = coverage::covers(&evidence.digests, &judged, options.period.delivered());
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
