//! Packages of format version 1, made when it was fixed. They must verify forever.

mod common;

use common::{auditpack, run};
use serde_json::Value;
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/packages");

fn verify(package: &str, more: &[&str]) -> (i32, Value) {
    let seals = ["--key", "signed.pub.pem", "--timestamp-roots", "stamps.pem"];
    let seals: &[&str] = if package == "signed.zip" { &seals } else { &[] };
    let ran = run(auditpack().current_dir(GOLDEN).args(["verify", package, "--json"]).args(seals).args(more));
    (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr)))
}

fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap()
}

#[test]
fn a_package_of_the_first_version_is_intact_and_authentic() {
    let (code, report) = verify("signed.zip", &["--no-derivation"]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("authentic")), "{report:#}");
    for name in ["container", "digests", "recording", "pages", "redactions", "consistency", "signature", "time stamp"] {
        assert_eq!(step(&report, name)["verdict"], "ok", "{name}: {report:#}");
    }
    assert_eq!(report["manifest_sha256"], "9e2f419aecafdb78f4da1ab1350cc332ad00cb037ae2ae332eabd4b99d6365ff");
    assert_eq!(report["time_stamp"]["time"], "2026-11-28T05:27:21Z");
}

/// Reports may be laid out otherwise by now. What AWS told, and what was found by the packaged controls, may not differ.
#[test]
fn its_evidence_and_verdicts_are_derived_again() {
    let (_, report) = verify("signed.zip", &[]);
    let problems = step(&report, "derivation")["problems"].as_array().unwrap();
    for problem in problems {
        let file = problem["file"].as_str().unwrap();
        let same = ["evidence/", "raw/", "controls/", "manual/"];
        assert!(!same.iter().any(|folder| file.starts_with(folder)), "{problem}");
    }
    let dir = tempfile::tempdir().unwrap();
    let again = dir.path().join("again.zip");
    let ran = run(auditpack()
        .current_dir(GOLDEN)
        .args(["collect", "--quiet", "--replay", "signed.zip", "--out"])
        .arg(&again));
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    let ran = run(auditpack().current_dir(GOLDEN).args(["diff", "signed.zip", "--format", "json"]).arg(&again));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let changes: Value = serde_json::from_str(&ran.stdout).unwrap();
    let populations: Vec<&Value> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["area"] == "population" && c["change"] == "removed")
        .collect();
    assert!(populations.is_empty(), "{populations:#?}");
}

#[test]
fn a_package_from_files_is_intact_and_says_what_it_cannot_show() {
    let (code, report) = verify("files.zip", &[]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("intact, not derivable, origin not proven")), "{report:#}");
    for name in ["recording", "derivation", "signature", "time stamp"] {
        assert_eq!(step(&report, name)["verdict"], "not-applicable", "{name}: {report:#}");
    }
}

#[test]
fn golden_packages_are_never_made_again() {
    let sums: String = ["signed.zip", "files.zip"]
        .iter()
        .map(|name| auditpack::evidence::digest::sha256(&std::fs::read(Path::new(GOLDEN).join(name)).unwrap()) + "\n")
        .collect();
    assert_eq!(
        sums,
        "40982f7921e899221f0cece7f3fc0c44a6a2e18193eb6303ca40ba389b6582e2\nce3d1da3a6a1fb10366a619ed5c421cbff01410d83f9663267dd4d39f83d7986\n"
    );
}
