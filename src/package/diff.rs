//! What changed between two packages, as far as their own tables and findings tell.
//!
//! It knows no kind of resource and no check: whatever populations, columns, checks and requirements the two
//! packages have in common are compared, so that it works across versions of the format and of the controls. What
//! only one of them can tell is a note, never a change.

use super::error::PackageError;
use super::manifest::Manifest;
use super::open::OpenPackage;
use crate::report::words;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many checks a note names; the lists name all.
const NAMED: usize = 8;

/// One change. Members that do not concern it are empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// `population`, `finding` or `requirement`.
    pub area: &'static str,
    /// `added`, `removed`, `changed`; `new`, `resolved`, `persisting`, `became-unknown`.
    pub change: &'static str,
    /// The kind of resource, the check's id, or the framework's.
    pub of: String,
    /// The resource, or the requirement.
    pub id: String,
    /// The Region.
    pub region: String,
    /// The column.
    pub field: String,
    /// The value or status before.
    pub old: String,
    /// The value or status after.
    pub new: String,
}

/// All changes, and what could not be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Sorted.
    pub changes: Vec<Change>,
    /// What a reader must know before believing that the rest is all.
    pub notes: Vec<String>,
    /// Checks that only the second package made: their findings are not compared.
    pub checks_added: Vec<String>,
    /// Checks that only the first package made.
    pub checks_removed: Vec<String>,
}

/// Compares two packages.
pub fn diff(old: &mut OpenPackage, new: &mut OpenPackage) -> Result<Changes, PackageError> {
    let mut changes = Changes::default();
    let (before, after) = (old.manifest().clone(), new.manifest().clone());
    context(&before, &after, &mut changes.notes);
    let days = (after.as_of.0 - before.as_of.0).num_days();
    let kinds: BTreeSet<&str> =
        before.populations.iter().chain(&after.populations).map(|population| population.kind.as_str()).collect();
    for kind in kinds {
        populations(old, new, kind, days, &mut changes)?;
    }
    let (old_findings, new_findings) = (read(old)?, read(new)?);
    findings(&old_findings, &new_findings, &mut changes);
    requirements(&old_findings, &new_findings, &mut changes);
    changes.changes.sort();
    Ok(changes)
}

fn context(old: &Manifest, new: &Manifest, notes: &mut Vec<String>) {
    let account = |manifest: &Manifest| manifest.account.id.clone().unwrap_or_else(|| "unknown".to_owned());
    if account(old) != account(new) {
        notes.push(format!("the packages are of different accounts, {} and {}", account(old), account(new)));
    }
    if old.as_of > new.as_of {
        notes.push("the first package is the newer one".to_owned());
    }
    if old.scope.regions != new.scope.regions {
        let (old, new) = (old.scope.regions.join(", "), new.scope.regions.join(", "));
        notes.push(format!("the Regions in scope differ: {old}; then {new}"));
    }
    if old.tool.version != new.tool.version {
        let (old, new) = (&old.tool.version, &new.tool.version);
        notes.push(format!(
            "auditpack {old} and {new} made them: what one reads otherwise than the other can look like a change; \
             `auditpack evaluate` makes the older one anew"
        ));
    }
    let frameworks = |manifest: &Manifest| manifest.scope.frameworks.iter().cloned().collect::<BTreeSet<_>>();
    for (only, which) in [
        (frameworks(old).difference(&frameworks(new)).cloned().collect::<Vec<_>>(), "first"),
        (frameworks(new).difference(&frameworks(old)).cloned().collect::<Vec<_>>(), "second"),
    ] {
        if !only.is_empty() {
            notes.push(format!(
                "only the {which} package tells of {}: its requirements are not compared",
                only.join(", ")
            ));
        }
    }
    if old.controls.sha256 != new.controls.sha256 {
        notes.push("the controls differ: a finding can change without the account".to_owned());
    }
}

/// The rows of a population's table by Region and id, each with its cells by column.
type Rows = BTreeMap<(String, String), BTreeMap<String, String>>;

/// A population's rows, if the package has it, and whether they are all.
fn rows(package: &mut OpenPackage, kind: &str) -> Result<Option<(Rows, bool)>, PackageError> {
    let found = package.manifest().populations.iter().find(|population| population.kind == kind).cloned();
    let Some((file, complete)) = found.and_then(|population| Some((population.file?, population.complete))) else {
        return Ok(None);
    };
    let bytes = package.read(&file)?;
    let mut reader = crate::report::csv::reader(&bytes);
    let malformed = |e: csv::Error| PackageError::part(&file)(std::io::Error::other(e));
    let header = reader.headers().map_err(malformed)?.clone();
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let cells: BTreeMap<String, String> =
            header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect();
        let cell = |name: &str| cells.get(name).cloned().unwrap_or_default();
        let (id, region) = (cell("id"), cell("region"));
        if !id.starts_with("unknown: there may be more") {
            rows.insert((region, id), cells);
        }
    }
    Ok(Some((rows, complete)))
}

