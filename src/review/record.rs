//! The record of a closed review: what a package holds of it, for people, programs and the next review.

use super::REGISTER_FILE;
use super::answers::Acknowledgement as Given;
use super::findings::ReviewFinding;
use super::followup::{FollowUp, Outcome};
use super::grid::{Refusal, Refusals};
use super::population::{Change, Decision, PreviousReview, Sheet};
use crate::evidence::{Text, Timestamp};
use crate::finding::Pointer;
use crate::report::csv::{Cell, Table};
use crate::report::words::visible;
use crate::resource::LastReview;
use crate::resource::access_review::RecordOrigin;
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
    /// Why there may be more access than was frozen, and where its sources differ.
    pub incomplete: Vec<String>,
    /// What the later evidence shows to be older than the review, and what was not frozen.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Management's acknowledgement.
    pub acknowledgement: Option<Acknowledgement>,
    /// Decisions that contradict each other.
    pub contradictions: Vec<String>,
    /// Access that came into being between opening and closing: for the next review.
    pub new_since: Vec<String>,
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
    pub(super) fn decided(&self, sheet: Sheet, decision: Option<Decision>) -> u64 {
        self.rows.iter().filter(|row| row.sheet == sheet && row.decision == decision).count() as u64
    }

    /// How many follow-ups ended so.
    pub fn followed(&self, outcome: Outcome) -> u64 {
        let follow_ups = self.rows.iter().filter_map(|row| row.follow_up.as_ref());
        follow_ups.filter(|found| found.outcome == outcome).count() as u64
    }

    /// Decisions of an earlier record of the same review that stand otherwise in this one, by the cells where they do.
    /// A closed review can be closed again, with what was followed up since, but what was decided stays decided.
    pub fn reopened(&self, earlier: &Self) -> Refusals {
        let mut refusals = Refusals::default();
        let before: BTreeMap<&str, &RegisterRow> = earlier.rows.iter().map(|row| (row.key.as_str(), row)).collect();
        for row in &self.rows {
            let Some(was) = before.get(row.key.as_str()).filter(|was| was.decision.is_some()) else { continue };
            let told = |row: &RegisterRow| {
                let date = row.date.map(|day| day.to_string()).unwrap_or_default();
                let by = row.reviewer.as_deref().unwrap_or_default();
                row.decision.map_or("nothing".to_owned(), |decision| format!("{decision} by {by} on {date}"))
            };
            if told(row) != told(was) {
                let at = row.read_from.as_deref().or(was.read_from.as_deref()).unwrap_or(REGISTER_FILE);
                let reason = format!(
                    "{} of {} was decided when the review was closed as of {}: {}; now it says {}: restore what was decided, \
                     and decide otherwise in the next review",
                    row.name,
                    row.sheet,
                    earlier.closed,
                    told(was),
                    told(row)
                );
                refusals.push(Refusal::file(at, visible(&reason)));
            }
        }
        refusals
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

    /// What the checks judge, read in a file of a package.
    pub fn last_review(&self, file: &str, record: Option<RecordOrigin>) -> LastReview {
        LastReview {
            register: Pointer { file: file.into(), at: Text::default() },
            record,
            account: self.account.clone(),
            opened: self.opened,
            closed: self.closed,
            due: self.due,
            population_sha256: self.population_sha256.clone(),
            rows: self.rows.len() as u64,
            incomplete: self.incomplete.clone(),
            missing: self.missing.len() as u64,
            undecided: self.rows.iter().filter(|row| row.decision.is_none()).count() as u64,
            last_decision: self.rows.iter().filter_map(|row| row.date).max(),
            changes_made: self.followed(Outcome::Done),
            changes_not_made: self.followed(Outcome::NotDone),
            changes_unproven: self.followed(Outcome::Unknown),
            acknowledged: self.acknowledgement.as_ref().map(|ack| (ack.by.clone(), ack.on)),
            previous_closed: self.previous.as_ref().map(|previous| previous.closed),
        }
    }
}

/// findings.csv: one row for each requirement and check on the review.
pub(super) fn findings_csv(findings: &[ReviewFinding]) -> Vec<u8> {
    let mut table = Table::new(&["framework", "requirement", "check", "status", "excepted", "message", "evidence"]);
    for finding in findings {
        let cells = [&finding.framework, &finding.requirement, &finding.check];
        let mut cells: Vec<Cell> = cells.into_iter().map(|text| text.as_str().into()).collect();
        cells.push(finding.status.word().into());
        cells.push(if finding.excepted { "yes" } else { "no" }.into());
        cells.push(finding.message.as_str().into());
        cells.push(finding.evidence.join("; ").into());
        table.row(cells);
    }
    table.finish()
}
