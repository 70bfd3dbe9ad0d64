//! How far a review is: what is open and with whom, what is overdue, what contradicts itself.

use super::answers::Answers;
use super::population::{Decision, Frozen, Sheet};
use crate::report::words::{count, number, visible};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// How far one owner's rows are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Rows that are decided.
    pub decided: u64,
    /// Rows that are not.
    pub open: u64,
}

/// How far a review is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The version of this output.
    pub format: u32,
    /// The account.
    pub account: Option<String>,
    /// The day of the population.
    pub opened: NaiveDate,
    /// The last day.
    pub due: NaiveDate,
    /// How many days it is overdue; 0 or less if it is not.
    pub overdue_days: i64,
    /// By owner, empty for rows without one.
    pub owners: BTreeMap<String, Progress>,
    /// By sheet.
    pub sheets: BTreeMap<String, Progress>,
    /// Whether management acknowledged it.
    pub acknowledged: bool,
    /// Decisions that contradict each other.
    pub contradictions: Vec<String>,
    /// What closing would refuse.
    pub refusals: Vec<String>,
}

/// How far a review is on a day.
pub fn status(frozen: &Frozen, answers: &Answers, today: NaiveDate) -> Status {
    let mut owners: BTreeMap<String, Progress> = BTreeMap::new();
    let mut sheets: BTreeMap<String, Progress> = BTreeMap::new();
    for row in &frozen.rows {
        let decided = answers.rows.contains_key(&row.key);
        for progress in [
            owners.entry(row.owner.clone().unwrap_or_default()).or_default(),
            sheets.entry(row.sheet.word().to_owned()).or_default(),
        ] {
            if decided {
                progress.decided += 1;
            } else {
                progress.open += 1;
            }
        }
    }
    let mut all = answers.contradictions.clone();
    all.extend(contradictions(frozen, answers));
    Status {
        format: 1,
        account: frozen.account.clone(),
        opened: frozen.opened.0.date_naive(),
        due: frozen.due,
        overdue_days: (today - frozen.due).num_days(),
        owners,
        sheets,
        acknowledged: answers.acknowledgement.is_some(),
        contradictions: all,
        refusals: answers.refusals.0.iter().map(ToString::to_string).collect(),
    }
}

/// Decisions that cannot both be meant: somebody goes, and what is theirs stays.
pub(super) fn contradictions(frozen: &Frozen, answers: &Answers) -> Vec<String> {
    let decided = |sheet: Sheet, id: &str| answers.rows.get(&super::population::key(sheet, id));
    let mut all = Vec::new();
    for row in &frozen.rows {
        let Some(mine) = answers.rows.get(&row.key) else { continue };
        let (what, owner) = match row.sheet {
            Sheet::AccessKeys => ("its user", row.id.split_once('#').map_or("", |(user, _)| user)),
            Sheet::PrivilegedAccess => ("it", row.id.as_str()),
            _ => continue,
        };
        let theirs = decided(Sheet::Users, owner).or_else(|| decided(Sheet::Roles, owner));
        let goes = |of: &&super::answers::Answer| matches!(of.decision, Decision::Remove | Decision::Disable);
        if let Some(theirs) = theirs.filter(goes).filter(|_| mine.decision == Decision::Keep) {
            all.push(format!(
                "{}: keep for {} of {}, but {what} was decided {} in {}",
                mine.place,
                visible(&row.name),
                row.sheet,
                theirs.decision,
                theirs.place
            ));
        }
    }
    all
}

impl Status {
    /// How many rows are open.
    pub fn open(&self) -> u64 {
        self.owners.values().map(|progress| progress.open).sum()
    }

    /// Whether it could be closed as it is.
    pub fn is_ready(&self) -> bool {
        self.open() == 0 && self.refusals.is_empty() && self.contradictions.is_empty()
    }

    /// The status for programs.
    pub fn json(&self) -> String {
        // Texts, numbers and maps with text keys are JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The status for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let account = self.account.as_deref().unwrap_or("not known");
        // Writing to a String cannot fail.
        let _ = writeln!(out, "Account     {}", visible(account));
        let _ = writeln!(out, "Opened      {}", self.opened);
        let late = match self.overdue_days {
            days @ 1.. => format!(", overdue by {}", count(days.unsigned_abs(), "day", "days")),
            0 => ", today".to_owned(),
            days => format!(", in {}", count(days.unsigned_abs(), "day", "days")),
        };
        let _ = writeln!(out, "Due         {}{late}", self.due);
        let _ =
            writeln!(out, "Management  {}", if self.acknowledged { "acknowledged" } else { "has not acknowledged" });
        for (title, parts) in [("Sheet", &self.sheets), ("Owner", &self.owners)] {
            let names = parts.keys().map(|name| visible(name).chars().count());
            let width = names.max().unwrap_or_default().clamp(18, 40);
            let _ = writeln!(out, "\n{title:<width$}  {:>8}  {:>8}", "decided", "open");
            // The most open first; 40 owners fill a screen.
            let mut lines: Vec<_> = parts.iter().collect();
            if title == "Owner" {
                lines.sort_by_key(|(name, progress)| (std::cmp::Reverse(progress.open), *name));
            }
            for (name, progress) in lines.iter().take(40) {
                let name = if name.is_empty() { "(no owner)".into() } else { visible(name) };
                let name: String = name.chars().take(width).collect();
                let _ = writeln!(out, "{name:<width$}  {:>8}  {:>8}", number(progress.decided), number(progress.open));
            }
            if lines.len() > 40 {
                let _ = writeln!(out, "and {} more", lines.len() - 40);
            }
        }
        for (title, lines) in [("Contradictions", &self.contradictions), ("Refused when it is closed", &self.refusals)]
        {
            if lines.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n{title} ({})", number(lines.len() as u64));
            for line in lines.iter().take(50) {
                let _ = writeln!(out, "  - {line}");
            }
            if lines.len() > 50 {
                let _ = writeln!(out, "  and {} more", lines.len() - 50);
            }
        }
        out
    }
}