fn populations(
    old: &mut OpenPackage,
    new: &mut OpenPackage,
    kind: &str,
    days: i64,
    changes: &mut Changes,
) -> Result<(), PackageError> {
    let (before, after) = match (rows(old, kind)?, rows(new, kind)?) {
        (Some(before), Some(after)) => (before, after),
        (None, None) => return Ok(()),
        (before, _) => {
            let which = if before.is_none() { "first" } else { "second" };
            changes.notes.push(format!("{kind}: the {which} package has no such population"));
            return Ok(());
        }
    };
    for (which, whole) in [("first", before.1), ("second", after.1)] {
        if !whole {
            changes.notes.push(format!(
                "{kind}: the population of the {which} package may not be whole; what is added or removed may have been there"
            ));
        }
    }
    let (before, after) = (before.0, after.0);
    let mut tell = |change, (region, id): &(String, String), field: &str, old: &str, new: &str| {
        changes.changes.push(Change {
            area: "population",
            change,
            of: kind.to_owned(),
            id: id.clone(),
            region: region.clone(),
            field: field.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
        });
    };
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        tell("removed", key, "", "", "");
    }
    for (key, cells) in &after {
        let Some(earlier) = before.get(key) else {
            tell("added", key, "", "", "");
            continue;
        };
        for (field, value) in cells.iter().filter(|(field, _)| field.as_str() != "evidence") {
            // A column that only one version has says nothing about the account.
            let Some(was) = earlier.get(field) else { continue };
            // Nothing is known before and after: that the reason differs is no change of the account.
            let unknown = |value: &str| value.starts_with("unknown: ");
            if was != value && !(unknown(was) && unknown(value)) && !is_only_older(field, was, value, days) {
                tell("changed", key, field, was, value);
            }
        }
    }
    Ok(())
}

/// Whether a number of days or hours grew by what lies between the packages, give or take one.
fn is_only_older(field: &str, was: &str, is: &str, days: i64) -> bool {
    let grown = match (was.parse::<i64>(), is.parse::<i64>()) {
        (Ok(was), Ok(is)) => is.saturating_sub(was),
        _ => return false,
    };
    (field.ends_with("_days") && grown.abs_diff(days) <= 1)
        || (field.ends_with("_hours") && grown.abs_diff(days.saturating_mul(24)) <= 24)
}

fn read(package: &mut OpenPackage) -> Result<Value, PackageError> {
    let bytes = package.read("findings.json")?;
    serde_json::from_slice(&bytes).map_err(|e| PackageError::part("findings.json")(e.into()))
}

fn list<'v>(json: &'v Value, member: &str) -> &'v [Value] {
    json[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_default().to_owned()
}

/// Statuses by check, resource and Region.
fn statuses(json: &Value) -> BTreeMap<(String, String, String), String> {
    let finding = |of: &Value| {
        let resource = &of["resource"];
        ((text(of, "check"), text(resource, "id"), text(resource, "region")), text(of, "status"))
    };
    list(json, "findings").iter().map(finding).collect()
}

fn findings(old: &Value, new: &Value, changes: &mut Changes) {
    let checks =
        |json: &Value| -> BTreeSet<String> { list(json, "checks").iter().map(|of| text(of, "check")).collect() };
    let (old_checks, new_checks) = (checks(old), checks(new));
    changes.checks_removed = old_checks.difference(&new_checks).cloned().collect();
    changes.checks_added = new_checks.difference(&old_checks).cloned().collect();
    for (checks, words) in [(&changes.checks_removed, "not made any more"), (&changes.checks_added, "not made before")]
    {
        match checks.len() {
            0 => {}
            1 => changes.notes.push(format!("a check was {words}, and is not compared: {}", checks.concat())),
            n => {
                let named = words::first(checks, NAMED);
                changes.notes.push(format!("{n} checks were {words}, and are not compared: {named}"));
            }
        }
    }
    let (before, after) = (statuses(old), statuses(new));
    let (gone, unknown) = ("not there".to_owned(), "unknown".to_owned());
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (check, id, region) = key;
        if !old_checks.contains(check) || !new_checks.contains(check) {
            continue;
        }
        let (was, is) = (before.get(key).unwrap_or(&gone), after.get(key).unwrap_or(&gone));
        // A resource that is not there may only not have been told: the check then says that there may be more.
        let untold =
            || after.get(&(check.clone(), String::new(), String::new())).is_some_and(|status| status == "unknown");
        let is = if *is == gone && untold() { &unknown } else { is };
        let change = match (was.as_str(), is.as_str()) {
            ("fail", "fail") => "persisting",
            (_, "fail") => "new",
            ("unknown", "unknown") => continue,
            // A failure of which nothing is known any more is not resolved.
            (_, "unknown") => "became-unknown",
            ("fail", _) => "resolved",
            _ => continue,
        };
        changes.changes.push(Change {
            area: "finding",
            change,
            of: check.clone(),
            id: id.clone(),
            region: region.clone(),
            field: String::new(),
            old: was.clone(),
            new: is.clone(),
        });
    }
}

fn requirements(old: &Value, new: &Value, changes: &mut Changes) {
    let of = |json: &Value| -> BTreeMap<(String, String), String> {
        let requirements = list(json, "requirements").iter();
        requirements.map(|of| ((text(of, "framework"), text(of, "requirement")), text(of, "status"))).collect()
    };
    let after = of(new);
    for (key, was) in of(old) {
        if let Some(is) = after.get(&key).filter(|is| **is != was) {
            changes.changes.push(Change {
                area: "requirement",
                change: "changed",
                of: key.0,
                id: key.1,
                region: String::new(),
                field: "status".to_owned(),
                old: was,
                new: is.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_only_older;

    #[test]
    fn growing_older_is_no_change_and_a_setting_is() {
        assert!(is_only_older("password_age_days", "10", "101", 91));
        assert!(!is_only_older("password_age_days", "10", "3", 91), "it was set anew");
        assert!(!is_only_older("password_max_age_days", "90", "365", 91));
        assert!(!is_only_older("active_keys", "1", "92", 91));
        assert!(!is_only_older("last_used_days", "", "3", 91));
    }
}
