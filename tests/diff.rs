//! What changed between two packages, from two collections of an account that changed in between.

mod common;

use common::{auditpack, collect, package, run, server};
use std::path::{Path, PathBuf};
use synthetic_aws::Account;
use tempfile::{TempDir, tempdir};

fn collected(account: Account, faults: &[&str]) -> (TempDir, PathBuf) {
    let server = server(account, faults);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none"]);
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    let package = package(out.path());
    (out, package)
}

fn diff(old: &Path, new: &Path, format: &str) -> String {
    let ran = run(auditpack().arg("diff").arg(old).arg(new).args(["--format", format]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn what_appears_and_vanishes_is_told_in_every_format() {
    let (_a, clean) = collected(Account::clean(), &[]);
    let (_b, rich) = collected(Account::rich(), &[]);
    let json: serde_json::Value = serde_json::from_str(&diff(&clean, &rich, "json")).unwrap();
    let count = |name: &str| json["counts"][name].as_u64().unwrap_or(0);
    assert!(count("population added") > 50 && count("finding new") > 50, "{}", json["counts"]);
    let back: serde_json::Value = serde_json::from_str(&diff(&rich, &clean, "json")).unwrap();
    assert_eq!(back["counts"]["population removed"], json["counts"]["population added"]);
    // What an unknown hides is not resolved, and what fails anew is not told the other way round as mended unknown.
    assert!(back["counts"]["finding resolved"].as_u64() > Some(50), "{}", back["counts"]);
    let text = diff(&clean, &rich, "text");
    assert!(text.contains("New failures (") && text.contains("Added resources ("), "{text}");
    assert!(diff(&clean, &rich, "markdown").starts_with("# From 2026-10-01T09:00:00Z"));
    assert!(diff(&clean, &rich, "csv").contains("population,added,iam.user,"));
}

#[test]
fn nothing_changed_and_what_is_denied_is_unknown_and_not_resolved() {
    let (_a, rich) = collected(Account::rich(), &[]);
    let same: serde_json::Value = serde_json::from_str(&diff(&rich, &rich, "json")).unwrap();
    let changes = same["changes"].as_array().unwrap();
    assert!(!changes.is_empty() && changes.iter().all(|change| change["change"] == "persisting"));
    let (_b, denied) = collected(Account::rich(), &["deny:iam:GetAccountAuthorizationDetails"]);
    let json: serde_json::Value = serde_json::from_str(&diff(&rich, &denied, "json")).unwrap();
    assert!(json["notes"].to_string().contains("may not be whole"), "{}", json["notes"]);
    let resolved = json["changes"].as_array().unwrap().iter().filter(|change| change["change"] == "resolved");
    let roles: Vec<_> = resolved.filter(|change| change["id"].to_string().contains(":role/")).collect();
    assert!(roles.is_empty(), "nothing is known of roles: {roles:#?}");
    assert!(json["counts"]["finding became-unknown"].as_u64() > Some(0), "{}", json["counts"]);
}
