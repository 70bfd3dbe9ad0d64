//! What the manifest says of an audit.

use super::assemble::Log;
use super::manifest::{
    Account, Call, CallRef, Caller, Callers, Conclusion, Controls, Covered, Custody, DeclaredSeals, ExceptionState,
    Exclusion, FORMAT, Gap, Manifest, Manual, Note, Period, Population, Reconciliation, Redaction, Review, Scope,
    Slice, Source, SourceCount, Span, Tool,
};
use crate::controls::manual::ManualEvidence;
use crate::evaluate::ExceptionResult;
use crate::evidence::cloudtrail::LookupEvents;
use crate::evidence::custody::clock_skew;
use crate::evidence::iam::ListAccountAliases;
use crate::evidence::identity::{CallerIdentity, ListRegions};
use crate::evidence::trail_logs::KeptFiles;
use crate::evidence::{CallId, EventSource, Evidence, Operation, Outcome, Timestamp};
use crate::finding::Severity;
use crate::report::{self, Audit};
use std::collections::{BTreeMap, BTreeSet};

/// The manifest, as far as it is known without the files.
pub(super) fn describe(audit: Audit<'_>, log: &Log<'_>, kept: Option<&KeptFiles>) -> Manifest {
    let evidence = audit.evidence;
    let run = &evidence.run;
    let notes = evidence.notes.iter().filter(|n| !n.incomplete).map(|n| note(&n.place, n.text.clone()));
    Manifest {
        format: FORMAT,
        tool: Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            collected_by: run.version.clone(),
        },
        source: if log.recording.is_some() { Source::Recording } else { Source::Files },
        account: account(evidence),
        caller: Callers { start: evidence.caller_start().map(caller), end: evidence.caller_end.as_ref().map(caller) },
        custody: custody(evidence, log),
        scope: Scope {
            regions: evidence.regions.iter().cloned().collect(),
            regions_asked: run.regions.clone(),
            frameworks: run.frameworks.clone(),
            operations: run.operations.clone(),
        },
        as_of: run.as_of,
        period: Period {
            asked: Span { from: run.period.from, to: run.period.to },
            settled_through: run.settled_through(),
            covered: evidence
                .calls_of(Operation::CloudTrailLookupEvents)
                .filter_map(|c| covered(evidence, c.0))
                .collect(),
        },
        controls: Controls { sha256: String::new(), files: 0, checks: 0, exceptions: 0 },
        exceptions: audit.evaluation.exceptions.iter().map(exception).collect(),
        manual: audit.controls.settings.manual.iter().map(|of| manual(of, run.as_of)).collect(),
        review: audit.resources.review.as_ref().map(|review| Review {
            opened: review.opened,
            closed: review.closed,
            due: review.due,
            population_sha256: review.population_sha256.clone(),
            register: review.register.file.to_string(),
            record: review.record.clone(),
        }),
        conclusion: conclusion(audit),
        calls: calls(evidence, log),
        populations: populations(audit),
        reconciliation: audit.resources.reconciliation.iter().map(reconciliation).collect(),
        gaps: gaps(audit),
        notes: notes.collect(),
        redactions: redactions(log, kept),
        exclusions: exclusions(evidence),
        seals: DeclaredSeals::default(),
        files: Vec::new(),
    }
}

pub(super) fn note(place: &str, text: String) -> Note {
    Note { place: place.to_owned(), text }
}

fn caller(identity: &CallerIdentity) -> Caller {
    Caller { account: identity.account.clone(), arn: identity.arn.clone(), user_id: identity.user_id.clone() }
}

fn custody(evidence: &Evidence, log: &Log<'_>) -> Custody {
    Custody {
        runs: evidence.custody.runs.clone(),
        requests: log.requests,
        with_request_id: log.with_request_id,
        first_answer: log.answered.map(|(first, _)| first),
        last_answer: log.answered.map(|(_, last)| last),
        clock_skew_seconds: log.answered.and_then(|(first, _)| clock_skew(&evidence.custody, first)),
    }
}

