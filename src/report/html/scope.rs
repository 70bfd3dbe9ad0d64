//! What was asked, how, and of whom; and the populations that came of it.

use super::{Context, Link};
use crate::evidence::Operation;
use crate::evidence::custody::Start;
use crate::evidence::identity::ListRegions;
use crate::evidence::trail_logs::{ChainSummary, Counts, TrailLogs, Verdict};
use crate::report::costs::gaps;
use crate::report::facts::{self, Coverage};
use crate::report::trail_logs;
use crate::report::words::{Shown, number};
use crate::resource::{Reconciliation, Standing};

/// How many source documents of a population are linked.
const MOST_SOURCES: usize = 8;

pub(super) struct View {
    pub(super) account: Shown,
    pub(super) alias: Option<Shown>,
    pub(super) caller: Shown,
    pub(super) user_id: Option<Shown>,
    pub(super) as_of: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) days: i64,
    pub(super) version: Shown,
    pub(super) controls_digest: String,
    pub(super) checks: usize,
    pub(super) frameworks: Vec<Shown>,
    pub(super) fail_on: &'static str,
    pub(super) regions_words: &'static str,
    pub(super) calls: String,
    pub(super) collected: String,
    pub(super) absent: String,
    pub(super) incomplete: String,
    pub(super) not_made: u64,
    pub(super) events_asked: bool,
    pub(super) regions: Vec<RegionRow>,
    pub(super) populations: Vec<PopulationRow>,
    pub(super) reconciliation: Vec<ReconciliationRow>,
    pub(super) manifest: Link,
    pub(super) restriction: Option<Shown>,
    pub(super) trail_logs: Option<TrailLogsView>,
    pub(super) calls_file: Link,
    pub(super) caller_end: Shown,
    pub(super) runs: Vec<RunRow>,
}

pub(super) struct TrailLogsView {
    pub(super) verdict: String,
    pub(super) table: Link,
    pub(super) summary: Link,
    pub(super) chains: Vec<ChainRow>,
}

pub(super) struct ChainRow {
    pub(super) region: Shown,
    pub(super) trail: Shown,
    pub(super) proven: bool,
    pub(super) verdict: &'static str,
    pub(super) digests: String,
    pub(super) logs: String,
    pub(super) reasons: Vec<Shown>,
    pub(super) more: usize,
}

/// One start of the run, for its chain of custody.
pub(super) struct RunRow {
    pub(super) started: String,
    pub(super) command: Shown,
    pub(super) program: Shown,
    pub(super) host: Shown,
}

pub(super) struct RegionRow {
    pub(super) region: Shown,
    pub(super) outcome: String,
    pub(super) complete: bool,
    pub(super) events: String,
    pub(super) oldest: String,
    pub(super) newest: String,
    pub(super) settled: String,
    pub(super) file: Link,
}

pub(super) struct PopulationRow {
    pub(super) name: &'static str,
    pub(super) rows: String,
    pub(super) whole: bool,
    pub(super) file: Link,
    pub(super) sources: Vec<Link>,
    pub(super) more_sources: usize,
}

pub(super) struct ReconciliationRow {
    pub(super) population: Shown,
    pub(super) counts: Vec<CountRow>,
    pub(super) agrees: bool,
    pub(super) standing: &'static str,
    pub(super) differences: Vec<Shown>,
    pub(super) more: usize,
}

/// What one source counts.
pub(super) struct CountRow {
    pub(super) source: Shown,
    pub(super) count: String,
}

pub(super) fn view(context: &Context<'_>) -> View {
    let audit = &context.audit;
    let run = &audit.evidence.run;
    let outcomes = |word: &str| audit.evidence.calls().filter(|(_, outcome)| outcome.word() == word).count() as u64;
    let (calls, collected, absent) = (audit.evidence.calls().count() as u64, outcomes("collected"), outcomes("absent"));
    let all_gaps = gaps(audit).len();
    let caller = facts::caller(audit);
    View {
        account: audit.evidence.account.as_deref().unwrap_or("unknown").into(),
        alias: facts::alias(audit).map(Shown::from),
        caller: facts::caller_words(audit).into(),
        user_id: caller.and_then(|identity| identity.user_id.as_deref()).map(Shown::from),
        as_of: run.as_of.zulu(),
        from: run.period.from.zulu(),
        to: run.period.to.zulu(),
        days: run.period.days(),
        version: (&run.version).into(),
        controls_digest: facts::controls_digest(audit.controls),
        checks: audit.controls.checks.len(),
        frameworks: audit
            .controls
            .frameworks
            .values()
            .map(|f| Shown::from(format!("{} ({})", f.title, f.edition)))
            .collect(),
        fail_on: audit.fail_on.map_or("none", |severity| severity.word()),
        regions_words: regions_words(context),
        calls: number(calls),
        collected: number(collected),
        absent: number(absent),
        incomplete: number(calls.saturating_sub(collected + absent)),
        not_made: (all_gaps as u64).saturating_sub(calls.saturating_sub(collected + absent)),
        events_asked: facts::coverage(audit).iter().any(|coverage| coverage.outcome.is_some()),
        regions: facts::coverage(audit).iter().map(|coverage| region(context, coverage)).collect(),
        populations: audit.resources.populations.values().map(|p| population(context, p)).collect(),
        reconciliation: audit.resources.reconciliation.iter().map(reconciliation).collect(),
        manifest: context.link("manifest.json", "manifest.json"),
        restriction: run.events.restriction().map(Shown::from),
        trail_logs: audit.evidence.trail_logs.as_ref().map(|logs| trail_logs_view(context, logs)),
        calls_file: context.link("calls.csv", "calls.csv"),
        caller_end: audit.evidence.caller_end.as_ref().and_then(|end| end.arn.as_deref()).unwrap_or("unknown").into(),
        runs: audit.evidence.custody.runs.iter().map(run_row).collect(),
    }
}

