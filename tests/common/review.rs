//! What the tests of reviews share: a review of the recorded account, and its tables as people fill them in.

#![allow(dead_code)] // each test file uses its part

use super::common::{Ran, auditpack, run};
use calamine::Reader;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use tempfile::{TempDir, tempdir};

/// The sheets, by the names of their CSV files.
pub const SHEETS: [&str; 5] = ["users", "roles", "access-keys", "external-principals", "privileged-access"];

/// The recording that reviews are opened from: the rich account at its own time.
pub fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/example-corp")
}

/// Runs `auditpack review`.
pub fn review(args: &[&str]) -> Ran {
    run(auditpack().arg("review").args(args))
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A review of the recorded account that was just opened.
pub fn opened(more: &[&str]) -> (TempDir, PathBuf) {
    let dir = tempdir().unwrap();
    let out = dir.path().join("q1");
    let from = recording();
    let mut args = vec!["open", text(&from), "--out", text(&out)];
    args.extend(more);
    let ran = review(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (dir, out)
}

pub type Table = Vec<Vec<String>>;

pub fn table(path: &Path) -> Table {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The table as CSV.
pub fn csv_text(table: &Table, separator: u8) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).flexible(true).from_writer(Vec::new());
    for row in table {
        writer.write_record(row).unwrap();
    }
    writer.into_inner().unwrap()
}

pub fn save(path: &Path, table: &Table, separator: u8) {
    std::fs::write(path, csv_text(table, separator)).unwrap();
}

pub fn column(table: &Table, name: &str) -> usize {
    table[0].iter().position(|cell| cell == name).unwrap_or_else(|| panic!("no column {name}"))
}

pub fn set(table: &mut Table, row: usize, name: &str, value: &str) {
    let at = column(table, name);
    table[row][at] = value.to_owned();
}

/// Fills in every row: `keep`, save what `other` decides by name.
pub fn fill_table(table: &mut Table, other: impl Fn(&str) -> Option<&'static str>) {
    for row in 1..table.len() {
        let decision = other(&table[row][0]).unwrap_or("keep");
        for (name, value) in [
            ("decision", decision),
            ("reviewer", "Rita Reviewer"),
            ("date", "2026-10-05"),
            ("justification", "needed for the work"),
        ] {
            set(table, row, name, value);
        }
    }
}

/// Fills in every row of every CSV and the acknowledgement.
pub fn fill(dir: &Path, other: impl Fn(&str, &str) -> Option<&'static str>) {
    for sheet in SHEETS {
        let path = dir.join(format!("csv/{sheet}.csv"));
        let mut table = table(&path);
        fill_table(&mut table, |name| other(sheet, name));
        save(&path, &table, b',');
    }
    let path = dir.join("csv/acknowledgement.csv");
    let mut table = table(&path);
    for (name, value) in [("acknowledged by", "Mo Manager"), ("position", "CISO"), ("acknowledged on", "2026-10-06")] {
        set(&mut table, 1, name, value);
    }
    save(&path, &table, b',');
}

/// The sheets of a workbook as texts.
pub fn book(bytes: &[u8]) -> Vec<(String, Table)> {
    let mut book = calamine::Xlsx::new(Cursor::new(bytes)).unwrap();
    let sheets = book.worksheets();
    let rows = |range: &calamine::Range<calamine::Data>| {
        let texts = |row: &[calamine::Data]| row.iter().map(ToString::to_string).collect::<Vec<String>>();
        range.rows().map(texts).collect::<Table>()
    };
    sheets.iter().map(|(name, range)| (name.clone(), rows(range))).collect()
}

/// A workbook with these sheets, as a spreadsheet program writes it: all texts, and what `more` does to each sheet.
pub fn book_bytes(
    sheets: &[(String, Table)],
    more: impl Fn(&mut rust_xlsxwriter::Worksheet) -> Result<(), rust_xlsxwriter::XlsxError>,
) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, table) in sheets {
        let page = book.add_worksheet();
        page.set_name(name).unwrap();
        for (at, row) in table.iter().enumerate() {
            for (column, text) in row.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                page.write_string(u32::try_from(at).unwrap(), u16::try_from(column).unwrap(), text).unwrap();
            }
        }
        more(page).unwrap();
    }
    book.save_to_buffer().unwrap()
}

/// Fills in a workbook that was handed out: every row as [`fill_table`] does, and the acknowledgement.
pub fn fill_book(path: &Path, other: impl Fn(&str, &str) -> Option<&'static str>) {
    let mut sheets = book(&std::fs::read(path).unwrap());
    for (name, table) in &mut sheets {
        let sheet = name.replace(' ', "-");
        if SHEETS.contains(&sheet.as_str()) {
            fill_table(table, |row| other(&sheet, row));
        } else if name == "acknowledgement" {
            for (name, value) in
                [("acknowledged by", "Mo Manager"), ("position", "CISO"), ("acknowledged on", "2026-10-06")]
            {
                set(table, 1, name, value);
            }
        }
    }
    std::fs::write(path, book_bytes(&sheets, |_| Ok(()))).unwrap();
}