fn manual(of: &ManualEvidence, as_of: Timestamp) -> Manual {
    Manual {
        file: of.path.clone(),
        requirements: of.requirements.clone(),
        description: of.description.clone(),
        owner: of.owner.clone(),
        date: of.date.to_string(),
        valid_until: of.valid_until.map(|day| day.to_string()),
        out_of_date: of.is_out_of_date(as_of),
    }
}

fn exception(result: &ExceptionResult) -> ExceptionState {
    let ExceptionResult { exception, state, failures, remarks } = result;
    ExceptionState {
        check: exception.check.clone(),
        resource: exception.resource.clone(),
        approver: exception.approver.clone(),
        granted: exception.granted.map(|day| day.to_string()),
        expires: exception.expires.to_string(),
        ticket: exception.ticket.clone(),
        state: state.word().to_owned(),
        failures: *failures,
        remarks: remarks.clone(),
    }
}

fn account(evidence: &Evidence) -> Account {
    let aliases = evidence.global::<ListAccountAliases>();
    let callers = [evidence.caller_start(), evidence.caller_end.as_ref()];
    let arn = callers.into_iter().flatten().find_map(|caller| caller.arn.as_deref());
    Account {
        id: evidence.account.clone(),
        alias: aliases.arrived().and_then(|list| list.account_aliases.first().cloned()),
        partition: arn.and_then(|arn| arn.split(':').nth(1)).map(str::to_owned),
    }
}

/// Which part of the period a Region's events cover.
fn covered(evidence: &Evidence, call: &CallId) -> Option<Covered> {
    let outcome = evidence.get::<LookupEvents>(call);
    let period = evidence.run.period;
    let settled = evidence.run.settled_through();
    let to = if settled < period.to { settled } else { period.to };
    let coverage = outcome.arrived().map(|events| events.coverage.clone()).unwrap_or_default();
    let complete = outcome.collected().is_some();
    let spans: Vec<Span> = match &outcome {
        Outcome::Collected(_) => vec![Span { from: period.from, to }],
        // A record that cannot be read can be of any time.
        Outcome::Missing { .. } if coverage.unreadable == 0 => {
            coverage.covered.iter().map(|span| Span { from: span.from, to: span.to.min(to) }).collect()
        }
        _ => Vec::new(),
    };
    let spans: Vec<Span> = spans.into_iter().filter(|span| span.from <= span.to).collect();
    let slice = |slice: &crate::evidence::cloudtrail::Slice| Slice {
        from: slice.from,
        to: slice.to,
        pages: slice.pages,
        events: slice.events,
        restarts: slice.restarts,
        complete: slice.complete,
        lookup: slice.lookup,
    };
    Some(Covered {
        region: call.region.clone()?,
        complete,
        span: spans.first().filter(|span| span.to == to).copied(),
        events: coverage.events,
        duplicates: coverage.duplicates,
        unreadable: coverage.unreadable,
        pages: coverage.pages,
        oldest: coverage.oldest,
        newest: coverage.newest,
        source: coverage.source.word().to_owned(),
        spans,
        slices: coverage.slices.iter().map(slice).collect(),
    })
}

fn conclusion(audit: Audit<'_>) -> Conclusion {
    let (outcome, exit_code) = match audit.conclusion() {
        report::Conclusion::Clean => ("clean", 0),
        report::Conclusion::Failed => ("failed", 1),
        report::Conclusion::Incomplete => ("incomplete", 3),
    };
    let mut findings: BTreeMap<String, u64> = BTreeMap::new();
    for finding in &audit.evaluation.findings {
        *findings.entry(finding.status.word().to_owned()).or_default() += 1;
    }
    Conclusion {
        outcome: outcome.to_owned(),
        exit_code,
        fail_on: audit.fail_on.map_or("none", Severity::word).to_owned(),
        findings,
        excepted: audit.evaluation.checks.iter().map(|check| check.excepted).sum(),
    }
}

fn calls(evidence: &Evidence, log: &Log<'_>) -> Vec<Call> {
    let call = |(call, outcome): (&CallId, &Outcome<_>)| Call {
        call: CallRef::from(call),
        outcome: outcome.word(),
        reason: outcome.gap().map(|gap| gap.reason.clone()),
        document: None,
        partial: outcome.gap().is_some() && outcome.arrived().is_some(),
        responses: log.responses(call),
    };
    evidence.calls().map(call).collect()
}

