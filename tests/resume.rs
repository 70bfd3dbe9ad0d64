//! Interrupted collections: killed, stopped by a signal, out of disk; and what --resume makes of them.
#![cfg(unix)]

mod common;

use common::{AS_OF, auditpack, collect, files, json, package, run, server, with_credentials};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use synthetic_aws::{Account, BlockingServer, Options, Scale};
use tempfile::tempdir;

fn account() -> Account {
    let regions = ["us-east-1", "eu-west-1"].map(str::to_owned).to_vec();
    Account::scaled(&Scale { users: 30, roles: 30, policies: 20, events: 4_000, regions })
}

/// A collection that can be interrupted: each answer takes some milliseconds.
fn start(server: &BlockingServer, out: &Path) -> Child {
    let mut command = auditpack();
    with_credentials(&mut command)
        .args(["collect", "--quiet", "--as-of", AS_OF, "--fail-on", "none", "--no-pacing", "--endpoint-url"])
        .arg(server.endpoint())
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn resume(server: &BlockingServer, out: &Path, work: &Path) -> Command {
    let mut command = auditpack();
    with_credentials(&mut command)
        .args(["collect", "--quiet", "--fail-on", "none", "--no-pacing", "--endpoint-url"])
        .arg(server.endpoint())
        .arg("--out")
        .arg(out)
        .arg("--resume")
        .arg(work);
    command
}

fn work_folder(out: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.is_dir() && path.join("recording/run.json").is_file())
}

