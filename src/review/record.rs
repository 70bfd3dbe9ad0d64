//! The record of a closed review: what a package holds of it, for people, programs and the next review.

use super::answers::Acknowledgement as Given;
use super::findings::{ReviewFinding, worst};
use super::followup::{FollowUp, Outcome};
use super::population::{Change, Decision, Frozen, PreviousReview, Sheet};
use crate::evidence::Timestamp;
use crate::finding::Status;
use crate::report::csv::{Cell, Table};
use crate::report::words::{Shown, number};
use askama::Template;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of register.json.
pub const FORMAT: u32 = 1;

/// The record of a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// [`FORMAT`].
    pub format: u32,
    /// The account.
    pub account: Option<String>,
    /// The as-of time of the population.
    pub opened: Timestamp,
    /// The as-of time of the later evidence.
    pub closed: Timestamp,
    /// The last day for decisions and follow-up.
    pub due: NaiveDate,
    /// The digest of population.json.
    pub population_sha256: String,
    /// The review before.
    pub previous: Option<PreviousReview>,
    /// How old the last closed review may be, in days.
    pub max_age_days: i64,
    /// Management's acknowledgement.
    pub acknowledgement: Option<Acknowledgement>,
    /// Decisions that contradict each other.
    pub contradictions: Vec<String>,
    /// Access that came into being between opening and closing: for the next review.
    pub new_since: Vec<String>,
    /// The findings.
    pub findings: Vec<ReviewFinding>,
    /// Every row.
    pub rows: Vec<RegisterRow>,
}

/// Management's acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// As what.
    pub position: String,
    /// When.
    pub on: NaiveDate,
}

impl From<&Given> for Acknowledgement {
    fn from(given: &Given) -> Self {
        Self { by: given.by.clone(), position: given.position.clone(), on: given.on }
    }
}

/// One row of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisterRow {
    /// The key.
    pub key: String,
    /// The sheet.
    pub sheet: Sheet,
    /// The ARN, or what identifies it.
    pub id: String,
    /// The name.
    pub name: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What a reviewer was told to look at.
    pub flags: Vec<String>,
    /// The verdict on its privileges when it was frozen.
    pub administrator: String,
    /// What became of it since the last review.
    pub change: Option<Change>,
    /// The decision; null if there is none.
    pub decision: Option<Decision>,
    /// Who decided.
    pub reviewer: Option<String>,
    /// When.
    pub date: Option<NaiveDate>,
    /// Why.
    pub justification: Option<String>,
    /// Where the follow-up is tracked.
    pub ticket: Option<String>,
    /// Where the decision was read.
    pub read_from: Option<String>,
    /// The follow-up; null without a decision.
    pub follow_up: Option<FollowUp>,
    /// What became of it between opening and closing.
    pub at_close: Change,
}

