//! What the log files of a trail prove: a table with a row for each file, and the same with its summary as JSON.

use super::Audit;
use super::csv::{Cell, Table};
use super::words::count;
use crate::evidence::trail_logs::{
    ChainSummary, Counts, EventCounts, Interval, Kind, LeftOut, Problem, Row, Status, TrailLogs, Verdict,
};
use serde::Serialize;

/// The paths of the files in a package, with their contents; none if no log files were read.
pub fn trail_logs(audit: &Audit<'_>) -> Vec<(String, Vec<u8>)> {
    let Some(logs) = &audit.evidence.trail_logs else { return Vec::new() };
    vec![(TABLE.to_owned(), csv(logs)), (SUMMARY.to_owned(), json(logs))]
}

/// The table.
pub const TABLE: &str = "evidence/cloudtrail/trail-logs.csv";
/// The table with its summary.
pub const SUMMARY: &str = "evidence/cloudtrail/trail-logs.json";

fn csv(logs: &TrailLogs) -> Vec<u8> {
    let mut table = Table::new(&["account", "region", "trail", "kind", "status", "concerns_period", "path", "reason"]);
    for row in &logs.report.rows {
        table.row([
            Cell::from(&*row.account),
            (&*row.region).into(),
            row.trail.as_deref().map(str::to_owned).into(),
            kind(row.kind).into(),
            status(row.status).into(),
            if row.in_scope { "yes" } else { "no" }.into(),
            (&*row.path).into(),
            row.reason.as_str().into(),
        ]);
    }
    for problem in &logs.report.problems {
        let status = if problem.events_lost { "unreadable" } else { "noted" };
        let empty = || Cell::Empty;
        table.row([
            empty(),
            empty(),
            empty(),
            "problem".into(),
            status.into(),
            empty(),
            problem.path.as_str().into(),
            problem.problem.as_str().into(),
        ]);
    }
    table.finish()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Digest => "digest",
        Kind::Log => "log",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Valid => "valid",
        Status::Invalid => "invalid",
        Status::Missing => "missing",
        Status::NotProven => "not-proven",
        Status::NotCovered => "not-covered",
    }
}

/// The file format, version 1: a member is never removed or given another meaning within it.
#[derive(Serialize)]
struct Out<'a> {
    format: u32,
    verdict: Verdict,
    reasons: &'a [String],
    period_from: String,
    /// The first moment that does not belong to the period.
    period_to: String,
    digests: Counts,
    logs: Counts,
    events: &'a EventCounts,
    duplicates: u64,
    contradictory_ids: u64,
    other_regions_events: u64,
    left_out: &'a LeftOut,
    chains: Vec<ChainOut<'a>>,
    problems: &'a [Problem],
    files: &'a [Row],
}

#[derive(Serialize)]
struct ChainOut<'a> {
    account: &'a str,
    region: &'a str,
    trail: Option<&'a str>,
    home_region: Option<&'a str>,
    verdict: Verdict,
    period_is_proven: bool,
    proven: &'a [Interval],
    digests: Counts,
    logs: Counts,
    not_of_the_period: u64,
    reasons: &'a [String],
}

impl<'a> ChainOut<'a> {
    fn of(chain: &'a ChainSummary) -> Self {
        Self {
            account: &chain.account,
            region: &chain.region,
            trail: chain.trail.as_deref(),
            home_region: chain.home_region.as_deref(),
            verdict: chain.verdict,
            period_is_proven: chain.period_is_proven,
            proven: &chain.proven,
            digests: chain.digests,
            logs: chain.logs,
            not_of_the_period: chain.out_of_scope,
            reasons: &chain.reasons,
        }
    }
}

/// Digests and logs of the period, by status.
fn totals(logs: &TrailLogs) -> (Counts, Counts) {
    let (mut digests, mut log_files) = (Counts::default(), Counts::default());
    for row in logs.report.rows.iter().filter(|row| row.in_scope) {
        match row.kind {
            Kind::Digest => digests.count(row.status),
            Kind::Log => log_files.count(row.status),
        }
    }
    (digests, log_files)
}

/// What they prove, in a line.
pub fn verdict_words(logs: &TrailLogs) -> String {
    let verdict = match logs.report.verdict {
        Verdict::Proven => "proven",
        Verdict::NotProven => "not proven",
        Verdict::Invalid => "invalid",
    };
    let (digests, log_files) = totals(logs);
    let words = |counts: Counts, one: &str, many: &str| {
        let all = counts.valid + counts.invalid + counts.missing + counts.not_proven + counts.not_covered;
        let bad = [
            (counts.invalid, "invalid"),
            (counts.missing, "missing"),
            (counts.not_proven, "not proven"),
            (counts.not_covered, "in no digest"),
        ];
        let bad: Vec<String> = bad
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, word)| format!("{} {word}", super::words::number(*n)))
            .collect();
        let bad = if bad.is_empty() { ", all valid".to_owned() } else { format!(" ({})", bad.join(", ")) };
        format!("{}{}", count(all, one, many), if all == 0 { String::new() } else { bad })
    };
    format!("{verdict}: {}; {}", words(digests, "digest", "digests"), words(log_files, "log file", "log files"))
}

fn json(logs: &TrailLogs) -> Vec<u8> {
    let report = &logs.report;
    let (digests, log_files) = totals(logs);
    let zulu = |time: chrono::DateTime<chrono::Utc>| crate::evidence::Timestamp(time).zulu();
    let out = Out {
        format: 1,
        verdict: report.verdict,
        reasons: &report.reasons,
        period_from: zulu(report.period.from),
        period_to: zulu(report.period.to),
        digests,
        logs: log_files,
        events: &report.events,
        duplicates: logs.duplicates,
        contradictory_ids: logs.contradictory_ids,
        other_regions_events: logs.other_regions,
        left_out: &logs.left_out,
        chains: report.chains.iter().map(ChainOut::of).collect(),
        problems: &report.problems,
        files: &report.rows,
    };
    // Texts and numbers always serialise.
    let mut bytes = serde_json::to_vec_pretty(&out).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
