//! Facts that several reports state: who, when, how many. Each is worked out here once.

use super::words::number;
use super::{Audit, Conclusion, words};
use crate::controls::{Automation, Controls, Framework, Requirement};
use crate::evidence::cloudtrail::LookupEvents;
use crate::evidence::digest::sha256;
use crate::evidence::identity::CallerIdentity;
use crate::evidence::{Operation, Outcome, Timestamp};
use crate::finding::{Finding, Severity, Status};
use crate::resource::{Kind, Reconciliation, Standing, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// How many differences of a reconciliation are told where there is little room.
const MOST_DIFFERENCES: usize = 3;

/// Findings by status, and failures that an exception covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Findings by status. Only statuses that occur.
    pub by_status: BTreeMap<Status, u64>,
    /// Failures that a valid exception covers, among the failures.
    pub excepted: u64,
}

impl Tally {
    /// Counts findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        let mut tally = Tally::default();
        for finding in findings {
            *tally.by_status.entry(finding.status).or_default() += 1;
            tally.excepted += u64::from(finding.status == Status::Fail && finding.exception.is_some());
        }
        tally
    }

    /// How many findings have a status.
    pub fn get(&self, status: Status) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }

    /// Failures that no exception covers.
    pub fn open(&self) -> u64 {
        self.get(Status::Fail).saturating_sub(self.excepted)
    }
}

/// Findings by severity, worst first; every severity is there.
pub fn by_severity(audit: &Audit<'_>) -> Vec<(Severity, Tally)> {
    let of = |severity| Tally::of(audit.evaluation.findings.iter().filter(|f| f.severity == severity));
    Severity::ALL.iter().rev().map(|severity| (*severity, of(*severity))).collect()
}

/// The findings of each check, by the check's id.
pub fn by_check<'a>(audit: &Audit<'a>) -> BTreeMap<&'a str, Vec<&'a Finding>> {
    let mut findings: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &audit.evaluation.findings {
        findings.entry(&finding.check).or_default().push(finding);
    }
    findings
}

/// How many checks left no finding at all.
pub fn silent_checks(audit: &Audit<'_>) -> u64 {
    let heard: BTreeSet<&str> = audit.evaluation.findings.iter().map(|finding| &*finding.check).collect();
    audit.controls.checks.keys().filter(|id| !heard.contains(id.as_str())).count() as u64
}

/// The requirements that each check speaks to, as `framework requirement`, by the check's id.
pub fn requirements_of_checks(controls: &Controls) -> BTreeMap<&str, Vec<String>> {
    let mut requirements: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for framework in controls.frameworks.values() {
        for requirement in &framework.requirements {
            for check in requirement.checks.iter().collect::<BTreeSet<_>>() {
                requirements.entry(check).or_default().push(format!("{} {}", framework.id, requirement.id));
            }
        }
    }
    requirements
}

/// What is said about one requirement.
#[derive(Clone, Debug)]
pub struct RequirementFacts<'a> {
    /// The requirement.
    pub requirement: &'a Requirement,
    /// The worst status of its checks.
    pub status: Status,
    /// The findings of its checks.
    pub tally: Tally,
    /// Checks that gave no evidence, because no Config rule of theirs is deployed.
    pub without_evidence: Vec<String>,
}

/// What is said about one framework.
#[derive(Clone, Debug)]
pub struct FrameworkFacts<'a> {
    /// The framework.
    pub framework: &'a Framework,
    /// Its requirements, in the standard's order, each of them.
    pub requirements: Vec<RequirementFacts<'a>>,
}

impl FrameworkFacts<'_> {
    /// Requirements with a status.
    pub fn with_status(&self, status: Status) -> u64 {
        self.requirements.iter().filter(|r| r.status == status).count() as u64
    }

    /// Requirements with an automation level.
    pub fn with_automation(&self, automation: Automation) -> u64 {
        self.requirements.iter().filter(|r| r.requirement.automation == automation).count() as u64
    }
}

/// Every framework with every requirement. One that the evaluation says nothing about is unknown if it has
/// checks, and manual if it has none: it never vanishes.
pub fn frameworks<'a>(audit: &Audit<'a>) -> Vec<FrameworkFacts<'a>> {
    let results: BTreeMap<(&str, &str), _> = audit
        .evaluation
        .requirements
        .iter()
        .map(|result| ((result.framework.as_str(), result.requirement.as_str()), result))
        .collect();
    let excepted: BTreeMap<&str, u64> =
        audit.evaluation.checks.iter().map(|check| (check.check.as_str(), check.excepted)).collect();
    let facts = |framework: &'a Framework| {
        let of = |requirement: &'a Requirement| {
            let result = results.get(&(framework.id.as_str(), requirement.id.as_str()));
            let checks: BTreeSet<&str> = requirement.checks.iter().map(String::as_str).collect();
            let silent = if checks.is_empty() { Status::Manual } else { Status::Unknown };
            RequirementFacts {
                requirement,
                status: result.map_or(silent, |r| r.status),
                without_evidence: result.map(|r| r.without_evidence.clone()).unwrap_or_default(),
                tally: Tally {
                    by_status: result.map(|r| r.counts.clone()).unwrap_or_default(),
                    excepted: checks.iter().filter_map(|id| excepted.get(id)).sum(),
                },
            }
        };
        FrameworkFacts { framework, requirements: framework.requirements.iter().map(of).collect() }
    };
    audit.controls.frameworks.values().map(facts).collect()
}

