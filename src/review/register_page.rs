//! The register and the closure table as a page to read: what was decided about whom, and what became of it.

use super::Outcome;
use super::population::{Decision, Sheet};
use super::record::{Register, RegisterRow};
use crate::report::html::{content_security_policy, render};
use crate::report::words::{Shown, count, number};
use askama::Template;

/// register.html: every decision, those first that had to be carried out.
pub(super) fn page(register: &Register) -> String {
    render(&Page::of(register))
}

/// A change that was decided.
struct Change {
    sheet: &'static str,
    name: Shown,
    id: Shown,
    decision: &'static str,
    reviewer: Shown,
    date: String,
    justification: Shown,
    ticket: Shown,
    class: &'static str,
    outcome: String,
    reason: Shown,
    evidence: Shown,
}

struct Line {
    name: Shown,
    id: Shown,
    owner: Shown,
    administrator: Shown,
    flags: Shown,
    change: &'static str,
    decision: &'static str,
    class: &'static str,
    reviewer: Shown,
    date: String,
    justification: Shown,
    at_close: &'static str,
    read_from: Shown,
}

struct Part {
    name: &'static str,
    anchor: String,
    rows: String,
    lines: Vec<Line>,
}

/// Sentences that an auditor must see, under a heading.
struct Notes {
    title: &'static str,
    lines: Vec<Shown>,
    more: usize,
}

#[derive(Template)]
#[template(path = "review/register.html")]
struct Page {
    policy: String,
    style: &'static str,
    account: Shown,
    opened: String,
    closed: String,
    due: String,
    previous: Option<String>,
    population_sha256: String,
    changes: Vec<Change>,
    notes: Vec<Notes>,
    parts: Vec<Part>,
    has_changes: bool,
    version: &'static str,
}

const STYLE: &str = include_str!("../../templates/review/register.css");

/// Of what no reader reads to the end, the beginning stands on the page, and all of it in register.json.
const MOST_NOTES: usize = 200;

fn notes(title: &'static str, lines: &[String]) -> Option<Notes> {
    (!lines.is_empty()).then(|| Notes {
        title,
        lines: lines.iter().take(MOST_NOTES).map(Shown::from).collect(),
        more: lines.len().saturating_sub(MOST_NOTES),
    })
}

fn shown(text: Option<&String>) -> Shown {
    text.map(Shown::from).unwrap_or_default()
}

fn day(row: &RegisterRow) -> String {
    row.date.map(|day| day.to_string()).unwrap_or_default()
}

fn change(row: &RegisterRow) -> Option<Change> {
    let found = row.follow_up.as_ref().filter(|found| found.outcome != Outcome::NothingToDo)?;
    Some(Change {
        sheet: row.sheet.word(),
        name: Shown::from(&row.name),
        id: Shown::from(&row.id),
        decision: row.decision.map_or("undecided", Decision::word),
        reviewer: shown(row.reviewer.as_ref()),
        date: day(row),
        justification: shown(row.justification.as_ref()),
        ticket: shown(row.ticket.as_ref()),
        class: match found.outcome {
            Outcome::Done => "pass",
            Outcome::NotDone => "fail",
            Outcome::Unknown | Outcome::NothingToDo => "unknown",
        },
        outcome: found.outcome.to_string(),
        reason: Shown::from(&found.reason),
        evidence: found.event.as_ref().map(|event| Shown::from(&event.evidence)).unwrap_or_default(),
    })
}

fn line(row: &RegisterRow) -> Line {
    Line {
        name: Shown::from(&row.name),
        id: Shown::from(&row.id),
        owner: shown(row.owner.as_ref()),
        administrator: Shown::from(&row.administrator),
        flags: row.flags.join(", ").into(),
        change: row.change.map_or("", super::population::Change::word),
        decision: row.decision.map_or("undecided", Decision::word),
        class: if row.decision.is_none() { "fail" } else { "" },
        reviewer: shown(row.reviewer.as_ref()),
        date: day(row),
        justification: shown(row.justification.as_ref()),
        at_close: row.at_close.word(),
        read_from: shown(row.read_from.as_ref()),
    }
}

impl Page {
    fn of(register: &Register) -> Self {
        let mut changes: Vec<&RegisterRow> = register.rows.iter().filter(|row| change(row).is_some()).collect();
        // What is not done first: it is what is left to do.
        changes.sort_by_key(|row| std::cmp::Reverse(row.follow_up.as_ref().map(|found| found.outcome)));
        let parts = Sheet::ALL.iter().map(|sheet| {
            let lines: Vec<Line> = register.rows.iter().filter(|row| row.sheet == *sheet).map(line).collect();
            Part {
                name: sheet.word(),
                anchor: sheet.word().replace(' ', "-"),
                rows: count(lines.len() as u64, "row", "rows"),
                lines,
            }
        });
        let notes = [
            notes("Not in the population, though older than the review", &register.missing),
            notes("There may be more access than was frozen", &register.incomplete),
            notes("Decisions that contradict each other", &register.contradictions),
            notes("Access that came into being after the review was opened, for the next one", &register.new_since),
        ];
        Self {
            policy: content_security_policy(STYLE),
            style: STYLE,
            account: register.account.as_deref().unwrap_or("not known").into(),
            opened: register.opened.zulu(),
            closed: register.closed.zulu(),
            due: register.due.to_string(),
            previous: register.previous.as_ref().map(|previous| {
                let closed =
                    previous.closed.map_or("never closed".to_owned(), |at| format!("closed as of {}", at.zulu()));
                format!("opened as of {}, {closed}", previous.opened.zulu())
            }),
            population_sha256: register.population_sha256.clone(),
            has_changes: register.previous.is_some(),
            changes: changes.into_iter().filter_map(change).collect(),
            notes: notes.into_iter().flatten().collect(),
            parts: parts.collect(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    fn left(&self) -> String {
        let of = |class: &str| self.changes.iter().filter(|change| change.class == class).count() as u64;
        format!("{} done, {} not done, {} unknown", number(of("pass")), number(of("fail")), number(of("unknown")))
    }
}