/// Waits until so many answers are recorded, or the process ended; whether it still runs.
fn wait_for(child: &mut Child, out: &Path, lines: usize) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let log = work_folder(out).map(|work| work.join("recording/calls.jsonl"));
        let count =
            log.and_then(|log| std::fs::read(log).ok()).map_or(0, |log| log.iter().filter(|b| **b == b'\n').count());
        if count >= lines {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What an undisturbed run gives, its requests among it.
fn undisturbed() -> (BTreeMap<String, Vec<u8>>, u64) {
    let server = server(account(), &[]);
    let out = tempdir().unwrap();
    collect(&server, out.path(), &["--fail-on", "none", "--no-pacing"]);
    (files(&package(out.path())), server.stats().requests)
}

/// What differs between any two runs: the ids of requests, and when, where and by which command a run was started.
fn without_run_times(text: &str) -> String {
    let text = match (text.find("<RequestId>"), text.find("</RequestId>")) {
        (Some(from), Some(to)) => format!("{}{}", &text[..from], &text[to..]),
        _ => text.to_owned(),
    };
    let started = |line: &&str| line.contains("<dt>Started</dt>") || line.contains("<dt>Resumed</dt>");
    text.lines().filter(|line| !started(line)).collect::<Vec<_>>().join("\n")
}

/// All but the addresses that were asked and what depends on them.
fn comparable(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<&str, String> {
    let differs = |path: &str| ["raw/calls.jsonl", "calls.csv", "raw/custody.json", "manifest.json"].contains(&path);
    files
        .iter()
        .filter(|(path, _)| !differs(path))
        .map(|(path, bytes)| (path.as_str(), without_run_times(&String::from_utf8_lossy(bytes))))
        .collect()
}

/// The work folder of a run that was killed when so many answers were recorded.
fn killed_after(answers: usize, server: &BlockingServer, out: &Path) -> PathBuf {
    let mut child = start(server, out);
    assert!(wait_for(&mut child, out, answers));
    child.kill().unwrap();
    child.wait().unwrap();
    work_folder(out).unwrap()
}

#[test]
fn killed_at_any_moment_and_resumed_it_gives_the_package_of_an_undisturbed_run() {
    let (whole, requests) = undisturbed();
    let server = server(account(), &["delay=3"]);
    let out = tempdir().unwrap();
    let mut child = start(&server, out.path());
    let mut kills = 0;
    // Killed again and again, each time some answers later: in the middle of everything.
    for lines in (1..).step_by(17) {
        if !wait_for(&mut child, out.path(), lines) {
            break;
        }
        // SIGKILL: nothing of the program runs any more.
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        let Some(work) = work_folder(out.path()) else {
            child = start(&server, out.path());
            continue;
        };
        child = resume(&server, out.path(), &work).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    }
    let status = child.wait_with_output().unwrap();
    assert!(matches!(status.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&status.stderr));
    assert!(kills >= 6, "killed only {kills} times");
    let resumed = files(&package(out.path()));
    let (resumed, whole) = (comparable(&resumed), comparable(&whole));
    assert_eq!(resumed.keys().collect::<BTreeSet<_>>(), whole.keys().collect());
    for (path, text) in &resumed {
        let differing: Vec<_> = text.lines().zip(whole[path].lines()).filter(|(a, b)| a != b).collect();
        assert!(*text == whole[path], "{path} differs: {differing:#?}");
    }
    // Each resumption asks who is asking, and again what was in flight: at most one page a chain of pages.
    let most = requests + kills * (1 + 16);
    let made = server.stats().requests;
    assert!(made <= most, "{made} requests after {kills} kills; undisturbed are {requests}");
    // And the same bytes come out of the recording once more.
    let again = tempdir().unwrap();
    let mut command = auditpack();
    command.args(["collect", "--fail-on", "none", "--replay"]).arg(package(out.path())).arg("--out").arg(again.path());
    run(&mut command);
    assert!(std::fs::read(package(out.path())).unwrap() == std::fs::read(package(again.path())).unwrap());
}

#[test]
fn a_signal_lets_the_page_finish_keeps_the_checkpoint_and_says_how_to_go_on() {
    for signal in ["-INT", "-TERM"] {
        let server = server(account(), &["delay=20"]);
        let out = tempdir().unwrap();
        let mut child = start(&server, out.path());
        assert!(wait_for(&mut child, out.path(), 20));
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{signal}: {stderr}");
        let work = work_folder(out.path()).unwrap();
        assert!(stderr.contains("interrupted") && stderr.contains("--resume"), "{signal}: {stderr}");
        assert!(stderr.contains(work.file_name().unwrap().to_str().unwrap()), "{signal}: {stderr}");
        let log = std::fs::read_to_string(work.join("recording/calls.jsonl")).unwrap();
        assert!(log.ends_with('\n'), "no line is cut off");
        let ran = run(&mut resume(&server, out.path(), &work));
        assert!([0, 3].contains(&ran.code), "{signal}: {}", ran.stderr);
        let manifest = json(&files(&package(out.path())), "manifest.json");
        assert_eq!(manifest["as_of"], "2026-10-01T09:00:00+00:00", "the as-of time is that of the start");
    }
}

#[test]
fn another_account_is_refused_and_another_caller_is_recorded() {
    let first = server(account(), &["delay=20"]);
    let out = tempdir().unwrap();
    let work = killed_after(10, &first, out.path());
    let mut other = account();
    other.id = "444455556666".to_owned();
    other.caller.account = "444455556666".to_owned();
    let other = server(other, &[]);
    let ran = run(&mut resume(&other, out.path(), &work));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("444455556666") && ran.stderr.contains("111122223333"), "{}", ran.stderr);
    assert_eq!(other.stats().requests, 1, "nothing but who is asking was asked");
    assert!(work.exists(), "the checkpoint is kept");
    let mut renamed = account();
    renamed.caller.arn = "arn:aws:sts::111122223333:assumed-role/SecondReader/auditor".to_owned();
    let renamed = server(renamed, &["delay=20"]);
    let mut child = resume(&renamed, out.path(), &work).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_for(&mut child, out.path(), 20));
    child.kill().unwrap();
    child.wait().unwrap();
    // Who asked in between stands in no answer.
    let ran = run(&mut resume(&first, out.path(), &work));
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    let manifest = json(&files(&package(out.path())), "manifest.json");
    let notes = manifest["notes"].to_string();
    assert!(notes.contains("the caller changed during the run, from ") && notes.contains("SecondReader"), "{notes}");
    assert!(manifest["custody"]["runs"][2]["caller"].to_string().contains("SecondReader"));
    assert!(!manifest["caller"]["end"].to_string().contains("SecondReader"));
}

