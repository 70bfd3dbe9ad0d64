//! Who answers for a row: a mapping file says so, or a tag.

use super::grid::{self, Cell, Refusal, Refusals};
use super::{Place, answers};
use crate::resource::fits;

/// Owners by pattern, in the order of the file: the first that fits wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    rows: Vec<(String, String)>,
}

/// Tags that name an owner, in the order in which they are looked at; their case means nothing.
pub const TAGS: [&str; 3] = ["owner", "team", "contact"];

impl Owners {
    /// Reads a mapping: CSV with the columns `resource` (a name or an ARN; `*` stands for any run of characters) and
    /// `owner`, others are passed over.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Refusals> {
        let grid = grid::csv(name, bytes).map_err(Refusals::one)?;
        let place = |row, column| Place { file: name.to_owned(), sheet: String::new(), row, column };
        let refuse = |at: Place, reason: &str| Refusals::one(Refusal::new(at, reason));
        let Some((_, header)) = grid.rows.first() else {
            return Err(refuse(place(0, 0), "it is empty: it needs a header with the columns resource and owner"));
        };
        let column = |name: &str| header.iter().position(|cell| answers::header(cell) == name);
        let (Some(resource), Some(owner)) = (column("resource"), column("owner")) else {
            return Err(refuse(place(0, 0), "its header has no columns resource and owner"));
        };
        let mut rows = Vec::new();
        let mut refusals = Refusals::default();
        for (at, row) in grid.rows.iter().skip(1) {
            let text = |column: usize| row.get(column).map(Cell::text).unwrap_or_default();
            match (text(resource), text(owner)) {
                (resource, owner) if resource.is_empty() && owner.is_empty() => {}
                (resource, owner) if resource.is_empty() || owner.is_empty() => {
                    refusals.push(Refusal::new(place(*at, 0), "a row needs both a resource and an owner"));
                }
                pair => rows.push(pair),
            }
        }
        refusals.or(Self { rows })
    }

    /// The owner of something known by some names.
    pub fn of<'n>(&self, names: impl IntoIterator<Item = &'n str> + Clone) -> Option<&str> {
        let fits = |pattern: &str| names.clone().into_iter().any(|name| fits(pattern, name));
        self.rows.iter().find(|(pattern, _)| fits(pattern)).map(|(_, owner)| owner.as_str())
    }
}

/// The name of an owner's workbook: what a file system takes, told apart by `taken`.
pub fn file_stem(owner: Option<&str>, taken: &mut std::collections::BTreeSet<String>) -> String {
    let owner = owner.unwrap_or("no owner");
    let safe = |c: char| if c.is_alphanumeric() || "-_.@+".contains(c) { c } else { '-' };
    let mut stem: String = owner.chars().map(safe).take(80).collect();
    stem = stem.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    stem = stem.trim_matches(['.', '-']).to_owned();
    // Names that Windows keeps to itself, and owners without a letter that a file can have.
    let reserved = ["con", "prn", "aux", "nul"];
    if stem.is_empty() || reserved.contains(&stem.to_ascii_lowercase().as_str()) {
        stem = format!("owner-{stem}");
    }
    let mut name = stem.clone();
    let mut number = 1;
    while !taken.insert(name.to_lowercase()) {
        number += 1;
        name = format!("{stem}-{number}");
    }
    name
}

/// Where owners' workbooks lie.
pub const FOLDER: &str = "by-owner";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_pattern_that_fits_wins() {
        let owners = Owners::read(
            "owners.csv",
            "Resource;Owner\r\nci-*;platform\r\n*:role/ci-x;nobody\r\n*;rest\r\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(owners.of(["ci-x", "arn:aws:iam::111122223333:role/ci-x"]), Some("platform"));
        assert_eq!(owners.of(["ann"]), Some("rest"));
        assert_eq!(Owners::default().of(["ann"]), None);
    }

    #[test]
    fn a_mapping_that_cannot_be_meant_is_refused_with_its_place() {
        for text in ["", "a,b\n1,2\n", "resource,owner\nx,\n"] {
            let error = Owners::read("owners.csv", text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("owners.csv"), "{error}");
        }
        let error = Owners::read("owners.csv", b"resource,owner\nann,bob\nx,\n").unwrap_err().to_string();
        assert!(error.contains("owners.csv A3"), "{error}");
    }

    #[test]
    fn a_file_is_named_after_its_owner_whatever_the_owner_is_called() {
        let mut taken = BTreeSet::new();
        let names: Vec<String> = [
            Some("ann@example.com"),
            Some("../x"),
            Some("Ann@example.com"),
            Some("con"),
            None,
            Some("…"),
            Some("Ann, \"x\" Lee"),
        ]
        .into_iter()
        .map(|owner| file_stem(owner, &mut taken))
        .collect();
        assert_eq!(
            names,
            ["ann@example.com", "x", "Ann@example.com-2", "owner-con", "no-owner", "owner-", "Ann-x-Lee"]
        );
    }
}
