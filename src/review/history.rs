//! What an earlier review decided, for the next one to know. It informs, and answers nothing.

use super::population::{Change, Decision, Frozen, PreviousReview, Removed, Row};
use super::record::Register;
use std::collections::BTreeMap;

/// A row of the earlier review.
#[derive(Clone, Debug, PartialEq)]
pub struct PreviousRow {
    /// The row as it was frozen.
    pub row: Row,
    /// What was decided, in words.
    pub words: String,
}

/// An earlier review.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// Which one.
    pub review: PreviousReview,
    /// The account that it was about.
    pub account: Option<String>,
    /// Its rows by key.
    pub rows: BTreeMap<String, PreviousRow>,
}

impl History {
    /// A review by its population, the population's digest, and its record if it was ever closed.
    pub fn of(frozen: Frozen, population_sha256: String, register: Option<&Register>) -> Self {
        let day = frozen.opened.0.date_naive();
        let decided: BTreeMap<&str, _> =
            register.iter().flat_map(|register| &register.rows).map(|row| (row.key.as_str(), row)).collect();
        let words = |row: &Row| match (register, decided.get(row.key.as_str())) {
            (None, _) => format!("{day}: never closed"),
            (Some(_), Some(answer)) => match answer.decision {
                Some(decision) => {
                    let by = answer.reviewer.as_deref().unwrap_or("nobody");
                    let outcome = answer.follow_up.as_ref().filter(|_| decision != Decision::Keep);
                    let outcome = outcome.map_or(String::new(), |follow_up| format!(", {}", follow_up.outcome));
                    format!("{day}: {decision} by {by}{outcome}")
                }
                None => format!("{day}: undecided"),
            },
            (Some(_), None) => format!("{day}: undecided"),
        };
        let review = PreviousReview {
            opened: frozen.opened,
            closed: register.map(|register| register.closed),
            population_sha256,
        };
        let account = frozen.account.clone();
        let rows =
            frozen.rows.into_iter().map(|row| (row.key.clone(), PreviousRow { words: words(&row), row })).collect();
        Self { review, account, rows }
    }

    /// What became of a row since.
    pub fn change(&self, row: &Row) -> Change {
        self.rows.get(&row.key).map_or(Change::New, |before| change(&before.row, row))
    }

    /// The rows that are gone.
    pub fn removed(&self, rows: &[Row]) -> Vec<Removed> {
        let there: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        let gone = self.rows.values().filter(|before| !there.contains(before.row.key.as_str()));
        let mut gone: Vec<Removed> = gone
            .map(|before| Removed {
                sheet: before.row.sheet,
                id: before.row.id.clone(),
                name: before.row.name.clone(),
                history: before.words.clone(),
            })
            .collect();
        gone.sort_by(|a, b| (a.sheet, &a.id).cmp(&(b.sheet, &b.id)));
        gone
    }
}

/// What became of a row between two moments at both of which something of its id was there.
pub(super) fn change(before: &Row, after: &Row) -> Change {
    if let (Some(before), Some(after)) = (&before.identity, &after.identity)
        && before != after
    {
        return Change::New;
    }
    let standing = before.standing.zip(after.standing);
    match (&before.access, &after.access) {
        (Some(was), Some(is)) => was.difference(is).word(standing),
        _ => match standing {
            // A rise is one, whatever else is not known.
            Some((was, is)) if is > was => Change::More,
            _ => Change::Unknown,
        },
    }
}
