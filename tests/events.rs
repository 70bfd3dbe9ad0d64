//! The event history: filters, slices, lanes, pacing, and what each Region states.

mod common;

use common::{AS_OF, collect, files, findings, json, package, server};
use serde_json::Value;
use std::collections::BTreeMap;
use synthetic_aws::{Account, BlockingServer, Fault, Options, Quotas, Scale};
use tempfile::tempdir;

fn records(files: &BTreeMap<String, Vec<u8>>, region: &str) -> Vec<Value> {
    let jsonl = &files[&format!("evidence/{region}/cloudtrail/events.jsonl")];
    let lines = jsonl.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn scaled(events: u64, regions: &[&str]) -> Account {
    let regions = regions.iter().map(|region| (*region).to_owned()).collect();
    Account::scaled(&Scale { users: 3, roles: 3, policies: 3, events, regions })
}

#[test]
fn a_filter_cuts_the_work_is_declared_and_leaves_what_rests_on_all_events_unknown() {
    let whole = {
        let server = server(Account::rich(), &[]);
        let out = tempdir().unwrap();
        collect(&server, out.path(), &["--fail-on", "none"]);
        (server.stats().requests_to("cloudtrail", "LookupEvents"), files(&package(out.path())))
    };
    let all = records(&whole.1, "us-east-1");
    let arn = "arn:aws:iam::111122223333:role/CE-DevOps";
    let name = |event: &Value| event["eventName"].as_str().unwrap().to_owned();
    type Wanted<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(Vec<&str>, &str, Option<Wanted<'_>>)> = vec![
        (vec!["--events", "write"], "--events write", Some(Box::new(|e| e["readOnly"] != true))),
        (vec!["--event-name", "AssumeRole"], "AssumeRole", Some(Box::new(|e| name(e) == "AssumeRole"))),
        (
            vec!["--event-name", "ConsoleLogin,StopLogging"],
            "ConsoleLogin",
            Some(Box::new(|e| ["ConsoleLogin", "StopLogging"].contains(&name(e).as_str()))),
        ),
        (
            vec!["--event-name", "StopLogging,AssumeRole", "--events", "write"],
            "--events write",
            Some(Box::new(|e| name(e) == "StopLogging")),
        ),
        (vec!["--resource", arn], "CE-DevOps", None),
        (vec!["--resource", arn, "--event-name", "StopLogging"], "CE-DevOps", Some(Box::new(|_| false))),
    ];
    for (args, words, wanted) in cases {
        let server = server(Account::rich(), &[]);
        let out = tempdir().unwrap();
        let mut with = vec!["--fail-on", "none"];
        with.extend(&args);
        let ran = collect(&server, out.path(), &with);
        assert_eq!(ran.code, 3, "{args:?}: {}", ran.stderr);
        assert!(server.stats().requests_to("cloudtrail", "LookupEvents") < whole.0, "{args:?} cuts no work");
        let files = files(&package(out.path()));
        let found = records(&files, "us-east-1");
        match wanted {
            Some(wanted) => {
                // Service events do not say whether they read; AWS does not list them as writes.
                let mut expected: Vec<Value> = all.iter().filter(|e| wanted(e)).cloned().collect();
                if args.contains(&"write") {
                    expected.retain(|e| e["readOnly"] == false);
                }
                assert_eq!(found, expected, "{args:?}");
            }
            None => assert!(!found.is_empty() && found.iter().all(|e| e.to_string().contains("CE-DevOps")), "{args:?}"),
        }
        let exclusions = json(&files, "manifest.json")["exclusions"].to_string();
        assert!(exclusions.contains(words), "{args:?}: {exclusions}");
        let page = String::from_utf8(files["report.html"].clone()).unwrap();
        assert!(page.contains("Filtered on request") && ran.stdout.contains("only events"), "{args:?}");
        for (check, status, _, message) in findings(&files).iter().filter(|f| f.0 == "root-no-events") {
            assert_eq!(status, "unknown", "{args:?}: {check}: {message}");
        }
    }
}

#[test]
fn no_events_are_asked_for_on_request_and_nothing_that_rests_on_them_passes() {
    let server = server(Account::clean(), &[]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--events", "none"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert_eq!(server.stats().requests_to("cloudtrail", "LookupEvents"), 0);
    let files = files(&package(out.path()));
    assert!(json(&files, "manifest.json")["exclusions"].to_string().contains("--events none"));
    assert!(findings(&files).iter().any(|f| f.0 == "root-no-events" && f.1 == "unknown"));
}

/// What is counted of one Region in the manifest.
fn covered(files: &BTreeMap<String, Vec<u8>>, region: &str) -> Value {
    let manifest = json(files, "manifest.json");
    let covered = manifest["period"]["covered"].as_array().unwrap().iter().find(|c| c["region"] == region).cloned();
    covered.unwrap()
}

#[test]
fn a_busy_region_is_read_in_slices_and_lanes_each_event_once_in_order() {
    let server = server(scaled(30_000, &["us-east-1"]), &["invalid-token:cloudtrail:LookupEvents:nth=7"]);
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none", "--no-pacing"]);
    let files = files(&package(out.path()));
    let events = records(&files, "us-east-1");
    assert_eq!(events.len(), 30_000, "{}", ran.stderr);
    assert!(events.windows(2).all(|two| two[0]["eventTime"].as_str() <= two[1]["eventTime"].as_str()));
    let covered = covered(&files, "us-east-1");
    let slices = covered["slices"].as_array().unwrap();
    assert!(slices.len() > 5 && slices.iter().all(|slice| slice["complete"] == true), "{covered}");
    let count: u64 = slices.iter().map(|slice| slice["events"].as_u64().unwrap()).sum();
    assert_eq!(count, 30_000, "each slice says how many events it gave");
    assert_eq!(slices.iter().map(|slice| slice["restarts"].as_u64().unwrap()).sum::<u64>(), 1);
    let ran = common::run(common::auditpack().arg("verify").arg(package(out.path())));
    assert_ne!(ran.code, 5, "{}\n{}", ran.stdout, ran.stderr);
    // The token that expired cost its own slice, not the rest.
    let pages = server.stats().requests_to("cloudtrail", "LookupEvents");
    assert!(pages < 600 + 60 + slices.len() as u64, "{pages} requests");
    for two in slices.windows(2) {
        let (newer, older) = (two[0]["from"].as_str().unwrap(), two[1]["to"].as_str().unwrap());
        assert!(older < newer, "slices do not overlap, newest first: {older} {newer}");
    }
}

/// With AWS's quotas enforced, a run is hardly ever throttled; and where an answer takes longer than the half second that
/// AWS's limit leaves for it, pages are asked for side by side, as one chain of them would be slower than the limit. How near
/// a run comes to the bound is measured by `cargo bench --bench collection -- pace`.
#[test]
fn a_run_asks_side_by_side_and_is_hardly_throttled() {
    let account = scaled(4_000, &["us-east-1"]);
    let options = Options {
        quotas: Quotas::aws(),
        faults: vec!["delay=700:cloudtrail:LookupEvents".parse::<Fault>().unwrap()],
        credential_report_polls: Some(0),
        ..Options::default()
    };
    let server = BlockingServer::start(account, options).unwrap();
    let out = tempdir().unwrap();
    let ran = collect(&server, out.path(), &["--fail-on", "none"]);
    assert!(ran.code == 0 || ran.code == 3, "{}", ran.stderr);
    let stats = server.stats();
    assert!(stats.throttled <= 5, "throttled {} times", stats.throttled);
    let at_once = stats.most_at_once("cloudtrail", "LookupEvents");
    assert!((2..=4).contains(&at_once), "{at_once} at once");
}

#[test]
fn the_plan_is_told_first_then_how_far_each_region_is() {
    let server = server(scaled(400, &["us-east-1", "eu-west-1"]), &[]);
    let out = tempdir().unwrap();
    let mut command = common::auditpack();
    let command = common::with_credentials(&mut command)
        .args(["collect", "--as-of", AS_OF, "--endpoint-url", &server.endpoint(), "--fail-on", "none", "--out"])
        .arg(out.path());
    let ran = common::run(command);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].starts_with("plan: ") && lines[0].contains("12,000 events a minute"), "{}", ran.stderr);
    for region in ["us-east-1", "eu-west-1"] {
        assert!(lines.iter().any(|line| line.contains(&format!("events in {region}: "))), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains('\u{1b}'), "plain lines where there is no terminal");
}

/// What is asked stands in the run, so that a recording is replayed with the slices that it was made with, whichever a
/// later version of the program cuts.
#[test]
fn a_recording_is_replayed_with_the_slices_that_it_was_made_with() {
    let server = server(scaled(3_000, &["us-east-1"]), &[]);
    let out = tempdir().unwrap();
    let options = ["--fail-on", "none", "--no-pacing", "--keep-work"];
    collect(&server, out.path(), &options);
    let usual = covered(&files(&package(out.path())), "us-east-1")["slices"].as_array().unwrap().len();
    let work = std::fs::read_dir(out.path()).unwrap().map(|e| e.unwrap().path()).find(|path| path.is_dir()).unwrap();
    // The same run as a version would have begun it that cuts shorter slices.
    let run_file = work.join("recording/run.json");
    let mut run: Value = serde_json::from_slice(&std::fs::read(&run_file).unwrap()).unwrap();
    assert!(run["slicing"]["first_seconds"].is_u64(), "a run states how it asks: {run}");
    run["slicing"] = serde_json::json!({"first_seconds": 3_600, "pages": 10, "lanes": 2});
    std::fs::write(&run_file, run.to_string()).unwrap();
    std::fs::write(work.join("recording/calls.jsonl"), "").unwrap();
    let mut command = common::auditpack();
    common::with_credentials(&mut command).args(["collect", "--quiet", "--force", "--no-pacing", "--fail-on", "none"]);
    command.args(["--endpoint-url", &server.endpoint(), "--out"]).arg(out.path()).arg("--resume").arg(&work);
    common::run(&mut command);
    let first = std::fs::read(package(out.path())).unwrap();
    let recorded = files(&package(out.path()));
    assert!(covered(&recorded, "us-east-1")["slices"].as_array().unwrap().len() > usual);
    let again = tempdir().unwrap();
    let mut command = common::auditpack();
    command.args(["collect", "--fail-on", "none", "--replay"]).arg(package(out.path())).arg("--out").arg(again.path());
    common::run(&mut command);
    assert!(first == std::fs::read(package(again.path())).unwrap(), "the replay asked otherwise");
}
