//! Reading the files back: which decisions were made, by whom, and what cannot be accepted.
//!
//! The files passed through spreadsheets, mail and other hands. What those do by themselves (other order of rows and
//! columns, columns of one's own, another separator, dates in the local manner, text around which a program trimmed
//! space) is accepted; what a person did to the population is not. All refusals are told at once, with addresses.

mod days;
mod frozen;
mod header;
mod sign_off;

use self::header::{Header, place};
use super::grid::{self, Cell, Grid, Place, Refusal, Refusals};
use super::identity::is_same;
use super::population::{ANSWERS, Column, Decision, Frozen, Issue, KEY, Row, Sheet, layout};
use crate::report::words::visible;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What a reviewer answered about one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The decision.
    pub decision: Decision,
    /// Who made it.
    pub reviewer: String,
    /// When.
    pub date: NaiveDate,
    /// Why.
    pub justification: String,
    /// Where the follow-up is tracked; may be empty.
    pub ticket: String,
    /// Where it stands.
    pub place: Place,
}

/// Management's acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// As what.
    pub position: String,
    /// When.
    pub on: NaiveDate,
}

/// The days on which decisions can have been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The day of the population.
    pub from: NaiveDate,
    /// The day of the later evidence, or today.
    pub to: NaiveDate,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// The answers by the row's key.
    pub rows: BTreeMap<String, Answer>,
    /// The acknowledgement, if it was given.
    pub acknowledgement: Option<Acknowledgement>,
    /// What is not accepted.
    pub refusals: Refusals,
    /// Rows that two files answer differently: the key, and both answers with their places.
    pub contradictions: Vec<String>,
    /// The files that were read.
    pub files: Vec<String>,
}

/// A header without case and space around it.
pub(super) fn header(cell: &Cell) -> String {
    cell.text().trim_matches(['\u{feff}', '*', ':']).trim().to_lowercase()
}

/// Whether a file is one that answers can stand in; locks and scraps of office programs are not.
pub fn is_answer_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let scrap = name.starts_with(['.', '~']);
    !scrap && (name.ends_with(".xlsx") || name.ends_with(".csv") || name.ends_with(".ods") || name.ends_with(".xls"))
}

/// Reads all files; paths are those below the review's folder, `digest` is the SHA-256 of population.json.
pub fn read(population: &Frozen, digest: &str, files: &[(String, Vec<u8>)], window: Window) -> Answers {
    let mut reader = Reader { by_key: population.by_key(), population, digest, window, answers: Answers::default() };
    for (path, bytes) in files {
        let lower = path.to_ascii_lowercase();
        let grids = if lower.ends_with(".xlsx") {
            grid::xlsx(path, bytes)
        } else if lower.ends_with(".csv") {
            grid::csv(path, bytes).map(|grid| vec![grid])
        } else {
            Err(Refusal::file(path, "this kind of file is not read: save it as .xlsx or .csv"))
        };
        match grids {
            Ok(grids) => reader.file(path, &grids),
            Err(refusal) => reader.answers.refusals.push(refusal),
        }
        reader.answers.files.push(path.clone());
    }
    reader.answers
}

struct Reader<'a> {
    population: &'a Frozen,
    digest: &'a str,
    by_key: BTreeMap<&'a str, &'a Row>,
    window: Window,
    answers: Answers,
}