impl Register {
    /// Reads register.json.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let register: Self = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if register.format != FORMAT {
            return Err(format!("it has format {}, this version of auditpack reads format {FORMAT}", register.format));
        }
        Ok(register)
    }

    /// How many rows of a sheet were decided so.
    fn decided(&self, sheet: Sheet, decision: Option<Decision>) -> u64 {
        self.rows.iter().filter(|row| row.sheet == sheet && row.decision == decision).count() as u64
    }

    /// How many follow-ups ended so.
    pub fn followed(&self, outcome: Outcome) -> u64 {
        let follow_ups = self.rows.iter().filter_map(|row| row.follow_up.as_ref());
        follow_ups.filter(|found| found.outcome == outcome).count() as u64
    }

    /// The text of register.json.
    pub fn json(&self) -> Vec<u8> {
        // The types hold texts, numbers, lists and maps with text keys, all of which are JSON.
        let mut head = self.clone();
        head.rows.clear();
        let text = serde_json::to_string_pretty(&head).unwrap_or_default();
        let mut out = text.strip_suffix("]\n}").unwrap_or(&text).to_owned();
        for (at, row) in self.rows.iter().enumerate() {
            out.push_str(if at == 0 { "\n" } else { ",\n" });
            out.push_str(&serde_json::to_string(row).unwrap_or_default());
        }
        out.push_str("\n  ]\n}\n");
        out.into_bytes()
    }

    /// register.csv: every row with its decision.
    pub fn csv(&self) -> Vec<u8> {
        let mut table = Table::new(&[
            "row",
            "sheet",
            "name",
            "arn",
            "owner",
            "administrator",
            "flags",
            "change",
            "decision",
            "reviewer",
            "date",
            "justification",
            "ticket",
            "follow_up",
            "at_close",
            "read_from",
        ]);
        for row in &self.rows {
            let follow_up = row.follow_up.as_ref().map(|found| found.outcome.to_string());
            table.row([
                row.key.as_str().into(),
                row.sheet.word().into(),
                row.name.as_str().into(),
                row.id.as_str().into(),
                row.owner.clone().into(),
                row.administrator.as_str().into(),
                row.flags.join(", ").into(),
                row.change.map(|change| change.word().to_owned()).into(),
                row.decision.map_or("undecided", Decision::word).into(),
                row.reviewer.clone().into(),
                row.date.map(|day| day.to_string()).into(),
                row.justification.clone().into(),
                row.ticket.clone().into(),
                follow_up.into(),
                row.at_close.word().into(),
                row.read_from.clone().into(),
            ]);
        }
        table.finish()
    }

    /// closure.csv: everything that was not kept, and what became of it.
    pub fn closure_csv(&self) -> Vec<u8> {
        let mut table = Table::new(&[
            "row",
            "sheet",
            "name",
            "arn",
            "decision",
            "reviewer",
            "date",
            "ticket",
            "follow_up",
            "reason",
            "changed_at",
            "changed_by",
            "event",
            "event_id",
            "evidence",
        ]);
        for row in &self.rows {
            let Some(found) = row.follow_up.as_ref().filter(|found| found.outcome != Outcome::NothingToDo) else {
                continue;
            };
            let event = found.event.as_ref();
            table.row([
                row.key.as_str().into(),
                row.sheet.word().into(),
                row.name.as_str().into(),
                row.id.as_str().into(),
                row.decision.map_or("undecided", Decision::word).into(),
                row.reviewer.clone().into(),
                row.date.map(|day| day.to_string()).into(),
                row.ticket.clone().into(),
                found.outcome.to_string().into(),
                found.reason.as_str().into(),
                event.map(|event| event.at.zulu()).into(),
                event.map(|event| event.by.clone()).into(),
                event.map(|event| event.name.clone()).into(),
                event.map(|event| event.id.clone()).into(),
                event.map(|event| event.evidence.clone()).into(),
            ]);
        }
        table.finish()
    }

    /// findings.csv: one row for each requirement and assertion.
    pub fn findings_csv(&self) -> Vec<u8> {
        let mut table = Table::new(&["framework", "requirement", "check", "status", "message", "evidence"]);
        for finding in &self.findings {
            let cells = [&finding.framework, &finding.requirement, &finding.check];
            let mut cells: Vec<Cell> = cells.into_iter().map(|text| text.as_str().into()).collect();
            cells.push(finding.status.word().into());
            cells.push(finding.message.as_str().into());
            cells.push(finding.evidence.join("; ").into());
            table.row(cells);
        }
        table.finish()
    }

    /// attestation.html: one page to print and to sign.
    pub fn attestation(&self, frozen: &Frozen) -> String {
        // Rendering into a String fails only where a Display of ours fails, and none does. Were that ever untrue, a
        // page that says so is better than a page cut short.
        Page::of(self, frozen)
            .render()
            .unwrap_or_else(|error| format!("<!doctype html><title>failed</title><p>the page was not made: {error}"))
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
    statuses: Vec<&'static str>,
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
    checks: Vec<&'static str>,
    requirements: Vec<RequirementLine>,
    remarks: Vec<Remark>,
    reviewers: Shown,
    acknowledgement: Option<Signed>,
    population_sha256: String,
    version: &'static str,
}

const STYLE: &str = include_str!("../../templates/review/attestation.css");

const CHECKS: [(&str, &str); 6] = [
    ("access-review-population-complete", "population complete"),
    ("access-review-all-decided", "all decided"),
    ("access-review-in-time", "in time"),
    ("access-review-followed-up", "followed up"),
    ("access-review-periodic", "periodic"),
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
    fn of(register: &Register, frozen: &Frozen) -> Self {
        let hash = crate::evidence::digest::sha256(STYLE.as_bytes());
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
        let mut by_requirement: BTreeMap<(usize, &str, &str), Vec<&ReviewFinding>> = BTreeMap::new();
        for finding in &register.findings {
            let order = super::findings::REQUIREMENTS
                .iter()
                .position(|(framework, id)| *framework == finding.framework && *id == finding.requirement);
            let key = (order.unwrap_or(usize::MAX), finding.framework.as_str(), finding.requirement.as_str());
            by_requirement.entry(key).or_default().push(finding);
        }
        let requirements = by_requirement.iter().map(|((_, of, id), findings)| RequirementLine {
            name: format!("{} {id}", framework(of)),
            statuses: CHECKS
                .iter()
                .map(|(check, _)| findings.iter().find(|f| f.check == *check).map_or("–", |f| f.status.word()))
                .collect(),
        });
        let mut remarks: Vec<Remark> = Vec::new();
        for finding in register.findings.iter().filter(|f| !matches!(f.status, Status::Pass | Status::NotApplicable)) {
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
        let words: Vec<String> = by_reviewer.iter().map(|(name, count)| format!("{name} ({count})")).collect();
        let verdict = match worst(&register.findings) {
            Some(Status::Fail) => "Not everything that the requirements ask of a review holds.",
            Some(Status::Unknown) => "It cannot be said of everything that it holds.",
            _ => "Everything that was checked of this review holds.",
        };
        Self {
            policy: format!(
                "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
                crate::report::html::base64_of_hex(&hash)
            ),
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
            checks: CHECKS.iter().map(|(_, words)| *words).collect(),
            requirements: requirements.collect(),
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
