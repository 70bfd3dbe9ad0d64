//! Opening a review: the population is frozen and handed out as files.

use super::freeze::Snapshot;
use super::history::History;
use super::population::{FORMAT, Frozen, Issue, Origin, Sheet};
use super::{DIGEST_FILE, POPULATION_FILE, WORKBOOK_FILE, owner, tables, workbook};
use crate::evidence::Timestamp;
use crate::evidence::digest::sha256;
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;

/// What a review is opened from.
#[derive(Debug)]
pub struct Opening {
    /// The account.
    pub account: Option<String>,
    /// The as-of time of the evidence.
    pub opened: Timestamp,
    /// How many days there are for decisions and follow-up.
    pub due_days: u32,
    /// The evidence.
    pub origin: Origin,
    /// All access at that time.
    pub snapshot: Snapshot,
    /// The review before, if there was one.
    pub history: Option<History>,
    /// One workbook for each owner, instead of one for all.
    pub by_owner: bool,
}

/// A review that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The population.
    pub frozen: Frozen,
    /// The digest of population.json.
    pub population_sha256: String,
    /// All files, with their paths below the review's folder.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Freezes a population and makes the files to fill in.
pub fn open(opening: Opening) -> Result<Opened, String> {
    let Opening { account, opened, due_days, origin, snapshot, history, by_owner } = opening;
    if let Some(history) = &history {
        if history.account != account {
            let named = |account: &Option<String>| account.clone().unwrap_or_else(|| "no known account".to_owned());
            return Err(format!(
                "the previous review is of {}, this evidence of {}: name the review of the same account",
                named(&history.account),
                named(&account)
            ));
        }
        if history.review.opened >= opened {
            return Err(format!(
                "the previous review was opened at {}, not before this evidence of {opened}: name an earlier review",
                history.review.opened
            ));
        }
    }
    let due = due(opened, due_days)?;
    let mut rows = snapshot.rows;
    let mut removed = Vec::new();
    if let Some(history) = &history {
        for row in &mut rows {
            let change = history.change(row);
            row.change = Some(change);
            row.cells.insert("change".to_owned(), change.word().to_owned());
            if let Some(words) = history.words(row) {
                row.cells.insert("last review".to_owned(), words);
            }
        }
        removed = history.removed(&rows);
    }
    let mut frozen = Frozen {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        account,
        opened,
        due,
        origin,
        previous: history.map(|history| history.review),
        sheets: snapshot.sheets,
        differences: snapshot.differences,
        excluded: snapshot.excluded,
        removed,
        issued: Vec::new(),
        rows,
    };
    frozen.issued = issues(&frozen, by_owner);
    let population = frozen.write();
    let population_sha256 = sha256(&population);
    let mut files = vec![
        (POPULATION_FILE.to_owned(), population),
        (DIGEST_FILE.to_owned(), format!("{population_sha256}  {POPULATION_FILE}\n").into_bytes()),
    ];
    for issue in &frozen.issued {
        let bytes = match issue.sheet {
            Some(sheet) => tables::sheet_csv(&frozen, sheet),
            None => workbook::workbook(&frozen, issue, &population_sha256)
                .map_err(|e| format!("{} cannot be made: {e}", issue.file))?,
        };
        files.push((issue.file.clone(), bytes));
    }
    if !by_owner {
        files.push((format!("csv/{ACKNOWLEDGEMENT_CSV}"), tables::acknowledgement_csv()));
        files.push(("csv/README.txt".to_owned(), workbook::csv_readme(&frozen).into_bytes()));
    }
    Ok(Opened { frozen, population_sha256, files })
}

/// Where CSV is filled in for management's acknowledgement.
pub const ACKNOWLEDGEMENT_CSV: &str = "acknowledgement.csv";

fn due(opened: Timestamp, days: u32) -> Result<NaiveDate, String> {
    let due = opened.0.date_naive().checked_add_days(Days::new(u64::from(days)));
    due.ok_or_else(|| format!("{days} days after {opened} is no day"))
}

fn issues(frozen: &Frozen, by_owner: bool) -> Vec<Issue> {
    if by_owner {
        let owners: BTreeSet<Option<&str>> = frozen.rows.iter().map(|row| row.owner.as_deref()).collect();
        let mut taken = BTreeSet::new();
        return owners
            .into_iter()
            .map(|of| Issue {
                file: format!("{}/{}.xlsx", owner::FOLDER, owner::file_stem(of, &mut taken)),
                owner: Some(of.unwrap_or_default().to_owned()),
                sheet: None,
            })
            .collect();
    }
    let mut all = vec![Issue { file: WORKBOOK_FILE.to_owned(), owner: None, sheet: None }];
    let csv = |sheet: &Sheet| Issue { file: format!("csv/{}", sheet.csv_file()), owner: None, sheet: Some(*sheet) };
    all.extend(Sheet::ALL.iter().map(csv));
    all
}