impl Reader<'_> {
    fn file(&mut self, path: &str, grids: &[Grid]) {
        let mut seen: BTreeMap<String, Place> = BTreeMap::new();
        let mut tables = 0;
        let issue = self.issue(path, grids);
        self.told_digest(grids);
        for grid in grids {
            if let Some(header) = Header::find(grid, &["acknowledged by"], &mut self.answers.refusals) {
                self.acknowledgement(&header);
                tables += 1;
                continue;
            }
            let Some(header) = Header::find(grid, &[KEY, "decision"], &mut self.answers.refusals) else {
                // A table of rows whose header was taken away must not pass for a sheet of somebody's own.
                let key = |cell: &&Cell| Sheet::of_key(&cell.text()).is_some();
                if let Some((at, row)) = grid.rows.iter().find(|(_, row)| row.iter().any(|cell| key(&cell))) {
                    let column = row.iter().position(|cell| key(&cell)).unwrap_or_default();
                    let reason = format!("the table has no header with the columns `{KEY}` and `decision`");
                    self.answers.refusals.push(Refusal::new(place(grid, *at, column), reason));
                }
                continue;
            };
            tables += 1;
            self.table(&header, issue.as_ref(), &mut seen);
        }
        if tables == 0 && issue.is_none() {
            // A file of somebody's own, a mapping of owners say.
            return;
        }
        self.removed(path, issue, &seen);
    }

    fn table(&mut self, header: &Header<'_>, issue: Option<&Issue>, seen: &mut BTreeMap<String, Place>) {
        let mut missing_columns = BTreeSet::new();
        for (at, cells) in header.rows() {
            let key = header.cell(cells, KEY).text();
            if key.is_empty() {
                // Notes in columns of one's own, below the table say, are nobody's business.
                let ours = header.columns.iter().filter(|(name, _)| is_ours(name));
                let filled = ours.filter_map(|(_, column)| cells.get(*column)).any(|cell| !cell.is_empty());
                if filled {
                    let reason = "the row has no key: rows cannot be added to a population that is frozen".to_owned();
                    self.answers.refusals.push(Refusal::new(header.place(*at, KEY), reason));
                }
                continue;
            }
            let Some(row) = self.by_key.get(key.as_str()).copied() else {
                let reason = format!("the row `{}` is not of this review: rows cannot be added", visible(&key));
                self.answers.refusals.push(Refusal::new(header.place(*at, KEY), reason));
                continue;
            };
            let place = header.place(*at, KEY);
            if issue.is_some_and(|issue| !issue.holds(row)) {
                let reason = format!(
                    "the row `{}`, {} of {}, was not handed out in this file: take it out, it is decided where it was",
                    row.key,
                    visible(&row.name),
                    row.sheet
                );
                self.answers.refusals.push(Refusal::new(place, reason));
                continue;
            }
            if let Some(first) = seen.get(&row.key) {
                let reason = format!("the row `{}` is there twice, first in {first}", row.key);
                self.answers.refusals.push(Refusal::new(place, reason));
                continue;
            }
            self.compare(header, *at, cells, row, &mut missing_columns);
            self.answer(header, *at, cells, row);
            seen.insert(row.key.clone(), place);
        }
    }

    /// Compares the frozen cells of a row with what was frozen.
    fn compare(
        &mut self,
        header: &Header<'_>,
        at: u32,
        cells: &[Cell],
        row: &Row,
        missing: &mut BTreeSet<&'static str>,
    ) {
        for (column, _) in layout(row.sheet).into_iter().filter(|(column, frozen)| *frozen && column.name != KEY) {
            if !header.columns.contains_key(column.name) {
                if missing.insert(column.name) {
                    let reason = format!("the column `{}` is missing: put it back", column.name);
                    self.answers.refusals.push(Refusal::new(header.place(header.at, KEY), reason));
                }
                continue;
            }
            let found = header.cell(cells, column.name);
            if !frozen::same(row.cell(column.name), found) {
                let shown = |text: &str| match text {
                    "" => "nothing".to_owned(),
                    text => format!("`{}`", cut(&visible(text))),
                };
                let reason = format!(
                    "`{}` of {} was altered: it was frozen as {} and is {}",
                    column.name,
                    visible(&row.name),
                    shown(row.cell(column.name)),
                    shown(&found.text())
                );
                self.answers.refusals.push(Refusal::new(header.place(at, column.name), reason));
            }
        }
    }

    /// Reads the answer of a row. Without a decision there is none, whatever else was filled in.
    fn answer(&mut self, header: &Header<'_>, at: u32, cells: &[Cell], row: &Row) {
        let text = |column: &str| visible(&header.cell(cells, column).text()).into_owned();
        let computed = |column: &&Column| matches!(header.cell(cells, column.name), Cell::Formula(_));
        if let Some(column) = ANSWERS.iter().find(computed) {
            let reason = format!(
                "the {} is a formula, which can show something else tomorrow: put in what it shows (`{}`) as plain text",
                column.name,
                cut(&text(column.name))
            );
            self.answers.refusals.push(Refusal::new(header.place(at, column.name), reason));
            return;
        }
        let word = text("decision");
        if word.is_empty() {
            return;
        }
        let mut refused = Vec::new();
        let mut refuse = |column: &str, reason: String| refused.push(Refusal::new(header.place(at, column), reason));
        let possible = row.sheet.decisions();
        let decision = Decision::of(&word).filter(|decision| possible.contains(decision));
        if decision.is_none() {
            let words: Vec<&str> = possible.iter().map(|decision| decision.word()).collect();
            refuse(
                "decision",
                format!("`{}` is no decision about {}: write {}", cut(&word), row.sheet, words.join(", ")),
            );
        }
        let reviewer = text("reviewer");
        if !reviewer.chars().any(char::is_alphanumeric) {
            refuse("reviewer", format!("the reviewer of {} is missing", visible(&row.name)));
        } else if is_same(&reviewer, &row.people) {
            let reason = format!("{} would decide about their own access ({})", cut(&reviewer), visible(&row.name));
            refuse("reviewer", format!("{reason}: another person must"));
        }
        let justification = text("justification");
        if !justification.chars().any(char::is_alphanumeric) {
            refuse("justification", format!("the justification for {} is missing", visible(&row.name)));
        }
        let date = days::day(header.cell(cells, "date"), self.window);
        if let Err(reason) = &date {
            refuse("date", reason.clone());
        }
        self.answers.refusals.0.extend(refused);
        let (Some(decision), Ok(date)) = (decision, date) else { return };
        let place = header.place(at, "decision");
        let answer = Answer { decision, reviewer, date, justification, ticket: text("ticket"), place };
        match self.answers.rows.get(&row.key) {
            None => {
                self.answers.rows.insert(row.key.clone(), answer);
            }
            // The same decision in two files is one decision.
            Some(first) if first.decision == answer.decision => {}
            Some(first) => {
                let text = format!(
                    "{} is decided twice: {} in {} and {} in {}",
                    visible(&row.name),
                    first.decision,
                    first.place,
                    answer.decision,
                    answer.place
                );
                self.answers.contradictions.push(text.clone());
                self.answers.refusals.push(Refusal::new(answer.place, format!("{text}: agree on one")));
            }
        }
    }

    /// Which of the files that were handed out this one is.
    fn issue(&self, path: &str, grids: &[Grid]) -> Option<Issue> {
        let issued = &self.population.issued;
        if let Some(issue) = issued.iter().find(|issue| issue.file == path) {
            return Some(issue.clone());
        }
        // A workbook that was renamed says on its first sheet what it was.
        if !path.to_ascii_lowercase().ends_with(".xlsx") {
            return None;
        }
        let (_, told) = told(grids, "Handed out as ")?;
        issued.iter().find(|issue| issue.file == told).cloned()
    }

    /// Refuses a workbook that was handed out with another population.
    fn told_digest(&mut self, grids: &[Grid]) {
        let Some((place, told)) = told(grids, "SHA-256 ") else { return };
        let digest = told.len() == 64 && told.bytes().all(|c| c.is_ascii_hexdigit());
        if digest && !told.eq_ignore_ascii_case(self.digest) {
            let reason = format!(
                "the workbook was handed out with the population {told}, and {} here is {}: one of the two was exchanged, \
                 restore what `review open` wrote",
                super::POPULATION_FILE,
                self.digest
            );
            self.answers.refusals.push(Refusal::new(place, reason));
        }
    }

    /// Refuses a file from which rows were taken.
    fn removed(&mut self, path: &str, issue: Option<Issue>, seen: &BTreeMap<String, Place>) {
        let present: Vec<&Row> = seen.keys().filter_map(|key| self.by_key.get(key.as_str()).copied()).collect();
        let sheets: BTreeSet<Sheet> = present.iter().map(|row| row.sheet).collect();
        let owners: BTreeSet<&str> = present.iter().map(|row| row.owner.as_deref().unwrap_or_default()).collect();
        let should = |row: &&Row| match &issue {
            Some(issue) => issue.holds(row),
            // Of a file that nobody handed out in this form (a sheet saved as CSV), a sheet is whole, or one owner's.
            None => {
                let owner = row.owner.as_deref().unwrap_or_default();
                sheets.contains(&row.sheet) && (owners.len() != 1 || owners.contains(owner))
            }
        };
        let missing: Vec<&Row> =
            self.population.rows.iter().filter(|row| should(row) && !seen.contains_key(row.key.as_str())).collect();
        if let Some(first) = missing.first() {
            let names: Vec<String> =
                missing.iter().take(5).map(|row| format!("{} of {}", visible(&row.name), row.sheet)).collect();
            let more = if missing.len() > 5 { format!(" and {} more", missing.len() - 5) } else { String::new() };
            let reason = format!(
                "{} removed from it: {}{more}; put them back, the first is `{}`",
                if missing.len() == 1 { "1 row was".to_owned() } else { format!("{} rows were", missing.len()) },
                names.join(", "),
                first.key
            );
            self.answers.refusals.push(Refusal::file(path, reason));
        }
    }
}

/// What the first sheets of a workbook tell of it behind these words.
fn told(grids: &[Grid], words: &str) -> Option<(Place, String)> {
    let rows = grids.iter().flat_map(|grid| grid.rows.iter().map(move |row| (grid, row))).take(200);
    let mut cells = rows.flat_map(|(grid, (at, row))| row.iter().enumerate().map(move |cell| (grid, *at, cell)));
    cells.find_map(|(grid, at, (column, cell))| match cell {
        Cell::Text(text) => Some((place(grid, at, column), text.trim().strip_prefix(words)?.to_owned())),
        _ => None,
    })
}

fn is_ours(name: &str) -> bool {
    let all = ANSWERS.iter().chain(Sheet::ALL.iter().flat_map(|sheet| sheet.columns()));
    all.map(|column| column.name).any(|known| known == name)
}

/// The beginning of a text that is too long for a message.
fn cut(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST { text.to_owned() } else { text.chars().take(MOST).chain(['…']).collect() }
}
