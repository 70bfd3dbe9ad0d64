//! What a closed review says about the requirements that ask for one.

use super::answers::Answers;
use super::followup::Outcome;
use super::population::Frozen;
use super::record::RegisterRow;
use crate::evidence::Timestamp;
use crate::finding::Status;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The requirements that ask for periodic reviews of access: framework and id. HIPAA asks to review and modify access,
/// PCI DSS to do so every six months, with management's acknowledgement.
pub const REQUIREMENTS: [(&str, &str); 5] = [
    ("soc2", "CC6.2"),
    ("soc2", "CC6.3"),
    ("iso27001", "A.5.18"),
    ("hipaa", "164.308(a)(4)(ii)(C)"),
    ("pci-dss", "7.2.4"),
];

/// How old the last closed review may be, in days: a quarter of a year at its longest.
pub const MAX_AGE_DAYS: i64 = 92;

/// The outcome of one assertion about a review, for one requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewFinding {
    /// The framework.
    pub framework: String,
    /// The requirement.
    pub requirement: String,
    /// The assertion's id.
    pub check: String,
    /// The outcome.
    pub status: Status,
    /// What was found, in a sentence.
    pub message: String,
    /// Where the package shows it.
    pub evidence: Vec<String>,
}

/// What is asserted.
pub(super) struct Facts<'a> {
    pub frozen: &'a Frozen,
    pub answers: &'a Answers,
    pub rows: &'a [RegisterRow],
    pub closed: Timestamp,
    pub max_age_days: i64,
}

/// One finding for each requirement and assertion.
pub(super) fn findings(facts: &Facts<'_>) -> Vec<ReviewFinding> {
    let register = "review/register.csv";
    let population = "review/input/population.json";
    let common = [
        ("access-review-population-complete", complete(facts), vec![population]),
        ("access-review-all-decided", decided(facts), vec![register]),
        ("access-review-in-time", in_time(facts), vec![register]),
        ("access-review-followed-up", followed_up(facts), vec!["review/closure.csv"]),
        ("access-review-periodic", periodic(facts), vec![population]),
    ];
    let mut all = Vec::new();
    for (framework, requirement) in REQUIREMENTS {
        let finding = |check: &str, (status, message): (Status, String), evidence: &[&str]| ReviewFinding {
            framework: framework.to_owned(),
            requirement: requirement.to_owned(),
            check: check.to_owned(),
            status,
            message,
            evidence: evidence.iter().map(|path| (*path).to_owned()).collect(),
        };
        all.extend(common.iter().map(|(check, found, evidence)| finding(check, found.clone(), evidence)));
        if framework == "pci-dss" {
            all.push(finding("access-review-acknowledged", acknowledged(facts), &["review/attestation.html"]));
        }
    }
    all
}

fn complete(facts: &Facts<'_>) -> (Status, String) {
    let holes = facts.frozen.incomplete();
    match holes.first() {
        None => {
            let excluded = match facts.frozen.excluded.len() {
                0 => String::new(),
                n => format!("; {n} service-linked roles are out of scope"),
            };
            (Status::Pass, format!("all {} rows of the population were frozen{excluded}", facts.frozen.rows.len()))
        }
        Some(first) => {
            (Status::Unknown, format!("there may be more than the {} rows frozen: {first}", facts.frozen.rows.len()))
        }
    }
}

fn undecided(facts: &Facts<'_>) -> usize {
    facts.rows.iter().filter(|row| row.decision.is_none()).count()
}

fn decided(facts: &Facts<'_>) -> (Status, String) {
    let all = facts.rows.len();
    match undecided(facts) {
        0 if all == 0 => (Status::NotApplicable, "there is no access to review".to_owned()),
        0 => (Status::Pass, format!("all {all} rows were decided")),
        open => (Status::Fail, format!("{open} of {all} rows were not decided")),
    }
}

fn in_time(facts: &Facts<'_>) -> (Status, String) {
    let (closed, due) = (facts.closed.0.date_naive(), facts.frozen.due);
    let last = facts.rows.iter().filter_map(|row| row.date).max();
    let open = undecided(facts);
    if closed > due {
        (Status::Fail, format!("it was closed with evidence of {closed}, after {due}"))
    } else if open > 0 {
        (Status::Fail, format!("{open} rows were not decided when it was closed on {closed}"))
    } else {
        let last = last.map_or(String::new(), |day| format!("the last decision is of {day}; "));
        (Status::Pass, format!("{last}it was closed with evidence of {closed}, due was {due}"))
    }
}

fn followed_up(facts: &Facts<'_>) -> (Status, String) {
    let count = |outcome: Outcome| {
        facts.rows.iter().filter(|row| row.follow_up.as_ref().is_some_and(|found| found.outcome == outcome)).count()
    };
    let (done, not, unknown) = (count(Outcome::Done), count(Outcome::NotDone), count(Outcome::Unknown));
    let asked = done + not + unknown;
    if not > 0 {
        (
            Status::Fail,
            format!(
                "of {asked} changes that were decided, {not} were not made, {unknown} are unknown, {done} were made"
            ),
        )
    } else if unknown > 0 {
        (Status::Unknown, format!("of {asked} changes that were decided, {unknown} are unknown, {done} were made"))
    } else if asked == 0 && undecided(facts) > 0 {
        (Status::Unknown, "no change was decided, and not everything was decided".to_owned())
    } else if asked == 0 {
        (Status::NotApplicable, "everything was kept: there was nothing to follow up".to_owned())
    } else {
        (Status::Pass, format!("all {asked} changes that were decided were made"))
    }
}

fn periodic(facts: &Facts<'_>) -> (Status, String) {
    let limit = facts.max_age_days;
    match &facts.frozen.previous {
        None => (
            Status::Manual,
            "no earlier review was named when this one was opened: show its record, or that this is the first"
                .to_owned(),
        ),
        Some(previous) => match previous.closed {
            None => (Status::Fail, format!("the review opened as of {} was never closed", previous.opened)),
            Some(closed) => {
                let days = closed.days_until(facts.closed);
                let words =
                    format!("{days} days lie between the closing of the last review and of this one, {limit} may");
                (if days <= limit { Status::Pass } else { Status::Fail }, words)
            }
        },
    }
}

fn acknowledged(facts: &Facts<'_>) -> (Status, String) {
    let last = facts.rows.iter().filter_map(|row| row.date).max();
    match &facts.answers.acknowledgement {
        None => (Status::Fail, "no manager acknowledged the review (sheet acknowledgement)".to_owned()),
        Some(ack) if last.is_some_and(|last: NaiveDate| ack.on < last) => (
            Status::Fail,
            format!(
                "{} acknowledged it on {}, before the last decision of {}",
                ack.by,
                ack.on,
                last.map(|day| day.to_string()).unwrap_or_default()
            ),
        ),
        Some(ack) => (Status::Pass, format!("{} acknowledged it on {}", ack.by, ack.on)),
    }
}

/// The worst outcome of a requirement, or of all.
pub fn worst<'f>(findings: impl IntoIterator<Item = &'f ReviewFinding>) -> Option<Status> {
    findings.into_iter().map(|finding| finding.status).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::{Controls, Settings};

    #[test]
    fn the_requirements_are_those_of_the_frameworks() {
        let controls = Controls::load(None, Settings::default(), &[]).unwrap();
        for (framework, id) in REQUIREMENTS {
            let of = &controls.frameworks[framework].requirements;
            assert!(of.iter().any(|requirement| requirement.id == id), "{framework} {id}");
        }
    }
}
