//! JSON outputs. Their types are their own, versioned by `format`, and no dump of what is inside the program.
//!
//! The JSON keeps every text as it came; it is the reference for what the CSV defuses and the page makes visible.

use super::costs::{GapCost, gap_costs};
use super::facts::{self, Tally};
use super::words::is_invisible;
use super::{Audit, Conclusion, Written};
use crate::controls::Automation;
use crate::controls::manual::ManualEvidence;
use crate::evaluate::ExceptionResult;
use crate::finding::{ConfigVerdict, Exception, ExceptionState, Pointer, ResourceRef, Severity, Status};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The version of findings.json.
pub const FINDINGS_FORMAT: u32 = 1;
/// The version of the summary.
pub const SUMMARY_FORMAT: u32 = 1;

/// findings.json: the run, the checks, the requirements, and every finding, each on a line of its own.
///
/// It is written by hand down to the elements of the lists, so that it can be read by line and compared by line
/// whatever its size.
pub fn findings_json(audit: &Audit<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = write_findings_json(audit, &mut out);
    out
}

/// Writes findings.json piece by piece, so that it need not be in memory.
pub fn write_findings_json(audit: &Audit<'_>, out: &mut dyn Write) -> io::Result<()> {
    let run = RunOut::of(audit);
    member(out, "{", "format", &FINDINGS_FORMAT)?;
    member(out, ",", "run", &run)?;
    lines(out, "checks", audit.evaluation.checks.iter().map(|check| CheckOut::of(audit, check)))?;
    lines(out, "exceptions", audit.evaluation.exceptions.iter().map(ExceptionOut::of))?;
    lines(out, "manual", audit.controls.settings.manual.iter().map(|of| ManualOut::of(audit, of)))?;
    let frameworks = facts::frameworks(audit);
    let requirements = frameworks.iter().flat_map(|facts| {
        facts.requirements.iter().map(|of| RequirementOut {
            framework: &facts.framework.id,
            requirement: &of.requirement.id,
            title: &of.requirement.title,
            automation: of.requirement.automation,
            status: of.status,
            findings: CountsOut::of(&of.tally),
            checks: &of.requirement.checks,
            still_to_provide: of.requirement.manual.as_deref(),
        })
    });
    lines(out, "requirements", requirements)?;
    lines(
        out,
        "findings",
        audit.evaluation.findings.iter().map(|finding| FindingOut {
            check: &finding.check,
            status: finding.status,
            severity: finding.severity,
            resource: finding.resource.as_deref(),
            message: &finding.message,
            evidence: &finding.evidence,
            calls_missing: finding.missing.iter().map(ToString::to_string).collect(),
            aws_config: &finding.config_rules,
            exception: finding.exception.as_deref(),
        }),
    )?;
    out.write_all(b"\n}\n")
}

/// Writes `"name": value` after a separator.
fn member(out: &mut dyn Write, before: &str, name: &str, value: &impl Serialize) -> io::Result<()> {
    write!(out, "{before}\n  \"{name}\": ")?;
    push(out, value)
}

/// Writes a list with one element a line.
fn lines<T: Serialize>(out: &mut dyn Write, name: &str, items: impl Iterator<Item = T>) -> io::Result<()> {
    write!(out, ",\n  \"{name}\": [")?;
    let mut any = false;
    for item in items {
        out.write_all(if any { b",\n    " } else { b"\n    " })?;
        push(out, &item)?;
        any = true;
    }
    out.write_all(if any { b"\n  ]" } else { b"]" })
}

fn push(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    // The types below hold texts, numbers, lists and maps with text keys, all of which are JSON. Were that ever
    // untrue, null would stand there instead of a value.
    out.write_all(escaped(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())).as_bytes())
}