#[test]
fn a_disk_that_is_full_ends_the_run_and_keeps_what_there_is() {
    let server = server(account(), &[]);
    let out = tempdir().unwrap();
    // A limit for the size of files stands for a disk that is full: the log of calls cannot grow beyond it.
    let script = format!(
        "ulimit -f 16; exec {} collect --quiet --events none --as-of {AS_OF} --no-pacing --endpoint-url {} --out {}",
        env!("CARGO_BIN_EXE_auditpack"),
        server.endpoint(),
        out.path().display()
    );
    let mut command = Command::new("bash");
    command.arg("-c").arg(format!("trap '' XFSZ; {script}")).env("AWS_EC2_METADATA_DISABLED", "true");
    let ran = run(with_credentials(&mut command));
    assert_eq!(ran.code, 4, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("too large") && ran.stderr.contains("--resume"), "{}", ran.stderr);
    let work = work_folder(out.path()).unwrap();
    // What the disk took of a line is taken back, so that no other line can follow on it.
    let log = std::fs::read(work.join("recording/calls.jsonl")).unwrap();
    // It may be the log or an answer that the disk has no room for.
    assert!(log.ends_with(b"\n"), "{} bytes", log.len());
    let ran = run(&mut resume(&server, out.path(), &work));
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    package(out.path());
}

