//! What an earlier review decided, for the next one to know. It informs, and answers nothing.

use super::population::{Change, Decision, Frozen, PreviousReview, Removed, Row, Sheet};
use super::record::Register;
use crate::report::words::visible;
use std::collections::{BTreeMap, BTreeSet};

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
    /// The keys of its rows by what they are for ever: what was renamed keeps its history.
    identities: BTreeMap<(Sheet, String), String>,
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
        let identity = |row: &Row| Some(((row.sheet, unique_id(row)?.to_owned()), row.key.clone()));
        let identities = frozen.rows.iter().filter_map(identity).collect();
        let rows =
            frozen.rows.into_iter().map(|row| (row.key.clone(), PreviousRow { words: words(&row), row })).collect();
        Self { review, account, rows, identities }
    }

    /// What a row was: the row of its name, else that which had its unique id under another name.
    fn before(&self, row: &Row) -> Option<&PreviousRow> {
        let renamed = || self.rows.get(self.identities.get(&(row.sheet, unique_id(row)?.to_owned()))?);
        self.rows.get(&row.key).or_else(renamed)
    }

    /// What was decided about a row, in words; nothing if it was not there.
    pub fn words(&self, row: &Row) -> Option<String> {
        let before = self.before(row)?;
        Some(match before.row.id == row.id {
            true => before.words.clone(),
            false => format!("{} (then named {})", before.words, visible(&before.row.name)),
        })
    }

    /// What became of a row since.
    pub fn change(&self, row: &Row) -> Change {
        self.before(row).map_or(Change::New, |before| change(&before.row, row))
    }

    /// The rows that are gone.
    pub fn removed(&self, rows: &[Row]) -> Vec<Removed> {
        let there: BTreeSet<&str> =
            rows.iter().filter_map(|row| self.before(row)).map(|before| before.row.key.as_str()).collect();
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

/// The id that AWS gives nothing else ever again; a time of creation is none.
pub(super) fn unique_id(row: &Row) -> Option<&str> {
    let unique = matches!(row.sheet, Sheet::Users | Sheet::Roles | Sheet::PrivilegedAccess);
    row.identity.as_deref().filter(|id| unique && !id.starts_with("created "))
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
