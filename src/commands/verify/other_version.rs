//! What another version's package can be held to.
//!
//! Another version lays out texts otherwise, and adds columns and populations. It does not find other rows, other values in a
//! column of the same name, other statuses or other calls: those are compared here, and a difference is a contradiction. What
//! cannot be compared is named, so that nobody takes it for derived.

use crate::package::{MANIFEST, OpenPackage, Problem, SUMS};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the comparison came to.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// What can be true of no version.
    pub contradictions: Vec<Problem>,
    /// What this version makes otherwise, or not at all: what it says is not checked.
    pub unproven: Vec<Problem>,
}

/// Columns that hold something else than in earlier versions: the first version in which they do, the file, the column. An
/// entry here is the price of mending how a column is computed without naming it anew.
const CORRECTED: &[([u64; 3], &str, &str)] = &[
    // That the credential report is asked for changes nothing in the account.
    ([0, 2, 0], "populations/roles.csv", "write_actions"),
];

/// Folders of which every version makes the same bytes, or none.
const SAME_IN_ALL: [&str; 6] = ["evidence/", "raw/", "controls/", "manual/", "review/input/", "review/last/"];

/// Where the tables are whose cells are facts.
const TABLES: [&str; 3] = ["populations/", "review/", crate::package::CALLS];

/// Columns that tell records apart, where a table has them.
const KEYS: [&str; 9] = ["region", "id", "framework", "requirement", "operation", "resource", "page", "attempt", "row"];

