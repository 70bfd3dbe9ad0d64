//! The findings: all checks at a glance, worst first, and each check that fails or is unknown with its resources.

use super::{Context, Link};
use crate::controls::Check;
use crate::finding::{Finding, Severity, Status};
use crate::report::facts::{self, Tally};
use crate::report::tables;
use crate::report::words::{Shown, count, number};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// How many resources of a check are listed; all are in findings.csv.
const MOST_ROWS: usize = 50;
/// How many unknown ones among them, since they mostly say the same.
const MOST_UNKNOWN: usize = 10;
/// How many pointers of a finding are linked.
const MOST_LINKS: usize = 3;
/// How many Config rules of a check are listed.
const MOST_RULES: usize = 12;

pub(super) struct View {
    pub(super) total: String,
    pub(super) severities: Vec<SeverityRow>,
    pub(super) checks: Vec<CheckRow>,
    pub(super) details: Vec<CheckDetail>,
    pub(super) csv: Link,
    pub(super) json: Link,
}

pub(super) struct Counts {
    pub(super) open: String,
    pub(super) excepted: String,
    pub(super) unknown: String,
    pub(super) manual: String,
    pub(super) pass: String,
    pub(super) not_applicable: String,
}

impl Counts {
    pub(super) fn of(tally: &Tally) -> Self {
        Self {
            open: super::cell(tally.open()),
            excepted: super::cell(tally.excepted),
            unknown: super::cell(tally.get(Status::Unknown)),
            manual: super::cell(tally.get(Status::Manual)),
            pass: super::cell(tally.get(Status::Pass)),
            not_applicable: super::cell(tally.get(Status::NotApplicable)),
        }
    }
}

pub(super) struct SeverityRow {
    pub(super) word: &'static str,
    pub(super) class: &'static str,
    pub(super) counts: Counts,
}

pub(super) struct CheckRow {
    pub(super) title: Shown,
    pub(super) target: String,
    pub(super) severity: &'static str,
    pub(super) severity_class: &'static str,
    pub(super) status: &'static str,
    pub(super) status_class: &'static str,
    pub(super) counts: Counts,
}

pub(super) struct CheckDetail {
    pub(super) anchor: String,
    pub(super) definition: String,
    pub(super) id: Shown,
    pub(super) title: Shown,
    pub(super) severity: &'static str,
    pub(super) severity_class: &'static str,
    pub(super) status: &'static str,
    pub(super) status_class: &'static str,
    pub(super) sentence: String,
    pub(super) remediation: Shown,
    pub(super) rules: Vec<Shown>,
    pub(super) more_rules: usize,
    pub(super) rules_note: Shown,
    pub(super) with_region: bool,
    pub(super) rows: Vec<Row>,
    pub(super) more: String,
}

pub(super) struct Row {
    pub(super) status: &'static str,
    pub(super) status_class: &'static str,
    pub(super) name: Shown,
    pub(super) id: Shown,
    pub(super) region: Shown,
    pub(super) message: Shown,
    pub(super) verdict: Shown,
    pub(super) exception: Shown,
    pub(super) links: Vec<Link>,
    pub(super) more_links: usize,
}

pub(super) fn view(context: &Context<'_>) -> View {
    let audit = &context.audit;
    let findings = facts::by_check(audit);
    let mut checks: Vec<(&str, Status, Severity, Tally)> = findings
        .iter()
        .map(|(id, findings)| {
            let worst = findings.iter().map(|f| f.status).max().unwrap_or(Status::Unknown);
            let severity = findings.iter().map(|f| f.severity).max().unwrap_or(Severity::Low);
            (*id, worst, severity, Tally::of(findings.iter().copied()))
        })
        .collect();
    // A check that left no finding at all says nothing: that is shown as unknown, never left out.
    for check in audit.controls.checks.values().filter(|check| !findings.contains_key(check.id.as_str())) {
        checks.push((&check.id, Status::Unknown, check.severity, Tally::default()));
    }
    checks.sort_by_key(|(id, status, severity, tally)| {
        (Reverse(*status), Reverse(tally.open() > 0), Reverse(*severity), Reverse(tally.open()), *id)
    });
    let detailed = |status: Status| matches!(status, Status::Fail | Status::Unknown | Status::Manual);
    let row = |(id, status, severity, tally): &(&str, Status, Severity, Tally)| CheckRow {
        title: title(audit.controls.checks.get(*id), id),
        target: super::anchor(if detailed(*status) { "check" } else { "definition" }, id),
        severity: severity.word(),
        severity_class: super::weight(*severity, *status),
        status: status.word(),
        status_class: super::status_class(*status),
        counts: Counts::of(tally),
    };
    View {
        total: number(audit.evaluation.findings.len() as u64),
        severities: facts::by_severity(audit)
            .iter()
            .map(|(severity, tally)| SeverityRow {
                word: severity.word(),
                class: super::severity_class(*severity),
                counts: Counts::of(tally),
            })
            .collect(),
        checks: checks.iter().map(row).collect(),
        details: checks
            .iter()
            .filter(|(_, status, ..)| detailed(*status))
            .map(|(id, status, severity, tally)| {
                let of = findings.get(id).map(Vec::as_slice).unwrap_or_default();
                detail(context, id, *status, *severity, tally, of)
            })
            .collect(),
        csv: context.link("findings.csv", "findings.csv"),
        json: context.link("findings.json", "findings.json"),
    }
}

