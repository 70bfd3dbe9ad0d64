//! Packages of format version 1, made when it was fixed. They must verify forever.

mod common;

use common::{auditpack, run};
use serde_json::Value;
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/packages");

/// Every golden package, with its digest, and whether it is signed and stamped.
const PACKAGES: [(&str, &str, bool); 6] = [
    ("signed.zip", "40982f7921e899221f0cece7f3fc0c44a6a2e18193eb6303ca40ba389b6582e2", true),
    ("files.zip", "ce3d1da3a6a1fb10366a619ed5c421cbff01410d83f9663267dd4d39f83d7986", false),
    ("plain.zip", "34e13b4492aa8303230c7975ec66ada8c61ab9e19f6d1f2bf5fb703b591e091f", false),
    ("trail-logs.zip", "0dfbea5574f8816b2b3498c3bc7456ed071dd7b2e0087ccb24adc4e2cdb7b596", false),
    ("review.zip", "198aa47febbae55da27f163a2a5513b6a815434a7b5246c417890e23cf706dfc", false),
    ("everything.zip", "c05378d504e03b80100dbae5307b0b802a4397d619fea78c8dcf17bdf38aafc0", true),
];

fn verify(package: &str, more: &[&str]) -> (i32, Value) {
    let key = package.replace(".zip", ".pub.pem");
    let seals = ["--key", &key, "--timestamp-roots", "stamps.pem"];
    let sealed = PACKAGES.iter().any(|(name, _, sealed)| *name == package && *sealed);
    let seals: &[&str] = if sealed { &seals } else { &[] };
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

/// A version that makes texts otherwise still verifies them all: it exits with 0, and says what it cannot tell.
#[test]
fn every_golden_package_verifies_for_ever() {
    for (name, _, sealed) in PACKAGES {
        let more: &[&str] = if name == "everything.zip" { &["--review", "review.zip"] } else { &[] };
        let (code, report) = verify(name, more);
        assert_eq!(code, 0, "{name}: {report:#}");
        let verdict = report["verdict"].as_str().unwrap();
        assert_eq!(verdict.starts_with("authentic"), sealed, "{name}: {report:#}");
        // What AWS told, and what was found by the packaged controls, is derived by every version.
        for file in report["not_derived"].as_array().unwrap() {
            let file = file.as_str().unwrap();
            let never = ["evidence/", "raw/", "controls/", "manual/", "review/input/", "review/last/", "calls.csv"];
            assert!(!never.iter().any(|folder| file.starts_with(folder)), "{name}: {file}");
        }
        for kind in ["review", "corroboration"] {
            let step = report["steps"].as_array().unwrap().iter().find(|step| step["step"] == kind);
            assert!(step.is_none_or(|step| step["verdict"] == "ok"), "{name}: {report:#}");
        }
    }
}

/// The packages are of every kind that there is.
#[test]
fn there_is_a_golden_package_of_each_kind() {
    let manifest = |name: &str| auditpack::package::open(&Path::new(GOLDEN).join(name)).unwrap().manifest().clone();
    let all: Vec<_> = PACKAGES.iter().map(|(name, ..)| manifest(name)).collect();
    use auditpack::package::manifest::{Manifest, Source};
    type Shows = fn(&Manifest) -> bool;
    let kinds: [(&str, Shows); 9] = [
        ("unsigned", |m| m.seals.signed_by.is_none()),
        ("signed and stamped", |m| m.seals.signed_by.is_some() && m.seals.stamped_by.is_some()),
        ("from files", |m| m.source == Source::Files),
        ("with events of the event history", |m| {
            m.period.covered.iter().any(|c| c.source == "event-history" && c.events > 0)
        }),
        ("with trail logs", |m| m.period.covered.iter().any(|c| c.source == "trail-logs" && c.events > 0)),
        ("with exceptions and attached files", |m| !m.exceptions.is_empty() && !m.manual.is_empty()),
        ("with a review closed by it", |m| m.review.as_ref().is_some_and(|review| review.record.is_none())),
        ("with a copy of a review", |m| m.review.as_ref().is_some_and(|review| review.record.is_some())),
        ("with redactions", |m| !m.redactions.is_empty()),
    ];
    for (kind, is) in kinds {
        assert!(all.iter().any(is), "{kind}");
    }
}

/// A package of the first version is evaluated again by this one, and compared.
#[test]
fn its_evidence_and_verdicts_are_derived_again() {
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
    for (name, sum, _) in PACKAGES {
        let bytes = std::fs::read(Path::new(GOLDEN).join(name)).unwrap();
        assert_eq!(auditpack::evidence::digest::sha256(&bytes), sum, "{name}");
    }
}
