//! Whether a cell still says what was frozen, after spreadsheets had it in their hands.

use super::super::grid::Cell;
use super::days;
use crate::report::csv::defuse;
use chrono::NaiveDate;

/// Whether a cell is the frozen text, or what a spreadsheet makes of it by itself.
pub(super) fn same(frozen: &str, found: &Cell) -> bool {
    let (frozen, text) = (plain(frozen), plain(&found.text()));
    if frozen == text || plain(&defuse(&frozen)) == text {
        return true;
    }
    if let Ok(day) = frozen.parse::<NaiveDate>() {
        return days::readings(found).contains(&day);
    }
    // A spreadsheet takes what looks like a number for one, and shows it in its own way, long ones cut short.
    let number = |text: &str| text.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite());
    match (number(&frozen), number(&text)) {
        (Some(before), Some(after)) if text.to_ascii_lowercase().contains('e') => {
            (before - after).abs() <= before.abs() * 1e-5
        }
        (Some(before), Some(after)) => before == after,
        _ => truth(&frozen).is_some() && truth(&frozen) == truth(&text),
    }
}

/// A name that a spreadsheet takes for a truth value, and shows in the language of whoever opened it.
fn truth(text: &str) -> Option<bool> {
    const TRUE: [&str; 9] = ["true", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "истина", "prawda"];
    const FALSE: [&str; 8] = ["false", "falsch", "faux", "falso", "onwaar", "ложь", "fałsz", "falsk"];
    let text = text.to_lowercase();
    let is = |words: &[&str]| words.contains(&text.as_str());
    if is(&TRUE) { Some(true) } else { is(&FALSE).then_some(false) }
}

/// The text with every run of white space as one space: programs break, trim and join lines.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn what_a_spreadsheet_does_by_itself_is_no_alteration() {
        for (frozen, found) in [
            ("=1+1", text("=1+1")),
            ("=1+1", text("'=1+1")),
            ("a; =b", text("a; '=b")),
            ("2026-10-01", text("01.10.2026")),
            ("2026-10-01", text("10/1/2026")),
            ("2026-10-01", Cell::Date("2026-10-01".parse().unwrap())),
            ("2026-10-01", Cell::Number(46296.0)),
            ("120", Cell::Number(120.0)),
            ("007", Cell::Number(7.0)),
            ("111122223333", text("1.11122E+11")),
            ("a  b", text(" a b ")),
            ("true", text("TRUE")),
            ("true", text("WAHR")),
            ("FALSE", text("ложь")),
            ("120", Cell::Formula(Box::new(Cell::Number(120.0)))),
            ("", Cell::Empty),
        ] {
            assert!(same(frozen, &found), "{frozen} {found:?}");
        }
    }

    #[test]
    fn what_a_person_does_is_one() {
        for (frozen, found) in [
            ("yes", text("no")),
            ("yes", Cell::Empty),
            ("", text("x")),
            ("2", Cell::Number(3.0)),
            ("2026-10-01", text("2026-10-02")),
            ("=1+1", Cell::Number(2.0)),
            ("111122223333", text("1.21122E+11")),
            ("Ann", text("ann")),
            ("never", text("0")),
            ("true", text("FALSCH")),
            ("yes", text("WAHR")),
            ("2026-10-01", Cell::Formula(Box::new(Cell::Number(46297.0)))),
        ] {
            assert!(!same(frozen, &found), "{frozen} {found:?}");
        }
    }
}