fn title(check: Option<&Check>, id: &str) -> Shown {
    check.map_or(id, |check| &check.title).into()
}

fn detail(
    context: &Context<'_>,
    id: &str,
    status: Status,
    severity: Severity,
    tally: &Tally,
    findings: &[&Finding],
) -> CheckDetail {
    let check = context.audit.controls.checks.get(id);
    let of = |wanted: Status, excepted: bool| {
        findings.iter().filter(move |f| f.status == wanted && f.exception.is_some() == excepted)
    };
    let listed: Vec<&&Finding> = of(Status::Fail, false)
        .chain(of(Status::Fail, true))
        .chain(of(Status::Manual, false))
        .chain(of(Status::Unknown, false).take(MOST_UNKNOWN))
        .take(MOST_ROWS)
        .collect();
    let to_list = tally.get(Status::Fail) + tally.get(Status::Manual) + tally.get(Status::Unknown);
    let rules: BTreeSet<String> = findings.iter().flat_map(|f| &f.config_rules).map(tables::rule_words).collect();
    CheckDetail {
        anchor: super::anchor("check", id),
        definition: super::anchor("definition", id),
        id: id.into(),
        title: title(check, id),
        severity: severity.word(),
        severity_class: super::severity_class(severity),
        status: status.word(),
        status_class: super::status_class(status),
        sentence: sentence(check, tally),
        remediation: check.map(|check| check.remediation.as_str()).unwrap_or_default().into(),
        more_rules: rules.len().saturating_sub(MOST_RULES),
        rules: rules.iter().take(MOST_RULES).map(Shown::from).collect(),
        rules_note: check.and_then(|check| check.config_rules_note.as_deref()).unwrap_or_default().into(),
        with_region: listed.iter().any(|f| f.resource.as_ref().is_some_and(|r| r.region.is_some())),
        rows: listed.iter().map(|finding| row(context, finding)).collect(),
        more: match to_list.saturating_sub(listed.len() as u64) {
            0 => String::new(),
            more => number(more),
        },
    }
}

/// `Judged: 43 IAM users. 12 fail (2 excepted), 3 unknown, 28 pass; 4 not applicable.`
fn sentence(check: Option<&Check>, tally: &Tally) -> String {
    let judged: u64 = [Status::Fail, Status::Unknown, Status::Manual, Status::Pass].map(|s| tally.get(s)).iter().sum();
    let (one, many) = check.map_or(("resource", "resources"), |check| {
        let schema = check.resource.schema();
        (schema.title.trim_start_matches("the "), schema.plural)
    });
    let mut parts = Vec::new();
    for (status, words) in [
        (Status::Fail, "fail"),
        (Status::Unknown, "unknown"),
        (Status::Manual, "to be answered by a person"),
        (Status::Pass, "pass"),
    ] {
        let excepted = match (status, tally.excepted) {
            (Status::Fail, 1..) => format!(" ({} excepted)", number(tally.excepted)),
            _ => String::new(),
        };
        if tally.get(status) > 0 {
            parts.push(format!("{} {words}{excepted}", number(tally.get(status))));
        }
    }
    let beside = match tally.get(Status::NotApplicable) {
        0 => String::new(),
        n => format!("; {} not applicable", number(n)),
    };
    if parts.is_empty() {
        return "No finding.".to_owned();
    }
    format!("Judged: {}. {}{beside}.", count(judged, one, many), parts.join(", "))
}

fn row(context: &Context<'_>, finding: &Finding) -> Row {
    let resource = finding.resource.as_ref();
    let verdicts: BTreeSet<String> = finding.config_rules.iter().map(tables::verdict_short).collect();
    let exception = finding.exception.as_ref().map(|exception| {
        format!("{} Approved by {}, until {}.", sentence_end(&exception.reason), exception.approver, exception.expires)
    });
    Row {
        status: finding.status.word(),
        status_class: super::status_class(finding.status),
        name: resource.map_or("the whole population", |r| &r.name).into(),
        id: resource.filter(|r| r.id != r.name).map(|r| r.id.as_str()).unwrap_or_default().into(),
        region: resource.and_then(|r| r.region.as_deref()).unwrap_or_default().into(),
        message: (&finding.message).into(),
        verdict: verdicts.into_iter().collect::<Vec<_>>().join("; ").into(),
        exception: exception.unwrap_or_default().into(),
        links: finding.evidence.iter().take(MOST_LINKS).map(|pointer| context.pointer(pointer)).collect(),
        more_links: finding.evidence.len().saturating_sub(MOST_LINKS),
    }
}

/// A text that ends as a sentence does.
fn sentence_end(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
