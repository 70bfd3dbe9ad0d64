//! Management's acknowledgement, as it was filled in.

use super::super::grid::Refusal;
use super::super::tables::{ACKNOWLEDGEMENT, STATEMENT};
use super::header::Header;
use super::{Acknowledgement, Cell, Reader, days, frozen};
use crate::report::words::visible;

impl Reader<'_> {
    /// Reads the table in which management acknowledges the review. Of several, the last by its day counts.
    pub(super) fn acknowledgement(&mut self, header: &Header<'_>) {
        let [statement, by, position, on] = ACKNOWLEDGEMENT;
        for (at, cells) in header.rows() {
            let text = |column: &str| visible(&header.cell(cells, column).text()).into_owned();
            if [by, position, on].iter().all(|column| header.cell(cells, column).is_empty()) {
                continue;
            }
            let mut refuse = |column: &str, reason: &str| {
                self.answers.refusals.push(Refusal::new(header.place(*at, column), reason));
            };
            let said = header.cell(cells, statement);
            if !frozen::same(STATEMENT, said) {
                refuse(statement, "the statement was altered: restore it, it is what is acknowledged");
                continue;
            }
            if let Some(column) = [by, position, on].iter().find(|c| matches!(header.cell(cells, c), Cell::Formula(_)))
            {
                refuse(column, "the cell is a formula: put in what it shows as plain text");
                continue;
            }
            for (column, reason) in [
                (by, "who acknowledges the review is missing"),
                (position, "the position of whoever acknowledges the review is missing: it is management's to do"),
            ] {
                if !text(column).chars().any(char::is_alphanumeric) {
                    refuse(column, reason);
                }
            }
            match days::day(header.cell(cells, on), self.window) {
                Ok(day) => {
                    let found = Acknowledgement { by: text(by), position: text(position), on: day };
                    if self.answers.acknowledgement.as_ref().is_none_or(|before| before.on < day) {
                        self.answers.acknowledgement = Some(found);
                    }
                }
                Err(reason) => refuse(on, &reason.replace("the decision", "the acknowledgement")),
            }
        }
    }
}