fn run_row(start: &Start) -> RunRow {
    let host = start.host.as_ref().map(|host| {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
        format!("{} as {} ({}, {})", known(&host.name), known(&host.user), host.system, host.architecture)
    });
    RunRow {
        started: start.started.zulu(),
        command: start.command.join(" ").into(),
        program: start.program_sha256.as_deref().unwrap_or("unknown").into(),
        host: host.unwrap_or_else(|| "left out on request".to_owned()).into(),
    }
}

/// How many reasons of one chain are told; the files have all.
const MOST_REASONS: usize = 5;

fn trail_logs_view(context: &Context<'_>, logs: &TrailLogs) -> TrailLogsView {
    let chain = |chain: &ChainSummary| ChainRow {
        region: if chain.region.is_empty() { "unknown".into() } else { (&chain.region).into() },
        trail: chain.trail.as_deref().unwrap_or("in no digest").into(),
        proven: chain.verdict == Verdict::Proven,
        verdict: match chain.verdict {
            Verdict::Proven => "proven",
            Verdict::NotProven => "not proven",
            Verdict::Invalid => "invalid",
        },
        digests: counts(chain.digests),
        logs: counts(chain.logs),
        reasons: chain.reasons.iter().take(MOST_REASONS).map(Shown::from).collect(),
        more: chain.reasons.len().saturating_sub(MOST_REASONS),
    };
    TrailLogsView {
        verdict: trail_logs::verdict_words(logs),
        table: context.link(trail_logs::TABLE, "trail-logs.csv"),
        summary: context.link(trail_logs::SUMMARY, "trail-logs.json"),
        chains: logs.report.chains.iter().map(chain).collect(),
    }
}

/// Valid, invalid, missing, not proven, not covered.
fn counts(counts: Counts) -> String {
    [counts.valid, counts.invalid, counts.missing, counts.not_proven, counts.not_covered].map(number).join(" / ")
}

/// How the Regions in scope came to be. That all are in scope is said only where AWS has listed them.
fn regions_words(context: &Context<'_>) -> &'static str {
    let evidence = context.audit.evidence;
    if evidence.run.regions.is_some() {
        "named by the caller: other Regions are out of scope"
    } else if evidence.global::<ListRegions>().collected().is_some() {
        "all that the account has enabled"
    } else {
        "not known to be all: AWS did not list the account’s Regions, and others may be in use"
    }
}

fn region(context: &Context<'_>, coverage: &Coverage) -> RegionRow {
    let call = crate::evidence::CallId::regional(Operation::CloudTrailLookupEvents, coverage.region.as_str());
    RegionRow {
        region: (&coverage.region).into(),
        outcome: coverage.outcome.clone().unwrap_or_else(|| "not asked".to_owned()),
        complete: coverage.settled_through.is_some(),
        events: coverage.events.map_or_else(|| "unknown".to_owned(), number),
        oldest: coverage.span.map_or_else(|| "–".to_owned(), |(oldest, _)| oldest.zulu()),
        newest: coverage.span.map_or_else(|| "–".to_owned(), |(_, newest)| newest.zulu()),
        settled: coverage.settled_through.map_or_else(|| "unknown".to_owned(), |time| time.zulu()),
        file: context.document(&call, "events.jsonl"),
    }
}

fn population(context: &Context<'_>, population: &crate::resource::Population) -> PopulationRow {
    let schema = population.kind.schema();
    PopulationRow {
        name: schema.plural,
        rows: number(population.rows.len() as u64),
        whole: population.incomplete.is_empty(),
        file: context.link(&format!("populations/{}", schema.file), schema.file),
        sources: population.sources.iter().take(MOST_SOURCES).map(|pointer| context.pointer(pointer)).collect(),
        more_sources: population.sources.len().saturating_sub(MOST_SOURCES),
    }
}

/// How many differences of a reconciliation the report tells; the manifest has all.
const MOST_DIFFERENCES: usize = 24;

pub(super) fn reconciliation(of: &Reconciliation) -> ReconciliationRow {
    let count = |(source, count): &(String, Option<i64>)| CountRow {
        source: source.into(),
        count: count.map_or_else(|| "not known".to_owned(), |count| count.to_string()),
    };
    ReconciliationRow {
        population: facts::reconciled_name(of).into(),
        counts: of.counts.iter().map(count).collect(),
        agrees: of.agrees,
        standing: match of.standing() {
            Standing::Same => "they agree",
            Standing::Explained => "explained",
            Standing::Unexplained => "not explained",
            Standing::NotCompared => "not compared: there are no two sources",
        },
        differences: of.differences.iter().take(MOST_DIFFERENCES).map(Shown::from).collect(),
        more: of.differences.len().saturating_sub(MOST_DIFFERENCES),
    }
}
