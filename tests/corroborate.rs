//! `verify --corroborate`: the package's own calls in AWS's record of them.

mod common;

use common::{auditpack, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-clean");

static PACKAGE: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let package = dir.path().join("p.zip");
    let ran = run(auditpack().args(["collect", "--quiet", "--replay", FIXTURE, "--out"]).arg(&package));
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    (dir, package)
});

/// What a trail records of each of the package's requests, and of others around them.
fn records() -> Vec<Value> {
    let mut text = String::new();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&PACKAGE.1).unwrap()).unwrap();
    zip.by_name("raw/calls.jsonl").unwrap().read_to_string(&mut text).unwrap();
    let record = |id: &str, operation: &str, region: &str, time: &str| {
        let (service, name) = operation.split_once(':').unwrap();
        let service = if service == "configservice" { "config" } else { service };
        json!({"eventVersion": "1.11", "eventID": id, "requestID": id, "eventTime": time, "eventName": name,
            "eventSource": format!("{service}.amazonaws.com"), "awsRegion": region, "readOnly": true,
            "recipientAccountId": "111122223333",
            "userIdentity": {"arn": "arn:aws:sts::111122223333:assumed-role/AuditpackReader/auditor"}})
    };
    let mut records = Vec::new();
    let mut regions = BTreeSet::from(["us-east-1".to_owned()]);
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let id = entry["response"]["headers"]["x-amzn-requestid"].as_str().unwrap();
        let region = entry["region"].as_str().unwrap_or("us-east-1");
        regions.insert(region.to_owned());
        records.push(record(id, entry["operation"].as_str().unwrap(), region, "2026-10-01T08:59:59Z"));
    }
    for region in regions {
        for time in ["2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"] {
            records.push(record(&format!("other-{region}-{time}"), "s3:ListBuckets", &region, time));
        }
    }
    records
}

fn corroborate(export: &Path) -> (i32, Value) {
    let ran =
        run(auditpack().arg("verify").arg(&PACKAGE.1).args(["--json", "--no-derivation", "--corroborate"]).arg(export));
    (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr)))
}

fn step(report: &Value) -> &Value {
    report["steps"].as_array().unwrap().iter().find(|step| step["step"] == "corroboration").unwrap()
}

/// The export as log files of a trail.
fn log_files(records: &[Value]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("AWSLogs/111122223333/CloudTrail/us-east-1/2026/10/01");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(dir.path().join("AWSLogs/digest.json"), r#"{"awsAccountId": "111122223333", "logFiles": []}"#)
        .unwrap();
    for (n, some) in records.chunks(40).enumerate() {
        let name = format!("111122223333_CloudTrail_us-east-1_20261001T09{n:02}Z_abcdefghijklmnop.json.gz");
        let mut gz =
            flate2::write::GzEncoder::new(std::fs::File::create(folder.join(name)).unwrap(), Default::default());
        gz.write_all(&serde_json::to_vec(&json!({ "Records": some })).unwrap()).unwrap();
        gz.finish().unwrap();
    }
    dir
}

#[test]
fn calls_that_aws_recorded_are_confirmed_from_any_kind_of_export() {
    let records = records();
    let (code, report) = corroborate(log_files(&records).path());
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("ok")), "{report:#}");
    let confirmed: u64 =
        report["corroboration"].as_array().unwrap().iter().map(|c| c["confirmed"].as_u64().unwrap()).sum();
    assert!(
        step(&report)["says"].as_str().unwrap().contains(&format!("its own log confirms {confirmed} (")),
        "{report:#}"
    );
    assert!(report["says"].as_str().unwrap().contains("AWS's own log confirms the calls"));
    // What `aws cloudtrail lookup-events` prints, and a record on each line.
    let dir = tempfile::tempdir().unwrap();
    let events: Vec<Value> =
        records.iter().map(|r| json!({"EventId": "x", "CloudTrailEvent": r.to_string()})).collect();
    let printed = dir.path().join("lookup-events.json");
    std::fs::write(&printed, json!({ "Events": events }).to_string()).unwrap();
    let lines = dir.path().join("events.jsonl");
    std::fs::write(&lines, records.iter().map(|r| format!("{r}\n")).collect::<String>()).unwrap();
    for export in [&printed, &lines] {
        let (code, again) = corroborate(export);
        assert_eq!((code, &again["corroboration"]), (0, &report["corroboration"]), "{again:#}");
    }
}

#[test]
fn calls_that_aws_does_not_know_are_named() {
    let mut records = records();
    let at = records.iter().position(|r| r["eventName"] == "GetAccountAuthorizationDetails").unwrap();
    let lost = records.remove(at)["requestID"].as_str().unwrap().to_owned();
    let (code, report) = corroborate(log_files(&records).path());
    assert_eq!((code, &report["verdict"]), (5, &Value::from("not corroborated")), "{report:#}");
    let what = step(&report)["problems"][0]["what"].as_str().unwrap();
    assert!(what.contains("iam:GetAccountAuthorizationDetails") && what.contains(&lost), "{what}");
    assert_eq!(step(&report)["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn what_the_export_cannot_hold_is_no_complaint() {
    // Write events only, another time, or nothing settled yet: nothing is confirmed and nothing denied.
    let records = records();
    let others: Vec<Value> = records.iter().filter(|r| r["eventName"] == "ListBuckets").cloned().collect();
    let early: Vec<Value> = others.iter().filter(|r| r["eventTime"] == "2026-10-01T00:00:00Z").cloned().collect();
    let (code, report) = corroborate(log_files(&early).path());
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("not-checked")), "{report:#}");
    assert!(report["says"].as_str().unwrap().contains("AWS's own log confirms no call"));
    // One Region's log is missing.
    let one: Vec<Value> = records.iter().filter(|r| r["awsRegion"] == "us-east-1").cloned().collect();
    let (code, report) = corroborate(log_files(&one).path());
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("in-part")), "{report:#}");
}

#[test]
fn an_event_that_says_something_else_is_named() {
    for (member, value, expected) in [
        ("eventName", json!("DeleteUser"), "for DeleteUser of iam.amazonaws.com"),
        ("recipientAccountId", json!("999988887777"), "for another account"),
        (
            "eventTime",
            json!("2026-10-01T10:00:00Z"),
            "at 2026-10-01T10:00:00Z, and the package says 2026-10-01T09:00:00Z",
        ),
        ("userIdentity", json!({"arn": "arn:aws:iam::111122223333:user/x"}), "by arn:aws:iam::111122223333:user/x"),
    ] {
        let mut records = records();
        let of = records.iter_mut().find(|r| r["eventName"] == "GetAccountSummary").unwrap();
        of[member] = value;
        let (code, report) = corroborate(log_files(&records).path());
        let told = step(&report)["problems"].to_string();
        assert!(code == 5 && told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn an_export_that_cannot_be_read_is_told() {
    let dir = log_files(&records());
    std::fs::write(dir.path().join("broken.json"), "{\"Records\": [").unwrap();
    std::fs::write(dir.path().join("odd.json"), r#"{"Records": [7]}"#).unwrap();
    let (code, report) = corroborate(dir.path());
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("in-part")), "{report:#}");
    let told = step(&report)["problems"].to_string();
    assert!(
        told.contains("broken.json: it holds no CloudTrail events") && told.contains("odd.json: 1 of its records"),
        "{told}"
    );
    let ran = run(auditpack().arg("verify").arg(&PACKAGE.1).args(["--no-derivation", "--corroborate", "/nonexistent"]));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}
