//! The sheets as CSV, for whoever has no spreadsheet or a script.

use super::population::{ANSWERS, Frozen, Sheet, layout};
use crate::report::csv::{Cell, Table};

/// The columns of the acknowledgement.
pub(super) const ACKNOWLEDGEMENT: [&str; 4] = ["statement", "acknowledged by", "position", "acknowledged on"];

/// What management acknowledges.
pub(super) const STATEMENT: &str = "I have seen the decisions of this access review. The access that is kept is appropriate; what is to be reduced, \
disabled or removed is being followed up.";

/// One sheet of the population, with empty cells for the answers.
pub(super) fn sheet_csv(frozen: &Frozen, sheet: Sheet) -> Vec<u8> {
    let layout = layout(sheet);
    let header: Vec<&str> = layout.iter().map(|(column, _)| column.name).collect();
    let mut table = Table::new(&header);
    for row in frozen.of(sheet) {
        table.row(layout.iter().map(|(column, frozen)| match row.cell(column.name) {
            text if *frozen && !text.is_empty() => number_or_text(column.name, text),
            _ => Cell::Empty,
        }));
    }
    table.finish()
}

/// A number of ours stays a number.
pub(super) fn number_or_text(column: &str, text: &str) -> Cell {
    match text.parse() {
        Ok(number) if column == "days inactive" => Cell::Int(number),
        _ => Cell::from(text),
    }
}

/// The table in which management acknowledges the review.
pub(super) fn acknowledgement_csv() -> Vec<u8> {
    let mut table = Table::new(&ACKNOWLEDGEMENT);
    table.row([Cell::from(STATEMENT)]);
    table.finish()
}

/// The names of the columns that a reviewer fills in.
pub(super) fn is_answer(column: &str) -> bool {
    ANSWERS.iter().any(|answer| answer.name == column)
}
