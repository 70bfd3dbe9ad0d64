//! The recorded accounts: what is recorded is what the synthetic AWS answers, and what a replay makes of it stays as it is.
//!
//! `AUDITPACK_WRITE_GOLDEN=1 cargo test --test fixtures` writes tests/golden anew, after a change that was meant.

mod common;

use common::{AS_OF, auditpack, collect, files, findings, package, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use synthetic_aws::{Account, BlockingServer, Options};
use tempfile::tempdir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn replay(name: &str, out: &Path) -> common::Ran {
    let mut command = auditpack();
    command.current_dir(out).arg("collect").arg("--replay").arg(fixture(name)).arg("--out").arg(out);
    run(&mut command)
}

/// All files below a folder. The log is without the port of the server, and in one order.
fn tree(dir: &Path) -> BTreeMap<String, String> {
    fn walk(dir: &Path, base: &Path, into: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, into);
                continue;
            }
            // Who ran what, where and when differs between runs, and is left out of the fixtures.
            if path.ends_with("custody.json") {
                continue;
            }
            let mut text = fs::read_to_string(&path).unwrap();
            if path.ends_with("calls.jsonl") {
                let mut lines: Vec<String> = text.lines().map(without_port).collect();
                lines.sort();
                text = lines.join("\n");
            }
            into.insert(path.strip_prefix(base).unwrap().display().to_string(), text);
        }
    }
    let mut files = BTreeMap::new();
    walk(dir, dir, &mut files);
    files
}

fn without_port(line: &str) -> String {
    let Some((before, after)) = line.split_once("127.0.0.1:") else { return line.to_owned() };
    format!("{before}127.0.0.1{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn the_fixtures_are_what_the_synthetic_aws_answers_today() {
    for (name, account) in [("example-corp", Account::rich()), ("example-clean", Account::clean())] {
        let server = BlockingServer::start(account, Options::default()).unwrap();
        let out = tempdir().unwrap();
        let ran = collect(&server, out.path(), &["--keep-work"]);
        assert!([0, 1].contains(&ran.code), "{}", ran.stderr);
        let work = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
        let (now, recorded) = (tree(&work.unwrap().join("recording")), tree(&fixture(name)));
        let differ: Vec<&String> =
            now.keys().chain(recorded.keys()).filter(|path| now.get(*path) != recorded.get(*path)).collect();
        assert!(differ.is_empty(), "fixtures/{name} is stale, run fixtures/record: {differ:?}");
    }
}

/// Every byte of both packages, by the checksums that they hold, and by that of the whole zip.
#[test]
fn the_packages_of_the_fixtures_stay_as_they_are() {
    for name in ["example-corp", "example-clean"] {
        let out = tempdir().unwrap();
        replay(name, out.path());
        let zip = package(out.path());
        let sum = |path: &str, bytes: &[u8]| format!("{}  {path}\n", auditpack::evidence::digest::sha256(bytes));
        let sums: String = files(&zip).iter().map(|(path, bytes)| sum(path, bytes)).collect();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.sha256"));
        let now = sums + &sum("PACKAGE.zip", &fs::read(&zip).unwrap());
        if std::env::var_os("AUDITPACK_WRITE_GOLDEN").is_some() {
            fs::write(&golden, &now).unwrap();
        }
        let before = fs::read_to_string(&golden).unwrap_or_default();
        let changed: Vec<&str> = now
            .lines()
            .filter(|line| !before.lines().any(|old| old == *line))
            .chain(before.lines().filter(|line| !now.lines().any(|new| new == *line)))
            .collect();
        assert!(
            changed.is_empty(),
            "the package of {name} changed; if it was meant to, AUDITPACK_WRITE_GOLDEN=1: {changed:#?}"
        );
    }
}

#[test]
fn in_the_clean_account_nothing_fails_but_the_review_that_nobody_showed_and_nothing_is_unknown() {
    let out = tempdir().unwrap();
    let ran = replay("example-clean", out.path());
    let bad: Vec<_> = findings(&files(&package(out.path())))
        .into_iter()
        .filter(|finding| !["pass", "not-applicable", "manual"].contains(&finding.1.as_str()))
        .collect();
    // A recording of AWS shows no review of access.
    let bad: Vec<&str> = bad.iter().map(|finding| finding.0.as_str()).collect();
    assert_eq!(bad, ["access-review-recent"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
}

/// The accounts are as large and as awkward as fixtures/README.md says.
#[test]
fn the_rich_account_is_rich() {
    let out = tempdir().unwrap();
    let ran = replay("example-corp", out.path());
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let files = files(&package(out.path()));
    let rows = |file: &str| {
        let text = String::from_utf8(files[&format!("populations/{file}")].clone()).unwrap();
        csv::Reader::from_reader(text.as_bytes()).records().count()
    };
    for (file, least) in
        [("users.csv", 40), ("roles.csv", 60), ("policies.csv", 25), ("trails.csv", 3), ("config-rules.csv", 30)]
    {
        assert!(rows(file) >= least, "{file}: {}", rows(file));
    }
    let events = files.iter().filter(|(path, _)| path.ends_with("/events.jsonl"));
    let events: usize =
        events.map(|(_, bytes)| bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()).sum();
    assert!(events >= 2_000, "{events}");
    assert!(ran.stdout.contains(AS_OF), "{}", ran.stdout);
    let secret = files.values().any(|bytes| bytes.windows(4).any(|window| window == b"FAKE"));
    assert!(!secret, "a session token is in the package");
}