/// Who called, if STS said so.
pub fn caller<'a>(audit: &Audit<'a>) -> Option<&'a CallerIdentity> {
    match audit.evidence.global::<CallerIdentity>() {
        Outcome::Collected(identity) => Some(identity),
        _ => None,
    }
}

/// The caller's ARN, or that it is unknown.
pub fn caller_words(audit: &Audit<'_>) -> String {
    let arn = caller(audit).and_then(|identity| identity.arn.as_deref());
    arn.map_or_else(|| "unknown".to_owned(), |arn| words::visible(arn).into_owned())
}

/// The account's id and alias, or that the account is unknown.
pub fn account_words(audit: &Audit<'_>) -> String {
    let id = audit.evidence.account.as_deref().unwrap_or("unknown");
    match alias(audit) {
        Some(alias) => format!("{} ({})", words::visible(id), words::visible(alias)),
        None => words::visible(id).into_owned(),
    }
}

/// The account's alias, if there is one and it was collected.
pub fn alias<'a>(audit: &Audit<'a>) -> Option<&'a str> {
    let account = audit.resources.populations.get(&Kind::Account)?.rows.first()?;
    match account.fields.get("alias")?.known()? {
        Value::Text(alias) => Some(alias),
        _ => None,
    }
}

/// A day such as 2026-10-01.
pub fn day(time: Timestamp) -> String {
    time.0.format("%Y-%m-%d").to_string()
}

/// The period in words.
pub fn period_words(audit: &Audit<'_>) -> String {
    let period = audit.evidence.run.period;
    let days = u64::try_from(period.days()).unwrap_or(0);
    format!("{} to {} ({})", day(period.from), day(period.to), words::count(days, "day", "days"))
}

/// What part of the period the events of one Region cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The Region.
    pub region: String,
    /// The outcome of LookupEvents, in the design's words; `None` if no control asks for events.
    pub outcome: Option<String>,
    /// Why the answer is not complete, if it is not.
    pub reason: Option<String>,
    /// Events that arrived.
    pub events: Option<u64>,
    /// The oldest and the newest event's time.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Until when the events can be believed to be complete; `None` where they cannot be.
    pub settled_through: Option<Timestamp>,
}

/// The coverage of every Region in scope, sorted.
pub fn coverage(audit: &Audit<'_>) -> Vec<Coverage> {
    let asked = audit.controls.operations().contains(&Operation::CloudTrailLookupEvents);
    let of = |region: &String| {
        let outcome = audit.evidence.regional::<LookupEvents>(region);
        let arrived = outcome.arrived().map(|events| &events.coverage);
        let told = asked || arrived.is_some();
        Coverage {
            region: region.clone(),
            outcome: told.then(|| outcome.word()),
            reason: outcome.gap().filter(|_| told).map(|gap| gap.reason.clone()),
            events: arrived.map(|coverage| coverage.events),
            span: arrived.and_then(|coverage| coverage.oldest.zip(coverage.newest)),
            settled_through: outcome.collected().map(|_| audit.evidence.run.settled_through()),
        }
    };
    audit.evidence.regions.iter().map(of).collect()
}

/// The SHA-256 that names a set of controls: that of the lines which `sha256sum` prints for the files below
/// `controls/`, sorted by path.
pub fn controls_digest(controls: &Controls) -> String {
    let mut lines = String::new();
    for (path, text) in &controls.files {
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{}  {path}", sha256(text.as_bytes()));
    }
    sha256(lines.as_bytes())
}

/// What somebody should look at among exceptions and attached files: expired, unused and too broad ones.
pub fn remarks(audit: &Audit<'_>) -> Vec<String> {
    let exceptions = audit.evaluation.exceptions.iter().filter(|result| !result.remarks.is_empty()).map(|result| {
        let exception = &result.exception;
        let text = format!("exception of {} to {}: {}", exception.resource, exception.check, result.remarks.join("; "));
        words::visible(&text).into_owned()
    });
    let as_of = audit.evidence.as_of();
    let manual =
        audit.controls.settings.manual.iter().filter(|evidence| evidence.is_out_of_date(as_of)).map(|evidence| {
            let text = format!("{} for {}: {}", evidence.path, evidence.requirements.join(", "), evidence.state(as_of));
            words::visible(&text).into_owned()
        });
    exceptions.chain(manual).collect()
}