/// JSON in which characters that hide or reorder are written as `\u202e`: the same values for a program, and
/// nothing that plays tricks on whoever looks at the file.
fn escaped(json: &str) -> Cow<'_, str> {
    // Below U+007F, the serializer has escaped what is within texts, and line feeds outside of them stay.
    let hides = |c: char| c >= '\u{7f}' && is_invisible(c);
    if !json.contains(hides) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 32);
    for c in json.chars() {
        if hides(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// The facts of the run.
#[derive(Serialize)]
struct RunOut {
    account: Option<String>,
    account_alias: Option<String>,
    caller: Option<String>,
    version: String,
    as_of: String,
    period_from: String,
    period_to: String,
    settled_through: String,
    regions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events_only: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trail_logs: Option<String>,
    controls_sha256: String,
    fail_on: Option<Severity>,
    conclusion: Conclusion,
    exit_code: u8,
    why: Vec<String>,
}

impl RunOut {
    fn of(audit: &Audit<'_>) -> Self {
        let run = &audit.evidence.run;
        let conclusion = audit.conclusion();
        Self {
            account: audit.evidence.account.clone(),
            account_alias: facts::alias(audit).map(str::to_owned),
            caller: facts::caller(audit).and_then(|identity| identity.arn.clone()),
            version: run.version.clone(),
            as_of: run.as_of.zulu(),
            period_from: run.period.from.zulu(),
            period_to: run.period.to.zulu(),
            settled_through: run.settled_through().zulu(),
            regions: audit.evidence.regions.iter().cloned().collect(),
            events_only: run.events.restriction(),
            trail_logs: audit.evidence.trail_logs.as_ref().map(super::trail_logs::verdict_words),
            controls_sha256: facts::controls_digest(audit.controls),
            fail_on: audit.fail_on,
            conclusion,
            exit_code: conclusion.exit_code(),
            why: facts::conclusion_words(audit),
        }
    }
}

/// An exception and what became of it.
#[derive(Serialize)]
struct ExceptionOut<'a> {
    #[serde(flatten)]
    exception: &'a Exception,
    state: ExceptionState,
    failures: u64,
    remarks: &'a [String],
}

impl<'a> ExceptionOut<'a> {
    fn of(result: &'a ExceptionResult) -> Self {
        let ExceptionResult { exception, state, failures, remarks } = result;
        Self { exception, state: *state, failures: *failures, remarks }
    }
}

/// A file that somebody attached.
#[derive(Serialize)]
struct ManualOut<'a> {
    file: &'a str,
    requirements: &'a [String],
    description: &'a str,
    owner: &'a str,
    date: String,
    valid_until: Option<String>,
    out_of_date: bool,
    sha256: Option<&'a str>,
}

impl<'a> ManualOut<'a> {
    fn of(audit: &Audit<'_>, evidence: &'a ManualEvidence) -> Self {
        Self {
            file: &evidence.path,
            requirements: &evidence.requirements,
            description: &evidence.description,
            owner: &evidence.owner,
            date: evidence.date.to_string(),
            valid_until: evidence.valid_until.map(|day| day.to_string()),
            out_of_date: evidence.is_out_of_date(audit.evidence.as_of()),
            sha256: evidence.attached.as_ref().map(|attached| attached.sha256.as_str()),
        }
    }
}

/// Findings by status; every status is there.
#[derive(Serialize)]
struct CountsOut {
    fail: u64,
    fail_excepted: u64,
    unknown: u64,
    manual: u64,
    pass: u64,
    not_applicable: u64,
}

impl CountsOut {
    fn of(tally: &Tally) -> Self {
        Self {
            fail: tally.get(Status::Fail),
            fail_excepted: tally.excepted,
            unknown: tally.get(Status::Unknown),
            manual: tally.get(Status::Manual),
            pass: tally.get(Status::Pass),
            not_applicable: tally.get(Status::NotApplicable),
        }
    }
}

#[derive(Serialize)]
struct CheckOut<'a> {
    check: &'a str,
    title: Option<&'a str>,
    resource_kind: Option<&'a str>,
    severity: Severity,
    status: Status,
    findings: CountsOut,
}

impl<'a> CheckOut<'a> {
    fn of(audit: &Audit<'a>, result: &'a crate::evaluate::CheckResult) -> Self {
        let check = audit.controls.checks.get(&result.check);
        Self {
            check: &result.check,
            title: check.map(|check| check.title.as_str()),
            resource_kind: check.map(|check| check.resource.id()),
            severity: result.severity,
            status: result.status,
            findings: CountsOut::of(&Tally { by_status: result.counts.clone(), excepted: result.excepted }),
        }
    }
}

#[derive(Serialize)]
struct RequirementOut<'a> {
    framework: &'a str,
    requirement: &'a str,
    title: &'a str,
    automation: Automation,
    status: Status,
    findings: CountsOut,
    checks: &'a [String],
    still_to_provide: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingOut<'a> {
    check: &'a str,
    status: Status,
    severity: Severity,
    resource: Option<&'a ResourceRef>,
    message: &'a str,
    evidence: &'a [Pointer],
    calls_missing: Vec<String>,
    aws_config: &'a [ConfigVerdict],
    exception: Option<&'a Exception>,
}

