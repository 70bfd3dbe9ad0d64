//! Comparing a package with the one that was derived again from its recording, byte for byte.

use super::check::Problem;
use super::error::PackageError;
use super::open::OpenPackage;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Whether two files are the same, byte for byte.
pub fn same_bytes(a: &Path, b: &Path) -> Result<bool, PackageError> {
    let open = |path: &Path| File::open(path).map(BufReader::new).map_err(PackageError::io("read", path));
    let difference = first_difference(&mut open(a)?, &mut open(b)?).map_err(PackageError::io("read", a))?;
    Ok(difference.is_none())
}

/// The files in which two packages differ, each with the place of the first difference.
pub fn differences(package: &mut OpenPackage, again: &mut OpenPackage) -> Result<Vec<Problem>, PackageError> {
    let mut paths: BTreeSet<String> = package.paths().map(str::to_owned).collect();
    paths.extend(again.paths().map(str::to_owned));
    let mut problems = Vec::new();
    for path in paths {
        match (package.has(&path), again.has(&path)) {
            (true, false) => problems.push(Problem::of(path, "is not made from the recording")),
            (false, true) => problems.push(Problem::of(path, "is made from the recording, and the package lacks it")),
            _ => problems.extend(differs(package, again, &path)?.map(|what| Problem::of(path, what))),
        }
    }
    Ok(problems)
}

fn differs(package: &mut OpenPackage, again: &mut OpenPackage, path: &str) -> Result<Option<String>, PackageError> {
    let found = package.with_reader(path, |packed| {
        again.with_reader(path, |derived| first_difference(packed, derived)).map_err(io::Error::other)?
    });
    match found {
        Ok(Ok(found)) => Ok(found.map(|difference| difference.words())),
        Ok(Err(error)) => Ok(Some(format!("cannot be compared: {error}"))),
        Err(error) => Err(error),
    }
}

/// Where two texts differ first.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    line: u64,
    packed: String,
    derived: String,
}

impl Difference {
    fn words(&self) -> String {
        format!("line {}: the package has {}, the recording gives {}", self.line, self.packed, self.derived)
    }
}

/// How much of both is shown.
const SHOWN: usize = 80;
/// How much before the difference is shown.
const BEFORE: usize = 30;

fn first_difference(a: &mut dyn Read, b: &mut dyn Read) -> io::Result<Option<Difference>> {
    let mut line = 1_u64;
    let mut before: Vec<u8> = Vec::new();
    let (mut x, mut y) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let (n, m) = (fill(a, &mut x)?, fill(b, &mut y)?);
        let (packed, derived) = (x.get(..n).unwrap_or_default(), y.get(..m).unwrap_or_default());
        let same = packed.iter().zip(derived).take_while(|(a, b)| a == b).count();
        let common = packed.get(..same).unwrap_or_default();
        line += common.iter().filter(|byte| **byte == b'\n').count() as u64;
        before.extend_from_slice(common.get(common.len().saturating_sub(BEFORE)..).unwrap_or_default());
        before.drain(..before.len().saturating_sub(BEFORE));
        if same < n || same < m {
            let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let lead = before.get(start..).unwrap_or_default().to_vec();
            let shown = |rest: &[u8]| {
                let rest = rest.get(same..).unwrap_or_default();
                if rest.is_empty() && lead.is_empty() {
                    return "no more".to_owned();
                }
                let text = [&lead, rest.get(..rest.len().min(SHOWN)).unwrap_or_default()].concat();
                let text = String::from_utf8_lossy(&text).into_owned();
                let text = text.lines().next().unwrap_or_default().to_owned();
                format!("`{}`", text.escape_debug().to_string().replace("\\\"", "\""))
            };
            return Ok(Some(Difference { line, packed: shown(packed), derived: shown(derived) }));
        }
        if n == 0 {
            return Ok(None);
        }
    }
}

/// Reads until the buffer is full or there is no more.
fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(a: &str, b: &str) -> Option<String> {
        first_difference(&mut a.as_bytes(), &mut b.as_bytes()).unwrap().map(|difference| difference.words())
    }

    #[test]
    fn the_first_difference_is_named_by_line_with_both_texts() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(
            difference("a\nx,pass\nc\n", "a\nx,fail\nd\n").unwrap(),
            "line 2: the package has `x,pass`, the recording gives `x,fail`"
        );
        assert_eq!(difference("a\n", "a\nb\n").unwrap(), "line 2: the package has no more, the recording gives `b`");
        let long = "y".repeat(1 << 17);
        let found = difference(&format!("{long}\n1"), &format!("{long}\n2")).unwrap();
        assert_eq!(found, "line 2: the package has `1`, the recording gives `2`");
    }
}