fn populations(audit: Audit<'_>) -> Vec<Population> {
    let population = |population: &crate::resource::Population| {
        let schema = population.kind.schema();
        let mut incomplete: Vec<String> =
            population.incomplete.iter().map(|unknown| format!("{}: {}", unknown.call, unknown.reason)).collect();
        incomplete.sort();
        incomplete.dedup();
        Population {
            kind: schema.id.to_owned(),
            title: schema.plural.to_owned(),
            file: Some(format!("populations/{}", schema.file)),
            rows: population.rows.len() as u64,
            complete: incomplete.is_empty(),
            incomplete,
            sources: population.sources.iter().map(ToString::to_string).collect(),
        }
    };
    audit.resources.populations.values().map(population).collect()
}

fn reconciliation(of: &crate::resource::Reconciliation) -> Reconciliation {
    let count = |(source, count): &(String, Option<i64>)| SourceCount { source: source.clone(), count: *count };
    Reconciliation {
        population: of.population.clone(),
        counts: of.counts.iter().map(count).collect(),
        agrees: of.agrees,
        differences: of.differences.clone(),
    }
}

fn gaps(audit: Audit<'_>) -> Vec<Gap> {
    let calls = audit.evidence.gaps().map(|(call, gap)| Gap {
        place: call.to_string(),
        kind: gap.kind.to_string(),
        reason: gap.reason.clone(),
    });
    let notes = audit.evidence.notes.iter().filter(|note| note.incomplete).map(|note| Gap {
        place: note.place.clone(),
        kind: "incomplete".to_owned(),
        reason: note.text.clone(),
    });
    calls.chain(notes).collect()
}

fn redactions(log: &Log<'_>, kept: Option<&KeptFiles>) -> Vec<Redaction> {
    let mut redactions = log.redactions.clone();
    let kept = kept.into_iter().flat_map(KeptFiles::all).filter(|(_, file)| file.redactions > 0);
    redactions.extend(kept.map(|(path, file)| Redaction {
        file: format!("raw/{path}"),
        count: file.redactions,
        // Of the uncompressed content, which is what AWS's digests list.
        original_sha256: file.original_sha256.clone().unwrap_or_default(),
    }));
    redactions.sort_by(|a, b| a.file.cmp(&b.file));
    redactions
}

/// What is left out on purpose.
fn exclusions(evidence: &Evidence) -> Vec<Exclusion> {
    let mut exclusions = Vec::new();
    let mut exclude = |what: String, reason: &str| exclusions.push(Exclusion { what, reason: reason.to_owned() });
    if let Some(regions) = evidence.global::<ListRegions>().arrived() {
        let enabled: BTreeSet<&str> = regions.enabled().collect();
        for region in regions.regions.iter().filter_map(|region| region.region_name.as_deref()) {
            if evidence.regions.contains(region) {
                continue;
            }
            let why =
                if enabled.contains(region) { "not among the Regions asked for" } else { "not enabled in the account" };
            exclude(format!("the Region {region}"), why);
        }
    }
    let planned: BTreeSet<&str> = evidence.run.operations.iter().map(String::as_str).collect();
    for operation in Operation::ALL {
        let name = operation.to_string();
        if !planned.contains(name.as_str()) && evidence.calls_of(*operation).next().is_none() {
            exclude(name, "nothing that was selected needs it");
        }
    }
    if let Some(restriction) = evidence.run.events.restriction() {
        exclude("other events".to_owned(), &format!("{restriction} were asked for"));
    }
    if evidence.run.events.source == EventSource::TrailLogs {
        let reason = "the log files of a trail hold what its event selectors let it record";
        exclude("events that the trail was not set to record".to_owned(), reason);
    }
    if planned.contains(Operation::CloudTrailLookupEvents.to_string().as_str()) {
        let reason = "CloudTrail's event history holds management events of the last 90 days only; others are where the trails deliver to";
        exclude("data events, network activity events and Insights events".to_owned(), reason);
    }
    exclusions
}
