//! Whether a frozen population is one that opening a review could have written.
//!
//! The digest beside it shows what was altered only to whoever kept it elsewhere: a forger writes a new one. These laws
//! are what a forger has to know besides; what no law shows, later evidence may (see [`missing`]).

use super::population::{Frozen, Row, Sheet, key};
use crate::report::words::visible;
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Why a population contradicts itself; `None` if it does not.
pub(super) fn contradiction(frozen: &Frozen) -> Option<String> {
    for row in &frozen.rows {
        if row.key != key(row.sheet, &row.id) {
            return Some(format!("the row `{}` is not that of {}", visible(&row.key), visible(&row.id)));
        }
    }
    for (before, after) in frozen.rows.iter().zip(frozen.rows.iter().skip(1)) {
        if (before.sheet, &before.id) >= (after.sheet, &after.id) {
            return Some(format!("the row `{}` stands out of order", visible(&after.key)));
        }
    }
    for sheet in Sheet::ALL {
        let (found, told) = (frozen.of(*sheet).count() as u64, frozen.sheets.get(sheet.word()).map(|of| of.rows));
        if told.unwrap_or_default() != found {
            return Some(format!("it says that it has {} {sheet} and has {found}", told.unwrap_or_default()));
        }
    }
    None
}

/// Users and roles that later evidence shows to be older than the review, and that its population does not have.
/// Nothing is older than its creation: such a row was left out, or taken out.
pub(super) fn missing(frozen: &Frozen, later: &[Row]) -> Vec<String> {
    let opened = frozen.opened.0.date_naive();
    let keys: BTreeSet<&str> = frozen.rows.iter().map(|row| row.key.as_str()).collect();
    let identities: BTreeSet<(Sheet, &str)> =
        frozen.rows.iter().filter_map(|row| Some((row.sheet, row.identity.as_deref()?))).collect();
    let known = |row: &Row| {
        // What was renamed is still what it was.
        keys.contains(row.key.as_str())
            || row.identity.as_deref().is_some_and(|id| identities.contains(&(row.sheet, id)))
    };
    let principals = later.iter().filter(|row| matches!(row.sheet, Sheet::Users | Sheet::Roles) && !known(row));
    principals
        .filter_map(|row| {
            let created: NaiveDate = row.cell("created").parse().ok()?;
            (created < opened).then(|| {
                format!("{} of {} is not in the population, and was created on {created}", visible(&row.id), row.sheet)
            })
        })
        .collect()
}
