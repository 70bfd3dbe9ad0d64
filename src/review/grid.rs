//! Reading what spreadsheets wrote: cells with their addresses, whatever program and locale wrote them.
//!
//! Nothing is guessed here about what a cell means; only what kind of value it is. Limits keep a hostile workbook
//! from taking all memory: cells are read one by one, never as the rectangle that their addresses span.

use calamine::{DataRef, Reader, Xlsx};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Cursor;

/// The largest file that is read, in bytes.
pub const LARGEST_FILE: u64 = 256 << 20;
/// No sheet has more rows (Excel's own limit), or more columns that matter.
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: u32 = 256;
/// No workbook has more cells that hold something.
const MOST_CELLS: u64 = 20_000_000;

/// Where a cell is, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's path below the review's folder.
    pub file: String,
    /// The sheet; empty for CSV.
    pub sheet: String,
    /// The row.
    pub row: u32,
    /// The column.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = Vec::new();
        let mut rest = self.column + 1;
        while rest > 0 {
            // A remainder of 26 fits.
            letters.push(char::from(b'A' + u8::try_from((rest - 1) % 26).unwrap_or_default()));
            rest = (rest - 1) / 26;
        }
        let column: String = letters.into_iter().rev().collect();
        let row = u64::from(self.row) + 1;
        if self.sheet.is_empty() {
            write!(f, "{} {column}{row}", self.file)
        } else {
            write!(f, "{} {}!{column}{row}", self.file, self.sheet)
        }
    }
}

/// Something in a file that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Where.
    pub at: String,
    /// Why, and what to do.
    pub reason: String,
}

impl Refusal {
    /// A refusal of a cell.
    pub fn new(at: Place, reason: impl Into<String>) -> Self {
        Self { at: at.to_string(), reason: reason.into() }
    }

    /// A refusal of a whole file.
    pub fn file(file: &str, reason: impl Into<String>) -> Self {
        Self { at: file.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.reason)
    }
}

/// All that is not accepted, told at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Refusals(pub Vec<Refusal>);

impl Refusals {
    /// A single one.
    pub fn one(refusal: Refusal) -> Self {
        Self(vec![refusal])
    }

    /// Adds one.
    pub fn push(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    /// The value, if nothing was refused.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// No more are told one by one: a column that was shifted refuses every row.
        const MOST: usize = 100;
        for (at, refusal) in self.0.iter().take(MOST).enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{refusal}")?;
        }
        if self.0.len() > MOST {
            write!(f, "\nand {} more", self.0.len() - MOST)?;
        }
        Ok(())
    }
}

/// What a cell holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A day.
    Date(NaiveDate),
    /// A formula, with what it showed when the file was saved. It can show something else whenever the file is opened.
    Formula(Box<Cell>),
}

impl Cell {
    /// The content as text, without the space around it.
    pub fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.trim().to_owned(),
            Cell::Number(number) => number.to_string(),
            Cell::Date(day) => day.to_string(),
            Cell::Formula(shown) => shown.text(),
        }
    }

    /// Whether there is nothing to see.
    pub fn is_empty(&self) -> bool {
        match self {
            Cell::Empty => true,
            Cell::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }
}

/// The cells of one sheet: its rows that hold something, with their numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// The file.
    pub file: String,
    /// The sheet; empty for CSV.
    pub sheet: String,
    /// The rows; a row reaches as far as its last cell.
    pub rows: Vec<(u32, Vec<Cell>)>,
}

/// Reads all sheets of a workbook.
pub fn xlsx(file: &str, bytes: &[u8]) -> Result<Vec<Grid>, Refusal> {
    let broken = |what: &dyn fmt::Display| {
        Refusal::file(file, format!("it cannot be read as a workbook: {what}; save it again as .xlsx"))
    };
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|e| broken(&e))?;
    let mut grids = Vec::new();
    let mut count = 0;
    for sheet in book.sheet_names() {
        let mut cells = match book.worksheet_cells_reader(&sheet) {
            Ok(cells) => cells,
            // A chart sheet has no cells.
            Err(calamine::XlsxError::NotAWorksheet(_)) => continue,
            Err(e) => return Err(broken(&e)),
        };
        let mut rows: BTreeMap<u32, Vec<Cell>> = BTreeMap::new();
        loop {
            let next = cells.next_cell_with_formula_metadata().map_err(|e| broken(&e))?;
            let Some(cell) = next else { break };
            let (row, column) = cell.pos;
            let value = match &cell.value {
                DataRef::Empty if cell.formula.is_none() => continue,
                DataRef::Empty => Cell::Empty,
                DataRef::Int(number) => Cell::Number(*number as f64),
                DataRef::Float(number) => Cell::Number(*number),
                DataRef::String(text) => Cell::Text(text.clone()),
                DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
                DataRef::Bool(value) => Cell::Text(value.to_string()),
                DataRef::DateTime(time) => match excel_day(time) {
                    Some(day) => Cell::Date(day),
                    None => Cell::Number(time.as_f64()),
                },
                DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => match iso_day(text) {
                    Some(day) => Cell::Date(day),
                    None => Cell::Text(text.clone()),
                },
                DataRef::Error(error) => Cell::Text(error.to_string()),
            };
            let value = if cell.formula.is_some() { Cell::Formula(Box::new(value)) } else { value };
            if column >= MOST_COLUMNS || row >= MOST_ROWS {
                // Far away from the table stands nothing of ours.
                continue;
            }
            count += 1;
            if count > MOST_CELLS {
                return Err(Refusal::file(file, format!("it has more than {MOST_CELLS} cells")));
            }
            let row = rows.entry(row).or_default();
            let column = column as usize;
            if row.len() <= column {
                row.resize(column + 1, Cell::Empty);
            }
            if let Some(cell) = row.get_mut(column) {
                *cell = value;
            }
        }
        grids.push(Grid { file: file.to_owned(), sheet, rows: rows.into_iter().collect() });
    }
    Ok(grids)
}

