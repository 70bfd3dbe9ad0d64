//! Events from a trail's log files instead of the event history: validated, packed, and rebuilt from the package.

mod common;

use common::{auditpack, collect, files, findings, json, package, run, server};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use synthetic_aws::{Account, BlockingServer};
use tempfile::{TempDir, tempdir};

/// Three days, and some hours more on either side.
const PERIOD: [&str; 4] = ["--from", "2026-09-26T00:00:00Z", "--to", "2026-09-28T23:59:59Z"];
const TABLE: &str = "evidence/cloudtrail/trail-logs.csv";
const SUMMARY: &str = "evidence/cloudtrail/trail-logs.json";

struct Bucket {
    server: BlockingServer,
    dir: TempDir,
}

impl Bucket {
    fn of(mut account: Account) -> Self {
        let dir = tempdir().unwrap();
        let trail = account.trails[0].name.clone();
        let time = |text: &str| text.parse().unwrap();
        let span = (time("2026-09-25T12:00:00Z"), time("2026-09-29T12:00:00Z"));
        synthetic_aws::bucket::deliver(&mut account, &trail, span.0, span.1, dir.path()).unwrap();
        Self { server: server(account, &[]), dir }
    }

    fn collect(&self, out: &Path, more: &[&str]) -> common::Ran {
        let dir = self.dir.path().to_str().unwrap();
        let mut args = vec!["--trail-logs", dir];
        args.extend(PERIOD);
        args.extend(more);
        collect(&self.server, out, &args)
    }

    /// The files below the folder whose path holds all of some texts, sorted.
    fn find(&self, texts: &[&str]) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = walk(self.dir.path())
            .into_iter()
            .filter(|path| texts.iter().all(|text| path.to_str().unwrap().contains(text)))
            .collect();
        found.sort();
        assert!(!found.is_empty(), "{texts:?}");
        found
    }
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn statuses(summary: &Value) -> BTreeMap<String, u64> {
    let mut statuses = BTreeMap::new();
    for file in summary["files"].as_array().unwrap().iter().filter(|file| file["in_scope"] == true) {
        *statuses.entry(format!("{} {}", file["kind"], file["status"]).replace('"', "")).or_default() += 1;
    }
    statuses
}