/// Why the run ended as it did, as sentences.
pub fn conclusion_words(audit: &Audit<'_>) -> Vec<String> {
    let findings = &audit.evaluation.findings;
    let open = |f: &&Finding| f.is_open_failure();
    let reaching = |f: &&Finding| audit.fail_on.is_some_and(|least| f.severity >= least);
    let high = findings.iter().filter(open).filter(reaching).count() as u64;
    let below = findings.iter().filter(open).filter(|f| !reaching(f)).count() as u64;
    let failures = |n| words::count(n, "open failure is", "open failures are");
    let mut sentences = Vec::new();
    match (audit.fail_on, high) {
        (None, _) => sentences.push(match below {
            0 => "There is no open failure.".to_owned(),
            n => format!("{} reported; this run was not asked to end on any.", failures(n)),
        }),
        (Some(least), 0) => sentences.push(format!("No open failure is at or above severity {least}.")),
        (Some(least), n) => sentences.push(format!("{} at or above severity {least}.", failures(n))),
    }
    if let (Some(_), 1..) = (audit.fail_on, below) {
        sentences.push(format!("{} below it.", failures(below)));
    }
    let missing = incomplete_words(audit);
    if missing.is_empty() {
        sentences.push("Nothing in scope is unknown.".to_owned());
        return sentences;
    }
    let incomplete = format!("The evidence is incomplete: {}.", words::listing(&missing));
    // Where nothing fails, what is not known is the news: "no open failure" must not stand before it.
    if high == 0 {
        sentences.insert(0, incomplete);
    } else {
        sentences.push(incomplete);
    }
    sentences
}

/// How a reconciled population is called.
pub fn reconciled_name(of: &Reconciliation) -> &str {
    let kind = Kind::ALL.iter().find(|kind| kind.id() == of.population);
    kind.map_or(&of.population, |kind| kind.schema().plural)
}

/// What a reconciliation came to, in words.
pub fn standing_words(of: &Reconciliation) -> String {
    let counts = |of: &Reconciliation| {
        let counts = of.counts.iter().filter_map(|(source, count)| Some(format!("{source} {}", (*count)?)));
        counts.collect::<Vec<_>>().join(", ")
    };
    let name = reconciled_name(of);
    match of.standing() {
        Standing::Same => format!("the sources of {name} agree"),
        Standing::Explained => format!("the differences between the sources of {name} are explained"),
        Standing::Unexplained => format!("the sources of {name} differ ({})", counts(of)),
        Standing::NotCompared => format!("{name} cannot be compared with a second source"),
    }
}

/// The first differences of a reconciliation; report.html and the manifest have all.
pub fn difference_words(of: &Reconciliation) -> String {
    let shown = of.differences.iter().take(MOST_DIFFERENCES).cloned();
    let more = of.differences.len().saturating_sub(MOST_DIFFERENCES);
    let more = (more > 0).then(|| format!("and {} more, in manifest.json", number(more as u64)));
    shown.chain(more).collect::<Vec<_>>().join("; ")
}

/// What is not known, in words; empty if everything in scope is.
fn incomplete_words(audit: &Audit<'_>) -> Vec<String> {
    let unknown = audit.evaluation.findings.iter().filter(|f| f.status == Status::Unknown).count() as u64;
    let gaps = super::costs::gaps(audit).len() as u64;
    let notes = audit.evidence.notes.iter().filter(|note| note.incomplete).count() as u64;
    let populations = audit.resources.populations.values().filter(|p| !p.incomplete.is_empty()).count() as u64;
    let standing = |of: Standing| audit.resources.reconciliation.iter().filter(|r| r.standing() == of).count() as u64;
    [
        (gaps, "call gave no complete answer", "calls gave no complete answer"),
        (unknown, "finding is unknown", "findings are unknown"),
        (silent_checks(audit), "check left no finding", "checks left no finding"),
        (populations, "population may not be whole", "populations may not be whole"),
        (
            standing(Standing::Unexplained),
            "population is counted differently by its sources",
            "populations are counted differently by their sources",
        ),
        (
            standing(Standing::NotCompared),
            "population has no second source to be compared with",
            "populations have no second source to be compared with",
        ),
        (notes, "other gap is noted", "other gaps are noted"),
    ]
    .into_iter()
    .filter(|(n, _, _)| *n > 0)
    .map(|(n, one, many)| words::count(n, one, many))
    .collect()
}

impl Conclusion {
    /// The exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Conclusion::Clean => 0,
            Conclusion::Failed => 1,
            Conclusion::Incomplete => 3,
        }
    }

    /// The conclusion in a few words.
    pub fn headline(self) -> &'static str {
        match self {
            Conclusion::Clean => "No open failure at the threshold, nothing unknown",
            Conclusion::Failed => "Open failures at or above the threshold",
            Conclusion::Incomplete => "The evidence is incomplete",
        }
    }
}
