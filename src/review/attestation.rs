//! The page of a closed review to print and to sign.

use super::findings::{ReviewFinding, worst};
use super::followup::Outcome;
use super::population::{Decision, Frozen, Sheet};
use super::record::Register;
use crate::finding::Status;
use crate::report::html::{content_security_policy, render};
use crate::report::words::{Shown, number};
use askama::Template;
use std::collections::BTreeMap;

/// attestation.html: one page to print and to sign.
pub(super) fn page(register: &Register, frozen: &Frozen, findings: &[ReviewFinding]) -> String {
    render(&Page::of(register, frozen, findings))
}

/// One status in the table: its class, and its word.
#[derive(Clone, Debug)]
struct Mark {
    class: &'static str,
    word: &'static str,
}

impl Mark {
    fn none() -> Self {
        Self { class: "none", word: "–" }
    }

    fn of(finding: &ReviewFinding) -> Self {
        let word = match finding.status {
            Status::NotApplicable => "n/a",
            Status::Fail if finding.excepted => "excepted",
            status => status.word(),
        };
        Self { class: finding.status.word(), word }
    }
}

struct SheetLine {
    name: &'static str,
    rows: String,
    counts: Vec<String>,
    undecided: u64,
}

struct RequirementLine {
    name: String,
    statuses: Vec<Mark>,
}

struct Signed {
    by: Shown,
    position: Shown,
    on: String,
}

struct Remark {
    status: &'static str,
    text: Shown,
}

#[derive(Template)]
#[template(path = "review/attestation.html")]
struct Page {
    policy: String,
    style: &'static str,
    account: Shown,
    opened: String,
    closed: String,
    due: String,
    verdict: &'static str,
    sheets: Vec<SheetLine>,
    done: u64,
    not_done: u64,
    unknown: u64,
    contradictions: usize,
    checks: Vec<&'static str>,
    requirements: Vec<RequirementLine>,
    remarks: Vec<Remark>,
    reviewers: Shown,
    acknowledgement: Option<Signed>,
    population_sha256: String,
    version: &'static str,
}

const STYLE: &str = include_str!("../../templates/review/attestation.css");

const CHECKS: [(&str, &str); 7] = [
    ("access-review-population-complete", "population complete"),
    ("access-review-all-decided", "all decided"),
    ("access-review-in-time", "in time"),
    ("access-review-followed-up", "followed up"),
    ("access-review-recent", "recent"),
    ("access-review-periodic", "each quarter"),
    ("access-review-acknowledged", "acknowledged"),
];

fn framework(id: &str) -> &str {
    match id {
        "soc2" => "SOC 2",
        "iso27001" => "ISO/IEC 27001",
        "hipaa" => "HIPAA",
        "pci-dss" => "PCI DSS",
        other => other,
    }
}

impl Page {
    fn of(register: &Register, frozen: &Frozen, all: &[ReviewFinding]) -> Self {
        let sheets = Sheet::ALL.iter().map(|sheet| SheetLine {
            name: sheet.word(),
            rows: number(frozen.of(*sheet).count() as u64),
            counts: Decision::ALL
                .iter()
                .map(|decision| match register.decided(*sheet, Some(*decision)) {
                    0 if !sheet.decisions().contains(decision) => "–".to_owned(),
                    count => number(count),
                })
                .collect(),
            undecided: register.decided(*sheet, None),
        });
        let mut requirements: Vec<RequirementLine> = Vec::new();
        for finding in all {
            let name = format!("{} {}", framework(&finding.framework), finding.requirement);
            if requirements.last().is_none_or(|line| line.name != name) {
                requirements.push(RequirementLine { name, statuses: vec![Mark::none(); CHECKS.len()] });
            }
            let at = CHECKS.iter().position(|(check, _)| *check == finding.check);
            let line = requirements.last_mut();
            if let Some(mark) = at.zip(line).and_then(|(at, line)| line.statuses.get_mut(at)) {
                *mark = Mark::of(finding);
            }
        }
        let mut remarks: Vec<Remark> = Vec::new();
        for finding in all.iter().filter(|f| !matches!(f.status, Status::Pass | Status::NotApplicable)) {
            let text = Shown::from(&finding.message);
            if !remarks.iter().any(|remark| remark.text == text) {
                remarks.push(Remark { status: finding.status.word(), text });
            }
        }
        let mut by_reviewer: BTreeMap<&str, u64> = BTreeMap::new();
        for reviewer in register.rows.iter().filter_map(|row| row.reviewer.as_deref()) {
            *by_reviewer.entry(reviewer).or_default() += 1;
        }
        let mut by_reviewer: Vec<(&str, u64)> = by_reviewer.into_iter().collect();
        by_reviewer.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        // One page has room for names as people have them.
        let short = |name: &str| name.chars().take(60).collect::<String>();
        let words: Vec<String> = by_reviewer.iter().map(|(name, count)| format!("{} ({count})", short(name))).collect();
        let verdict = match worst(all) {
            Some(Status::Fail) => "Not everything that the requirements ask of a review holds.",
            Some(Status::Unknown) => "It cannot be said of everything that it holds.",
            _ => "Everything that was checked of this review holds.",
        };
        Self {
            policy: content_security_policy(STYLE),
            style: STYLE,
            account: register.account.as_deref().unwrap_or("not known").into(),
            opened: register.opened.zulu(),
            closed: register.closed.zulu(),
            due: register.due.to_string(),
            verdict,
            sheets: sheets.collect(),
            done: register.followed(Outcome::Done),
            not_done: register.followed(Outcome::NotDone),
            unknown: register.followed(Outcome::Unknown),
            contradictions: register.contradictions.len(),
            checks: CHECKS.iter().map(|(_, words)| *words).collect(),
            requirements,
            remarks,
            reviewers: crate::report::words::first(&words, 8).into(),
            acknowledgement: register.acknowledgement.as_ref().map(|ack| Signed {
                by: (&ack.by).into(),
                position: (&ack.position).into(),
                on: ack.on.to_string(),
            }),
            population_sha256: register.population_sha256.clone(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