fn event_ids(jsonl: &[u8]) -> Vec<String> {
    let lines = jsonl.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()["eventID"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_untouched_bucket_gives_the_events_of_the_event_history_and_a_proven_table() {
    let bucket = Bucket::of(Account::clean());
    let (from_logs, from_history) = (tempdir().unwrap(), tempdir().unwrap());
    let ran = bucket.collect(from_logs.path(), &[]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Trail logs") && ran.stdout.contains("all valid"), "{}", ran.stdout);
    assert_eq!(bucket.server.stats().requests_to("cloudtrail", "LookupEvents"), 0);
    assert!(bucket.server.stats().requests_to("cloudtrail", "ListPublicKeys") > 0);
    collect(&bucket.server, from_history.path(), &PERIOD);
    let (logs, history) = (files(&package(from_logs.path())), files(&package(from_history.path())));
    for region in ["us-east-1", "eu-west-1"] {
        let path = format!("evidence/{region}/cloudtrail/events.jsonl");
        assert!(!event_ids(&logs[&path]).is_empty());
        assert_eq!(event_ids(&logs[&path]), event_ids(&history[&path]), "{region}");
    }
    let events = |files: &BTreeMap<String, Vec<u8>>| -> Vec<_> {
        findings(files).into_iter().filter(|finding| finding.0.contains("root")).collect()
    };
    assert_eq!(events(&logs), events(&history));
    let summary = json(&logs, SUMMARY);
    assert_eq!(summary["verdict"], "proven", "{}", summary["reasons"]);
    assert!(statuses(&summary).keys().all(|status| status.ends_with(" valid")), "{:?}", statuses(&summary));
    let table = String::from_utf8(logs[TABLE].clone()).unwrap();
    assert_eq!(table.lines().count(), 1 + summary["files"].as_array().unwrap().len());
    let manifest = json(&logs, "manifest.json");
    let covered = &manifest["period"]["covered"];
    assert!(
        covered.as_array().unwrap().iter().all(|c| c["source"] == "trail-logs" && c["complete"] == true),
        "{covered}"
    );
    let page = String::from_utf8(logs["report.html"].clone()).unwrap();
    assert!(page.contains("Log files of the trail") && page.contains("trail-logs.csv"));
}

#[test]
fn the_package_is_rebuilt_from_its_own_copy_of_the_logs() {
    let mut bucket = Bucket::of(Account::rich());
    let out = tempdir().unwrap();
    bucket.collect(out.path(), &["--fail-on", "none"]);
    let first = package(out.path());
    // The folder may change afterwards, and go.
    bucket.dir = tempdir().unwrap();
    let again = tempdir().unwrap();
    let mut command = auditpack();
    command.args(["collect", "--fail-on", "none", "--replay"]).arg(&first).arg("--out").arg(again.path());
    let ran = run(&mut command);
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    assert!(std::fs::read(&first).unwrap() == std::fs::read(package(again.path())).unwrap(), "the packages differ");
    let ran = run(auditpack().arg("verify").arg(&first));
    assert_ne!(ran.code, 5, "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn session_tokens_in_log_files_are_written_nowhere_and_the_chain_is_still_proven() {
    let bucket = Bucket::of(Account::rich());
    let tokens = |bytes: &[u8]| {
        let mut text = String::new();
        if GzDecoder::new(bytes).read_to_string(&mut text).is_err() {
            text = String::from_utf8_lossy(bytes).into_owned();
        }
        text.contains("\"sessionToken\":\"FAKE") as u64
    };
    let before: u64 = bucket.find(&["CloudTrail_"]).iter().map(|path| tokens(&std::fs::read(path).unwrap())).sum();
    assert!(before > 0, "the account has no session tokens to find");
    let out = tempdir().unwrap();
    bucket.collect(out.path(), &[]);
    let files = files(&package(out.path()));
    for (path, bytes) in &files {
        assert_eq!(tokens(bytes), 0, "{path}");
    }
    let manifest = json(&files, "manifest.json");
    let redactions = manifest["redactions"].as_array().unwrap();
    let of_logs =
        redactions.iter().filter(|r| r["file"].as_str().unwrap().starts_with("raw/trail-logs/")).count() as u64;
    assert!(of_logs > 0, "{redactions:#?}");
    let summary = json(&files, SUMMARY);
    assert_eq!(summary["verdict"], "proven", "{}", summary["reasons"]);
}

/// What is done to the folder, the verdict, and the status that must be in the table.
type Alteration = (&'static str, fn(&Bucket), &'static str, &'static str);

#[test]
fn an_altered_bucket_is_a_gap_and_exit_3_and_no_pass() {
    let alterations: [Alteration; 8] = [
        (
            "newest digest deleted",
            |b| remove(b.find(&["CloudTrail-Digest_eu-west-1", "20260929T"])),
            "not-proven",
            "digest not-proven",
        ),
        ("all digests deleted", |b| remove(b.find(&["CloudTrail-Digest"])), "not-proven", "log not-covered"),
        (
            "one log deleted",
            |b| remove(vec![b.find(&["CloudTrail_eu-west-1_20260927"])[0].clone()]),
            "invalid",
            "log missing",
        ),
        ("one log altered", |b| alter(&b.find(&["CloudTrail_eu-west-1_20260927"])[0]), "invalid", "log invalid"),
        (
            "one digest altered",
            |b| alter(&b.find(&["CloudTrail-Digest_eu-west-1", "20260927T"])[0]),
            "invalid",
            "digest invalid",
        ),
        (
            "one digest deleted",
            |b| remove(vec![b.find(&["CloudTrail-Digest_eu-west-1", "20260927T"])[0].clone()]),
            "invalid",
            "digest missing",
        ),
        (
            "a log that no digest lists",
            |b| {
                let log = &b.find(&["CloudTrail_eu-west-1_20260927"])[0];
                let name = log.file_name().unwrap().to_str().unwrap().replace(".json.gz", "0.json.gz");
                std::fs::copy(log, log.with_file_name(name)).unwrap();
            },
            "not-proven",
            "log not-covered",
        ),
        ("a Region without a trace", |b| remove(b.find(&["/eu-west-1/"])), "not-proven", ""),
    ];
    let bucket = Bucket::of(Account::clean());
    for (what, act, verdict, status) in alterations {
        let copy = Bucket { dir: tempdir().unwrap(), server: server(Account::clean(), &[]) };
        for path in walk(bucket.dir.path()) {
            let to = copy.dir.path().join(path.strip_prefix(bucket.dir.path()).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&path, to).unwrap();
        }
        act(&copy);
        let out = tempdir().unwrap();
        // The keys are the first server's.
        let altered = Bucket { dir: copy.dir, server: copy.server };
        let dir = altered.dir.path().to_str().unwrap();
        let mut args = vec!["--trail-logs", dir];
        args.extend(PERIOD);
        let ran = collect(&bucket.server, out.path(), &args);
        assert_eq!(ran.code, 3, "{what}: {}\n{}", ran.stdout, ran.stderr);
        let files = files(&package(out.path()));
        let summary = json(&files, SUMMARY);
        assert_eq!(summary["verdict"], verdict, "{what}: {}", summary["reasons"]);
        if !status.is_empty() {
            assert!(statuses(&summary).contains_key(status), "{what}: {:?}", statuses(&summary));
        }
        let gaps = json(&files, "manifest.json")["gaps"].to_string();
        assert!(gaps.contains("LookupEvents in eu-west-1") && gaps.contains("do not prove"), "{what}: {gaps}");
        assert!(!gaps.contains("LookupEvents in us-east-1") || what.starts_with("all"), "{what}: {gaps}");
        for (check, status, _, message) in findings(&files) {
            if check == "root-no-events" {
                assert_eq!(status, "unknown", "{what}: {check}: {message}");
            }
        }
    }
}

fn remove(paths: Vec<PathBuf>) {
    paths.iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

/// Changes one letter of the content, and compresses it again.
fn alter(path: &Path) {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text.replacen("eu-west-1", "eu-west-2", 1).as_bytes()).unwrap();
    encoder.finish().unwrap();
}

#[test]
fn keys_from_files_need_no_call_and_wrong_ones_prove_nothing() {
    let bucket = Bucket::of(Account::clean());
    let other = Bucket::of(Account::clean());
    let keys = tempdir().unwrap();
    let write = |of: &Bucket| {
        // What `aws cloudtrail list-public-keys` prints is in a package.
        let out = tempdir().unwrap();
        of.collect(out.path(), &[]);
        let files = files(&package(out.path()));
        let path = keys.path().join("keys.json");
        std::fs::write(&path, &files["evidence/us-east-1/cloudtrail/list-public-keys.json"]).unwrap();
        path
    };
    for (of, code) in [(&bucket, 0), (&other, 3)] {
        let path = write(of);
        let before = bucket.server.stats().requests_to("cloudtrail", "ListPublicKeys");
        let out = tempdir().unwrap();
        let ran = bucket.collect(out.path(), &["--trail-keys", path.to_str().unwrap()]);
        assert_eq!(ran.code, code, "{}\n{}", ran.stdout, ran.stderr);
        let files = files(&package(out.path()));
        assert!(files.contains_key("raw/trail-logs/keys/0.json"));
        let after = bucket.server.stats().requests_to("cloudtrail", "ListPublicKeys");
        assert_eq!(after, before);
        if code == 3 {
            assert!(statuses(&json(&files, SUMMARY)).keys().all(|status| status.ends_with("not-proven")));
        }
    }
}

#[test]
fn a_trail_that_records_only_some_management_events_proves_no_absence() {
    let mut account = Account::clean();
    account.trails[0].selectors = synthetic_aws::account::trail::Selectors::Basic(serde_json::json!([
        {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "DataResources": [], "ExcludeManagementEventSources": []}
    ]));
    let bucket = Bucket::of(account);
    let out = tempdir().unwrap();
    bucket.collect(out.path(), &["--fail-on", "none"]);
    let files = files(&package(out.path()));
    assert_eq!(json(&files, SUMMARY)["verdict"], "proven");
    let gaps = json(&files, "manifest.json")["gaps"].to_string();
    assert!(gaps.contains("does not record all management events"), "{gaps}");
}

#[test]
fn the_chain_of_a_trail_that_the_account_does_not_list_proves_nothing_of_the_period() {
    let mut bucket = Bucket::of(Account::clean());
    let mut account = Account::clean();
    let keys = bucket.dir.path().join("keys.json");
    let out = tempdir().unwrap();
    bucket.collect(out.path(), &[]);
    let listed = &files(&package(out.path()))["evidence/us-east-1/cloudtrail/list-public-keys.json"];
    std::fs::write(&keys, listed).unwrap();
    account.trails[0].name = "successor".into();
    bucket.server = server(account, &[]);
    let out = tempdir().unwrap();
    let ran = bucket.collect(out.path(), &["--trail-keys", keys.to_str().unwrap()]);
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    let summary = json(&files(&package(out.path())), SUMMARY);
    assert_eq!(summary["verdict"], "not-proven");
    let reasons = summary["reasons"].to_string();
    for region in ["us-east-1", "eu-west-1"] {
        let reason = format!("no digest of trail successor for account 111122223333 in {region}");
        assert!(reasons.contains(&reason), "{reasons}");
    }
}

#[test]
fn what_is_wrong_with_the_arguments_is_told_before_anything_is_asked() {
    let server = server(Account::clean(), &[]);
    let out = tempdir().unwrap();
    let bad_keys = out.path().join("keys.json");
    std::fs::write(&bad_keys, "{}").unwrap();
    let dir = out.path().to_str().unwrap();
    for args in [
        vec!["--trail-logs", "/nonexistent/folder"],
        vec!["--trail-logs", dir, "--trail-keys", bad_keys.to_str().unwrap()],
        vec!["--trail-logs", dir, "--events", "none"],
        vec!["--trail-logs", dir, "--resource", "x"],
        vec!["--trail-keys", bad_keys.to_str().unwrap()],
    ] {
        let ran = collect(&server, out.path(), &args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
    }
    assert_eq!(server.stats().requests, 0);
}
