//! One way to write CSV, for every table of the package, and to read it back.
//!
//! RFC 4180: commas, CRLF, quotes doubled. UTF-8 with a byte order mark, without which Excel reads UTF-8 as the
//! local eight-bit code; LibreOffice, pandas and PowerShell skip it. Control and invisible characters are written
//! visibly, so that a row is always one line. Cells that a spreadsheet would run are defused by an apostrophe
//! (<https://owasp.org/www-community/attacks/CSV_Injection>); the JSON keeps the original.

use super::words::visible;
use std::borrow::Cow;
use std::io::{self, Write};

/// What Excel needs to know that the file is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a table of a package. A row that is shorter or longer than the header is handed out as it is.
pub fn reader(bytes: &[u8]) -> ::csv::Reader<&[u8]> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(bytes);
    ::csv::ReaderBuilder::new().flexible(true).from_reader(bytes)
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing: a fact of absence.
    Empty,
    /// A number of ours, which stays a number even if it is negative.
    Int(i64),
    /// Any text.
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Cell::Empty, Cell::Text)
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or_else(|_| Cell::Text(n.to_string()), Cell::Int)
    }
}

/// A table that grows by rows.
#[derive(Debug)]
pub struct Table {
    out: String,
    columns: usize,
}

impl Table {
    /// A table with its header.
    pub fn new(header: &[&str]) -> Self {
        let mut table = Self { out: BYTE_ORDER_MARK.to_owned(), columns: header.len() };
        table.row(header.iter().map(|name| Cell::from(*name)));
        table
    }

    /// Adds a row. A row that is shorter than the header is filled up with empty cells.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut written = 0;
        for cell in cells {
            if written > 0 {
                self.out.push(',');
            }
            self.cell(&cell);
            written += 1;
        }
        for _ in written..self.columns {
            self.out.push(',');
        }
        self.out.push_str("\r\n");
    }

    /// Writes the rows that were added since it was last called, so that a large table need not be in memory.
    pub fn drain(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.out.as_bytes())?;
        self.out.clear();
        Ok(())
    }

    /// The file.
    pub fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    fn cell(&mut self, cell: &Cell) {
        let text = match cell {
            Cell::Empty => return,
            Cell::Int(n) => return self.out.push_str(&n.to_string()),
            Cell::Text(text) => visible(text),
        };
        let text = if is_harmless(&text) { text } else { Cow::Owned(defuse(&text)) };
        if text.contains([',', '"', ';', '\'']) || text.starts_with(' ') || text.ends_with(' ') {
            self.out.push('"');
            self.out.push_str(&text.replace('"', "\"\""));
            self.out.push('"');
        } else {
            self.out.push_str(&text);
        }
    }
}

/// Whether nothing in a text can start a formula, told at a glance: most cells are of this kind.
fn is_harmless(text: &str) -> bool {
    text.is_ascii() && text.bytes().next().is_none_or(|first| first.is_ascii_alphanumeric()) && !text.contains(';')
}

/// Puts an apostrophe before what a spreadsheet would run: `=`, `+`, `-`, `@` and their full-width forms at the
/// start of the cell, after spaces and quotes too; and after a semicolon, where a spreadsheet that takes semicolons
/// for separators (most of Europe's do) would begin a cell.
pub(crate) fn defuse(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut at_start = true;
    for c in text.chars() {
        if at_start && is_trigger(c) {
            if out.trim_matches(is_skipped).is_empty() {
                out.insert(0, '\'');
            } else {
                out.push('\'');
            }
        }
        at_start = c == ';' || (at_start && is_skipped(c));
        out.push(c);
    }
    out
}

fn is_trigger(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

fn is_skipped(c: char) -> bool {
    c.is_whitespace() || c == '"'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cell: impl Into<Cell>) -> String {
        let mut table = Table::new(&["x"]);
        table.row([cell.into()]);
        String::from_utf8(table.finish()).unwrap().strip_prefix("\u{feff}x\r\n").unwrap().to_owned()
    }

    #[test]
    fn nothing_that_a_spreadsheet_runs_stays_live() {
        for trigger in ["=", "+", "-", "@", "＝", "＋", "－", "＠"] {
            for before in ["", " ", "\u{a0}", "\"", " \" "] {
                let cell = line(format!("{before}{trigger}cmd()"));
                let content = cell.trim_start_matches('"');
                assert!(content.starts_with('\''), "{before:?}{trigger}: {cell}");
            }
            assert_eq!(line(format!("a; {trigger}b;{trigger}c")), format!("\"a; '{trigger}b;'{trigger}c\"\r\n"));
        }
        assert_eq!(line("\t=1"), "⟨U+0009⟩=1\r\n");
        assert_eq!(line("\r=1"), "⟨U+000D⟩=1\r\n");
        assert_eq!(line("a=b-c@d"), "a=b-c@d\r\n");
    }

    #[test]
    fn a_number_of_ours_stays_a_number() {
        assert_eq!(line(Cell::Int(-3)), "-3\r\n");
        assert_eq!(line("-3"), "\"'-3\"\r\n");
    }

    #[test]
    fn a_row_is_one_line_and_quotes_are_doubled() {
        assert_eq!(line("a\r\nb"), "a⟨U+000D⟩⟨U+000A⟩b\r\n");
        assert_eq!(line("a,\"b\""), "\"a,\"\"b\"\"\"\r\n");
        let mut table = Table::new(&["a", "b", "c"]);
        table.row([Cell::Empty, Cell::Int(1)]);
        assert_eq!(String::from_utf8(table.finish()).unwrap(), "\u{feff}a,b,c\r\n,1,\r\n");
    }
}