/// The summary as JSON, for programs: the run, counts, gaps, and the package if one was written.
pub fn summary_json(audit: &Audit<'_>, written: Option<&Written<'_>>) -> Vec<u8> {
    let summary = SummaryOut {
        format: SUMMARY_FORMAT,
        run: RunOut::of(audit),
        populations: audit.resources.populations.values().map(PopulationOut::of).collect(),
        reconciliation: &audit.resources.reconciliation,
        findings: facts::by_severity(audit)
            .iter()
            .map(|(severity, tally)| (severity.word(), CountsOut::of(tally)))
            .collect(),
        frameworks: facts::frameworks(audit).iter().map(FrameworkOut::of).collect(),
        gaps: gap_costs(audit).iter().map(GapOut::of).collect(),
        exceptions: audit.evaluation.exceptions.iter().map(ExceptionOut::of).collect(),
        manual: audit.controls.settings.manual.iter().map(|of| ManualOut::of(audit, of)).collect(),
        notes: audit
            .evidence
            .notes
            .iter()
            .map(|note| NoteOut { place: &note.place, text: &note.text, incomplete: note.incomplete })
            .collect(),
        package: written.map(|written| PackageOut { path: written.path, size: written.size }),
    };
    let json = serde_json::to_string_pretty(&summary).unwrap_or_else(|_| "null".to_owned());
    let mut out = escaped(&json).into_owned().into_bytes();
    out.push(b'\n');
    out
}

#[derive(Serialize)]
struct SummaryOut<'a> {
    format: u32,
    run: RunOut,
    populations: Vec<PopulationOut>,
    reconciliation: &'a [crate::resource::Reconciliation],
    findings: BTreeMap<&'static str, CountsOut>,
    frameworks: Vec<FrameworkOut<'a>>,
    gaps: Vec<GapOut>,
    exceptions: Vec<ExceptionOut<'a>>,
    manual: Vec<ManualOut<'a>>,
    notes: Vec<NoteOut<'a>>,
    package: Option<PackageOut<'a>>,
}

#[derive(Serialize)]
struct PopulationOut {
    kind: &'static str,
    rows: usize,
    complete: bool,
    incomplete: Vec<String>,
}

impl PopulationOut {
    fn of(population: &crate::resource::Population) -> Self {
        Self {
            kind: population.kind.id(),
            rows: population.rows.len(),
            complete: population.incomplete.is_empty(),
            incomplete: population.incomplete.iter().map(|u| format!("{}: {}", u.call, u.reason)).collect(),
        }
    }
}

#[derive(Serialize)]
struct FrameworkOut<'a> {
    framework: &'a str,
    title: &'a str,
    requirements: usize,
    by_status: BTreeMap<&'static str, u64>,
    by_automation: BTreeMap<&'static str, u64>,
}

impl<'a> FrameworkOut<'a> {
    fn of(facts: &facts::FrameworkFacts<'a>) -> Self {
        Self {
            framework: &facts.framework.id,
            title: &facts.framework.title,
            requirements: facts.requirements.len(),
            by_status: Status::ALL.iter().map(|status| (status.word(), facts.with_status(*status))).collect(),
            by_automation: [Automation::Full, Automation::Partial, Automation::Manual]
                .into_iter()
                .map(|automation| (automation.word(), facts.with_automation(automation)))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct GapOut {
    operation: String,
    outcome: crate::evidence::GapKind,
    reason: String,
    calls: Vec<CallOut>,
    unknown_findings: BTreeMap<String, u64>,
    requirements: Vec<String>,
}

#[derive(Serialize)]
struct CallOut {
    region: Option<String>,
    resource: Option<String>,
    partial: bool,
}

impl GapOut {
    fn of(cost: &GapCost) -> Self {
        let call = |(call, partial): &(crate::evidence::CallId, bool)| CallOut {
            region: call.region.clone(),
            resource: call.resource.clone(),
            partial: *partial,
        };
        Self {
            operation: cost.operation.to_string(),
            outcome: cost.gap.kind,
            reason: cost.gap.reason.clone(),
            calls: cost.calls.iter().map(call).collect(),
            unknown_findings: cost.unknown.clone(),
            requirements: cost.requirements.iter().map(|(framework, id)| format!("{framework} {id}")).collect(),
        }
    }
}

#[derive(Serialize)]
struct NoteOut<'a> {
    place: &'a str,
    text: &'a str,
    incomplete: bool,
}

#[derive(Serialize)]
struct PackageOut<'a> {
    path: &'a str,
    size: u64,
}