/// The unfinished package in a folder, once something of it is written; none if the process ended before.
fn unfinished(child: &mut Child, out: &Path) -> Option<PathBuf> {
    loop {
        let ended = child.try_wait().unwrap().is_some();
        let entries = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
        let mut parts = entries.filter(|path| path.extension().is_some_and(|extension| extension == "part"));
        if let Some(part) = parts.find(|part| part.metadata().is_ok_and(|part| part.len() > 10_000)) {
            return Some(part);
        }
        if ended {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn names(out: &Path) -> Vec<String> {
    std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn signal(child: &Child, signal: &str) {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

#[test]
fn ended_while_the_package_is_written_it_leaves_nothing_that_resuming_does_not_finish() {
    let (whole, _) = undisturbed();
    let whole = comparable(&whole);
    for kind in ["-KILL", "-INT", "-TERM"] {
        let server = server(account(), &[]);
        let out = tempdir().unwrap();
        let mut child = start(&server, out.path());
        let part = unfinished(&mut child, out.path()).expect("the package takes a moment to write");
        signal(&child, kind);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        if kind != "-KILL" {
            assert_eq!(output.status.code(), Some(4), "{kind}: {stderr}");
            assert!(stderr.contains("interrupted") && stderr.contains("--resume"), "{kind}: {stderr}");
            assert!(!part.exists(), "{kind}: {:?}", names(out.path()));
        }
        let work = work_folder(out.path()).unwrap();
        let ran = run(&mut resume(&server, out.path(), &work));
        assert!([0, 3].contains(&ran.code), "{kind}: {}", ran.stderr);
        assert_eq!(names(out.path()).len(), 1, "{kind}: nothing but the package: {:?}", names(out.path()));
        let resumed = files(&package(out.path()));
        assert!(comparable(&resumed) == whole, "{kind}");
    }
}

#[test]
fn two_do_not_go_on_with_one_run() {
    let server = server(account(), &["delay=40"]);
    let out = tempdir().unwrap();
    let mut child = start(&server, out.path());
    assert!(wait_for(&mut child, out.path(), 5));
    let work = work_folder(out.path()).unwrap();
    let ran = run(&mut resume(&server, out.path(), &work));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("another auditpack is at work in it"), "{}", ran.stderr);
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(out.path()).len(), 1);
}

/// What a computer that loses its power leaves, and whoever touches the folder.
#[test]
fn answers_that_cannot_be_read_back_are_asked_for_again() {
    let (whole, _) = undisturbed();
    let server = server(account(), &["delay=3"]);
    let out = tempdir().unwrap();
    let work = killed_after(40, &server, out.path());
    let recording = work.join("recording");
    let log = recording.join("calls.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let body = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        recording.join(entry["response"]["body"].as_str().unwrap())
    };
    // Empty, cut off, altered, gone.
    std::fs::write(body(lines[2]), "").unwrap();
    let cut = std::fs::read(body(lines[7])).unwrap();
    std::fs::write(body(lines[7]), &cut[..cut.len() / 2]).unwrap();
    let mut altered = std::fs::read(body(lines[11])).unwrap();
    *altered.last_mut().unwrap() ^= 1;
    std::fs::write(body(lines[11]), altered).unwrap();
    std::fs::remove_file(body(lines[13])).unwrap();
    // A line that is gone, one of zeros, one that is there twice, and a last one that is cut off.
    let zeros = "\0".repeat(lines[20].len());
    let mut left: Vec<&str> = lines.clone();
    left.remove(25);
    left[20] = &zeros;
    left.push(lines[5]);
    left.push(&lines[3][..lines[3].len() / 2]);
    std::fs::write(&log, left.join("\n")).unwrap();

    let quiet = resume(&server, out.path(), &work);
    let args: Vec<_> = quiet.get_args().filter(|arg| *arg != "--quiet").map(ToOwned::to_owned).collect();
    let mut told = auditpack();
    let ran = run(with_credentials(&mut told).args(args));
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    assert!(ran.stderr.contains("6 answers recorded by the interrupted run cannot be read back"), "{}", ran.stderr);
    let resumed = files(&package(out.path()));
    assert!(comparable(&resumed) == comparable(&whole));
}

#[test]
fn a_work_folder_that_is_gone_ends_the_run() {
    let server = server(account(), &["delay=20"]);
    let out = tempdir().unwrap();
    let mut child = start(&server, out.path());
    assert!(wait_for(&mut child, out.path(), 10));
    // Renamed, because to remove it file by file would race with what is being written.
    let elsewhere = tempdir().unwrap();
    std::fs::rename(work_folder(out.path()).unwrap(), elsewhere.path().join("work")).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("was the work folder removed or moved?"), "{stderr}");
    assert_eq!(names(out.path()).len(), 0, "it is not made again in part");
}

/// The event history reaches back 90 days from the moment of a request, not of the run's start.
#[test]
fn what_aws_forgot_before_a_run_was_resumed_is_a_gap() {
    let (whole, _) = undisturbed();
    let first = server(account(), &["delay=10"]);
    let out = tempdir().unwrap();
    let work = killed_after(60, &first, out.path());
    // A laptop that was closed for eight days, and whose first questions then meet a busy AWS.
    let now = synthetic_aws::Clock::Fixed("2026-10-09T09:00:00Z".parse().unwrap());
    let options = Options { clock: Some(now), credential_report_polls: Some(0), ..Options::default() };
    let later = BlockingServer::start(account(), options).unwrap();
    later.add_fault("throttle400:sts:GetCallerIdentity:*:nth=1".parse().unwrap());
    later.add_fault("error500:sts:GetCallerIdentity:*:nth=2".parse().unwrap());
    let ran = run(&mut resume(&later, out.path(), &work));
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let files = files(&package(out.path()));
    let manifest = json(&files, "manifest.json");
    let mut forgotten = 0;
    for covered in manifest["period"]["covered"].as_array().unwrap() {
        let region = covered["region"].as_str().unwrap();
        let spans: Vec<(&str, &str)> = covered["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| (span["from"].as_str().unwrap(), span["to"].as_str().unwrap()))
            .collect();
        let path = format!("evidence/{region}/cloudtrail/events.jsonl");
        let (left, all) = (String::from_utf8_lossy(&files[&path]), String::from_utf8_lossy(&whole[&path]));
        let left: BTreeSet<&str> = left.lines().collect();
        for event in all.lines().filter(|line| !left.contains(line)) {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            let time = event["eventTime"].as_str().unwrap().replace('Z', "+00:00");
            assert!(!spans.iter().any(|(from, to)| *from <= &*time && &*time <= *to), "{region} {time}: {spans:?}");
            assert_eq!(covered["complete"], false, "{region}");
            forgotten += 1;
        }
    }
    assert!(forgotten > 0, "nothing was forgotten: the test shows nothing");
    assert!(manifest["gaps"].to_string().contains("were no longer in it"), "{}", manifest["gaps"]);
    let passes = common::findings(&files).into_iter().filter(|f| f.0 == "root-no-events" && f.1 == "pass");
    assert_eq!(passes.count(), 0);
}
