//! Days as people and spreadsheets write them.

use super::super::grid::Cell;
use super::Window;
use chrono::{Days, NaiveDate};

/// The day of a cell that lies within the review; or why there is none.
pub(super) fn day(cell: &Cell, window: Window) -> Result<NaiveDate, String> {
    if cell.is_empty() {
        return Err("the date of the decision is missing".to_owned());
    }
    let read = readings(cell);
    if read.is_empty() {
        let text: String = cell.text().chars().take(40).collect();
        return Err(format!("`{}` is no date: write {}", crate::report::words::visible(&text), window.to));
    }
    let mut within: Vec<NaiveDate> =
        read.iter().copied().filter(|day| (window.from..=window.to).contains(day)).collect();
    within.dedup();
    match within.as_slice() {
        [day] => Ok(*day),
        [] => Err(format!(
            "{} is outside the review, which lasts from {} to {}",
            read.first().map(ToString::to_string).unwrap_or_default(),
            window.from,
            window.to
        )),
        [one, other, ..] => Err(format!("`{}` can be {one} or {other}: write it like {one}", cell.text())),
    }
}

/// Every day that a cell can mean.
pub(super) fn readings(cell: &Cell) -> Vec<NaiveDate> {
    match cell {
        Cell::Empty => Vec::new(),
        Cell::Date(day) => vec![*day],
        Cell::Number(number) => serial(*number).into_iter().collect(),
        Cell::Text(text) => texts(text.trim()),
        Cell::Formula(shown) => readings(shown),
    }
}

/// Excel counts days from 1899-12-30. Between 1954 and 2119 a number of days is meant; others are other numbers.
fn serial(number: f64) -> Option<NaiveDate> {
    let days = number.trunc();
    // Whole, and within the bounds just checked.
    let days = (20_000.0..80_000.0).contains(&days).then_some(days as u64)?;
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_days(Days::new(days))
}

fn texts(text: &str) -> Vec<NaiveDate> {
    // A time of day behind the day is nobody's concern.
    let text = text.split_once('T').filter(|(day, _)| day.len() == 10).map_or(text, |(day, _)| day);
    if let Ok(number) = text.parse::<f64>() {
        return serial(number).into_iter().collect();
    }
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|part| !["", "de", "of"].contains(part));
    let parts: Vec<&str> = parts.take(4).collect();
    let [a, b, c, rest @ ..] = parts.as_slice() else { return Vec::new() };
    // A fourth part is a time of day, which has a colon.
    if !rest.is_empty() && !text.contains(':') {
        return Vec::new();
    }
    let mut days = Vec::new();
    if a.len() == 4 {
        days.extend(ymd(a, b, c));
    } else {
        // Day before month, as most of the world writes it; and month before day.
        days.extend(ymd(c, b, a));
        days.extend(ymd(c, a, b));
    }
    days.dedup();
    days
}

fn ymd(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let year: i32 = match year.len() {
        4 => year.parse().ok()?,
        2 => 2000 + year.parse::<i32>().ok()?,
        _ => return None,
    };
    let month = match month.parse() {
        Ok(month) => month,
        Err(_) => named(month)?,
    };
    NaiveDate::from_ymd_opt(year, month, day.parse().ok()?)
}

/// A month by the beginning of its name in English, German, French, Spanish, Italian, Portuguese or Dutch, which no
/// two months share.
fn named(month: &str) -> Option<u32> {
    const NAMES: [&[&str]; 12] = [
        &["jan", "ene", "gen"],
        &["feb", "fév", "fev"],
        &["mar", "mär", "mrz", "maa", "mrt"],
        &["apr", "avr", "abr"],
        &["may", "mai", "mag", "mei"],
        &["jun", "juin", "giu"],
        &["jul", "juil", "lug"],
        &["aug", "aoû", "ago"],
        &["sep", "set"],
        &["oct", "okt", "ott", "out"],
        &["nov"],
        &["dec", "dez", "déc", "dic"],
    ];
    let month = month.to_lowercase();
    let at = NAMES.iter().position(|names| names.iter().any(|name| month.starts_with(name)))?;
    u32::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    const OCTOBER: fn() -> Window = || Window { from: date("2026-10-01"), to: date("2026-10-31") };

    #[test]
    fn a_day_is_read_however_a_program_or_person_writes_it() {
        for text in [
            "2026-10-12",
            "2026-10-12T08:00:00",
            "2026/10/12",
            "12.10.2026",
            "12/10/2026",
            "10/12/2026",
            "12-Oct-2026",
            "12 October 2026",
            "Oct 12, 2026",
            "12.10.26",
            "10/12/26 08:15",
            "12. Oktober 2026",
            "12-Okt-26",
            "12 de outubro de 2026",
            "46307",
        ] {
            assert_eq!(day(&Cell::Text(text.to_owned()), OCTOBER()), Ok(date("2026-10-12")), "{text}");
        }
        assert_eq!(day(&Cell::Number(46307.5), OCTOBER()), Ok(date("2026-10-12")));
        assert_eq!(day(&Cell::Date(date("2026-10-12")), OCTOBER()), Ok(date("2026-10-12")));
    }

    #[test]
    fn what_can_be_two_days_of_the_review_is_not_guessed() {
        let year = Window { from: date("2026-01-01"), to: date("2026-12-31") };
        let refused = day(&Cell::Text("10/12/2026".to_owned()), year).unwrap_err();
        assert!(refused.contains("2026-12-10") && refused.contains("2026-10-12"), "{refused}");
        assert_eq!(day(&Cell::Text("10/10/2026".to_owned()), year), Ok(date("2026-10-10")));
    }

    #[test]
    fn what_is_no_day_of_the_review_is_refused() {
        for (text, word) in [
            ("", "missing"),
            ("soon", "is no date"),
            ("2026-09-30", "outside"),
            ("2026-11-01", "outside"),
            ("2026-13-40", "is no date"),
            ("99999999999999999999", "is no date"),
            ("é-é-é", "is no date"),
        ] {
            let refused = day(&Cell::Text(text.to_owned()), OCTOBER()).unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
