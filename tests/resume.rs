//! Interrupted collections: killed, stopped by a signal, out of disk; and what --resume makes of them.
#![cfg(unix)]

mod common;

use common::{AS_OF, auditpack, collect, files, json, package, run, server, with_credentials};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use synthetic_aws::{Account, BlockingServer, Scale};
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
    let mut child = start(&first, out.path());
    assert!(wait_for(&mut child, out.path(), 10));
    child.kill().unwrap();
    child.wait().unwrap();
    let work = work_folder(out.path()).unwrap();
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
    let renamed = server(renamed, &[]);
    let ran = run(&mut resume(&renamed, out.path(), &work));
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    let manifest = json(&files(&package(out.path())), "manifest.json");
    assert!(manifest["notes"].to_string().contains("the caller changed during the run"), "{}", manifest["notes"]);
    assert!(manifest["caller"]["end"].to_string().contains("SecondReader"));
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
    assert!(log.len() > 12_000 && log.ends_with(b"\n"), "{} bytes", log.len());
    let ran = run(&mut resume(&server, out.path(), &work));
    assert!([0, 3].contains(&ran.code), "{}", ran.stderr);
    package(out.path());
}