/// A list of a JSON document: its member, what tells its elements apart, what must be the same, and whether a version may
/// know of elements that the other does not.
type List = (&'static str, &'static [&'static str], &'static [&'static str], bool);

const MANIFEST_LISTS: &[List] = &[
    ("calls", &["operation", "region", "resource"], &["outcome", "document", "partial", "responses"], false),
    ("populations", &["kind"], &["rows", "complete"], true),
    ("reconciliation", &["population"], &["counts", "agrees"], true),
    ("gaps", &["place", "kind"], &[], false),
    ("redactions", &["file"], &["count", "original_sha256"], false),
    ("exceptions", &["check", "resource"], &["approver", "granted", "expires", "ticket", "state", "failures"], false),
    ("manual", &["file"], &["requirements", "description", "owner", "date", "valid_until", "out_of_date"], false),
];
const MANIFEST_MEMBERS: &[&str] =
    &["source", "account", "caller", "custody", "scope", "as_of", "period", "controls", "review"];
const FINDINGS_LISTS: &[List] = &[
    ("findings", &["check", "resource"], &["status", "severity", "exception", "calls_missing"], false),
    ("requirements", &["framework", "requirement"], &["status", "automation"], false),
    ("checks", &["check"], &["status", "severity", "findings"], false),
];

/// Whether two versions make the same of a recording, but for saying which of them did.
pub(super) fn only_the_version_differs(
    package: &mut OpenPackage,
    again: &mut OpenPackage,
    differences: &[Problem],
) -> bool {
    let mut manifest = package.manifest().clone();
    manifest.tool.version = again.manifest().tool.version.clone();
    // A member that is passed over when the manifest is read would not be seen here.
    let mut canonical = Vec::new();
    let written = crate::evidence::document::write_json(package.manifest(), &mut canonical);
    let whole = written.is_ok() && package.bytes(MANIFEST).is_ok_and(|bytes| bytes == canonical);
    whole && manifest == *again.manifest() && differences.iter().all(|of| [MANIFEST, SUMS].contains(&of.file.as_str()))
}

/// Sorts differences between a package and what this version makes of it.
pub(super) fn compare(
    package: &mut OpenPackage,
    again: &mut OpenPackage,
    made_by: [u64; 3],
    differences: Vec<Problem>,
) -> Comparison {
    let mut all = Comparison::default();
    for Problem { file, what } in differences {
        let both = package.has(&file) && again.has(&file);
        let told = match file.as_str() {
            SUMS | "" => continue,
            path if SAME_IN_ALL.iter().any(|folder| path.starts_with(folder)) => Err(what),
            // Its absence is the manifest's: a population or a report that the other version did not know.
            path if !package.has(path) => continue,
            _ if !both => Ok("is not made by this version".to_owned()),
            MANIFEST => json(package, again, &file, MANIFEST_MEMBERS, MANIFEST_LISTS),
            "findings.json" => json(package, again, &file, &[], FINDINGS_LISTS),
            // What a review decided, and what became of it.
            "review/register.json" => json(package, again, &file, &["rows"], &[]),
            path if path.ends_with(".csv") && TABLES.iter().any(|folder| path.starts_with(folder)) => {
                table(package, again, &file, made_by)
            }
            // Their checks and statuses were held against findings.json, and that against the recording.
            "findings.csv" | "requirements.csv" => Ok("checks and statuses hold; other columns differ".to_owned()),
            _ => Ok(what),
        };
        match told {
            Ok(what) if what.is_empty() => {}
            Ok(what) => all.unproven.push(Problem { file, what }),
            Err(what) => all.contradictions.push(Problem { file, what }),
        }
    }
    all
}

fn read(package: &mut OpenPackage, file: &str) -> Result<Vec<u8>, String> {
    package.bytes(file).map_err(|e| e.to_string())
}

/// Compares two JSON documents as far as all versions agree about them.
fn json(
    package: &mut OpenPackage,
    again: &mut OpenPackage,
    file: &str,
    members: &[&str],
    lists: &[List],
) -> Result<String, String> {
    let parsed = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).map_err(|e| format!("is not JSON: {e}"));
    let (packed, derived) = (parsed(read(package, file)?)?, parsed(read(again, file)?)?);
    for member in members {
        same(&packed[*member], &derived[*member], member)?;
    }
    for (member, identity, compared, versions_differ) in lists {
        let rows = |of: &Value| -> BTreeMap<String, Vec<Value>> {
            let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for element in of[*member].as_array().into_iter().flatten() {
                let names: Vec<String> = identity.iter().map(|name| name_of(&element[*name])).collect();
                rows.entry(names.join(" ")).or_default().push(element.clone());
            }
            rows
        };
        let (packed, derived) = (rows(&packed), rows(&derived));
        for (name, elements) in &packed {
            let Some(others) = derived.get(name) else {
                return Err(format!("{member} tells of {name}, which the recording does not give"));
            };
            if elements.len() != others.len() {
                return Err(format!(
                    "{member} tells {} times of {name}, the recording gives {}",
                    elements.len(),
                    others.len()
                ));
            }
            for (element, other) in elements.iter().zip(others) {
                for part in *compared {
                    same(&element[*part], &other[*part], &format!("{part} of {name}"))?;
                }
            }
        }
        if let (false, Some(name)) = (versions_differ, derived.keys().find(|name| !packed.contains_key(*name))) {
            return Err(format!("{member} does not tell of {name}, which the recording gives"));
        }
    }
    Ok(match file {
        MANIFEST => "scope, calls, populations and gaps hold; other members may differ".to_owned(),
        "findings.json" => "statuses hold; texts and pointers differ".to_owned(),
        _ => "the decisions hold; something besides them differs".to_owned(),
    })
}

/// What tells an element apart: a text, or of a resource all but its name, which is for people.
fn name_of(of: &Value) -> String {
    match of {
        Value::Object(members) => {
            let parts = ["kind", "region", "id"].iter().filter_map(|name| members.get(*name)?.as_str());
            parts.collect::<Vec<_>>().join(" ")
        }
        Value::String(text) => text.clone(),
        _ => String::new(),
    }
}

/// Two values are the same as far as both have the same members. One that a version does not have is no contradiction.
fn same(packed: &Value, derived: &Value, place: &str) -> Result<(), String> {
    match (packed, derived) {
        (Value::Object(a), Value::Object(b)) => (a.iter())
            .filter_map(|(name, value)| Some((name, value, b.get(name)?)))
            .try_for_each(|(name, value, other)| same(value, other, &format!("{place}, {name}"))),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).try_for_each(|(value, other)| same(value, other, place))
        }
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{place}: the package has {}, the recording gives {}", shown(a), shown(b))),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// A table's records by what tells them apart, each with its cells by column.
struct Rows {
    columns: BTreeSet<String>,
    records: BTreeMap<Vec<String>, Vec<BTreeMap<String, String>>>,
}

fn rows(bytes: &[u8]) -> Result<Rows, csv::Error> {
    let mut reader = crate::report::csv::reader(bytes);
    let header = reader.headers()?.clone();
    let mut records: BTreeMap<Vec<String>, Vec<BTreeMap<String, String>>> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let cells: BTreeMap<String, String> =
            header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
        // A population that may not be whole says so in a record of its own, with the reason.
        if record.get(0).is_some_and(|cell| cell.starts_with("unknown: ")) {
            continue;
        }
        let key = KEYS.iter().map(|name| cells.get(*name).cloned().unwrap_or_default()).collect();
        records.entry(key).or_default().push(cells);
    }
    Ok(Rows { columns: header.iter().map(str::to_owned).collect(), records })
}

/// Compares two tables: the same records, and the same cells in the columns that both have.
fn table(package: &mut OpenPackage, again: &mut OpenPackage, file: &str, made_by: [u64; 3]) -> Result<String, String> {
    let no_table = |e: csv::Error| format!("is no table: {e}");
    let packed = rows(&read(package, file)?).map_err(no_table)?;
    let derived = rows(&read(again, file)?).map_err(no_table)?;
    let named = |key: &[String]| key.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    if let Some(key) = packed.records.keys().find(|key| !derived.records.contains_key(*key)) {
        return Err(format!("has a record of {}, which the recording does not give", named(key)));
    }
    if let Some(key) = derived.records.keys().find(|key| !packed.records.contains_key(*key)) {
        return Err(format!("has no record of {}, which the recording gives", named(key)));
    }
    let corrected: BTreeSet<&str> = (CORRECTED.iter())
        .filter(|(since, of, _)| made_by < *since && *of == file)
        .map(|(_, _, column)| *column)
        .collect();
    let mut unproven: BTreeSet<&str> = packed.columns.difference(&derived.columns).map(String::as_str).collect();
    for (key, records) in &packed.records {
        let others = derived.records.get(key).map(Vec::as_slice).unwrap_or_default();
        if records.len() != others.len() {
            let what = format!("has {} records of {}, the recording gives {}", records.len(), named(key), others.len());
            return Err(what);
        }
        for (cells, other) in records.iter().zip(others) {
            for (column, cell) in cells {
                let Some(value) = other.get(column).filter(|value| *value != cell) else { continue };
                // Why something is unknown is told in words, where something is found and how.
                if column == "evidence" || (cell.starts_with("unknown: ") && value.starts_with("unknown: ")) {
                    continue;
                }
                if !corrected.contains(column.as_str()) {
                    return Err(format!(
                        "column {column} of {}: the package has `{}`, the recording gives `{}`",
                        named(key),
                        cell.escape_debug(),
                        value.escape_debug()
                    ));
                }
                unproven.insert(corrected.get(column.as_str()).copied().unwrap_or_default());
            }
        }
    }
    match unproven.len() {
        0 => Ok(String::new()),
        _ => {
            Ok(format!("column {} is not made so by this version", unproven.into_iter().collect::<Vec<_>>().join(", ")))
        }
    }
}
