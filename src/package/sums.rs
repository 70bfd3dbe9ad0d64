//! SHA256SUMS: the file that `sha256sum -c` accepts.

use super::content::is_path;
use crate::evidence::Text;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// One line for each file, sorted by path.
pub(super) fn write(sums: &BTreeMap<Text, Text>, out: &mut dyn Write) -> io::Result<()> {
    sums.iter().try_for_each(|(path, sum)| out.write_all(line(path, sum).as_bytes()))
}

/// The same as a text.
pub(super) fn print(sums: &BTreeMap<String, String>) -> String {
    sums.iter().map(|(path, sum)| line(path, sum)).collect()
}

/// The line of one file. Paths of packages need none of sha256sum's escapes.
pub(super) fn line(path: &str, sum: &str) -> String {
    debug_assert!(is_path(path));
    format!("{sum}  {path}\n")
}

/// Reads the file back: path and SHA-256. Errors name the line.
pub(super) fn parse(text: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(text).map_err(|e| format!("SHA256SUMS is not text: {e}"))?;
    let mut sums = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let parts = line.split_once("  ").filter(|(sum, path)| is_sum(sum) && is_path(path));
        let (sum, path) = parts.ok_or_else(|| format!("line {number} of SHA256SUMS is not a checksum and a path"))?;
        if sums.insert(path.to_owned(), sum.to_owned()).is_some() {
            return Err(format!("line {number} of SHA256SUMS names {path} a second time"));
        }
    }
    Ok(sums)
}

fn is_sum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::digest::sha256;

    #[test]
    fn what_is_printed_is_read_back_and_nothing_else_is() {
        let sums: BTreeMap<_, _> =
            ["a/b", "z", "B"].into_iter().map(|path| (path.to_owned(), sha256(path.as_bytes()))).collect();
        assert_eq!(parse(print(&sums).as_bytes()), Ok(sums));
        let sum = sha256(b"");
        for (text, complaint) in [
            (format!("{sum}  ../a\n"), "line 1"),
            (format!("{sum} *a\n"), "line 1"),
            (format!("{sum}  a\n{sum}  a\n"), "second time"),
            ("\n".to_owned(), "line 1"),
            (format!("{}  a\n", sum.to_uppercase()), "line 1"),
        ] {
            assert!(parse(text.as_bytes()).unwrap_err().contains(complaint), "{text}");
        }
    }
}