/// The day of a cell that a spreadsheet shows as a date; a time without a day lies on Excel's day 0.
fn excel_day(time: &calamine::ExcelDateTime) -> Option<NaiveDate> {
    let plausible = (366.0..2_958_466.0).contains(&time.as_f64());
    let (year, month, day, ..) = time.to_ymd_hms_milli();
    NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day))
        .filter(|_| plausible && !time.is_duration())
}

fn iso_day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

/// Reads a CSV file: UTF-8 or UTF-16 (Excel's "Unicode text"), each with or without byte order mark, or else the
/// eight-bit code that western Excel writes; separated by comma, semicolon or tab, whichever its header has most of.
pub fn csv(file: &str, bytes: &[u8]) -> Result<Grid, Refusal> {
    let text = decode(bytes);
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut offset = 0;
    // Excel's own way of telling the separator.
    let mut separator = None;
    if let Some(rest) = text.strip_prefix("sep=") {
        separator = rest.bytes().next().filter(|c| matches!(c, b',' | b';' | b'\t' | b'|'));
        text = rest.split_once('\n').map_or("", |(_, rest)| rest);
        offset = 1;
    }
    let separator = separator.unwrap_or_else(|| {
        let header = text.lines().next().unwrap_or_default();
        let count = |c: u8| header.bytes().filter(|b| *b == c).count();
        // Of equal counts the earlier one.
        [b',', b';', b'\t'].into_iter().rev().max_by_key(|c| count(*c)).unwrap_or(b',')
    });
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|e| Refusal::file(file, format!("it cannot be read as CSV: {e}")))?;
        let row = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(offset);
        if row >= MOST_ROWS {
            return Err(Refusal::file(file, format!("it has more than {MOST_ROWS} rows")));
        }
        let cells: Vec<Cell> = record
            .iter()
            .take(MOST_COLUMNS as usize)
            .map(|text| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) })
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            rows.push((row, cells));
        }
    }
    Ok(Grid { file: file.to_owned(), sheet: String::new(), rows })
}

fn decode(bytes: &[u8]) -> String {
    let utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    };
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return utf16(rest, u16::from_be_bytes);
    }
    // No text has the character 0; half of the bytes of a header in UTF-16 are it.
    match bytes {
        [a, 0, b, 0, ..] if *a != 0 && *b != 0 => return utf16(bytes, u16::from_le_bytes),
        [0, a, 0, b, ..] if *a != 0 && *b != 0 => return utf16(bytes, u16::from_be_bytes),
        _ => {}
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    }
}

/// <https://encoding.spec.whatwg.org/#windows-1252>: Latin-1, with letters and signs where Latin-1 has controls.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(u32, Vec<String>)> {
        let rows = csv("x.csv", bytes).unwrap().rows;
        rows.into_iter().map(|(at, row)| (at, row.iter().map(Cell::text).collect())).collect()
    }

    #[test]
    fn every_regional_kind_of_csv_gives_the_same_cells() {
        let expected = vec![(0, vec!["a".to_owned(), "b".to_owned()]), (1, vec!["Zoë".to_owned(), "x,y;z".to_owned()])];
        let utf16: Vec<u8> = "\u{feff}a\tb\r\nZoë\tx,y;z\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "a;b\nZoë;\"x,y;z\"\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            "a,b\r\nZoë,\"x,y;z\"\r\n".as_bytes(),
            "\u{feff}a;b\nZoë;\"x,y;z\"".as_bytes(),
            b"a\tb\r\nZo\xeb\tx,y;z\r\n",
            &utf16,
            &utf16[2..],
            &big,
        ] {
            assert_eq!(texts(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(texts("sep=;\na;b\n".as_bytes()), [(1, vec!["a".to_owned(), "b".to_owned()])]);
        assert_eq!(texts(b""), []);
    }

    #[test]
    fn places_are_those_that_a_spreadsheet_shows() {
        let place =
            |sheet: &str, row, column| Place { file: "f.xlsx".into(), sheet: sheet.into(), row, column }.to_string();
        assert_eq!(place("users", 0, 0), "f.xlsx users!A1");
        assert_eq!(place("", 13, 25), "f.xlsx Z14");
        assert_eq!(place("x", 1, 26), "f.xlsx x!AA2");
        assert_eq!(place("x", 1, 701), "f.xlsx x!ZZ2");
    }

    /// The file was written by openpyxl and saved again by LibreOffice 7 (`soffice --headless --convert-to xlsx`).
    #[test]
    fn what_libreoffice_saved_is_read_cell_by_cell() {
        let grids = xlsx("small.xlsx", include_bytes!("../../tests/data/libreoffice.xlsx")).unwrap();
        let [grid] = grids.as_slice() else { panic!("{grids:?}") };
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(grid.sheet, "users");
        let text = |text: &str| Cell::Text(text.to_owned());
        let expected =
            [text("=1+1"), Cell::Number(120.0), text("2026-10-01"), text("keep"), Cell::Date(day("2026-10-12"))];
        assert_eq!(grid.rows[1], (1, expected.to_vec()));
        assert_eq!(grid.rows[2].0, 4, "rows keep their numbers");
        assert_eq!(grid.rows[2].1[0], text("Zoë \"z\", é; ü"));
    }

    #[test]
    fn what_is_no_workbook_is_refused_and_never_a_panic() {
        for bytes in [&b""[..], b"PK\x03\x04", b"resource,owner\n", &[0xff; 4096]] {
            assert!(xlsx("x.xlsx", bytes).unwrap_err().to_string().contains("x.xlsx"));
        }
    }
}
