//! Files that were made to hurt.

use std::fs;

use serde_json::json;

use super::super::Verdict::{Invalid, NotProven};
use super::super::{Limits, Status};
use super::kit::*;

#[test]
fn gzip_bombs_stop_at_the_limit() {
    let mut world = World::new();
    let bomb = gz(&vec![b' '; 4 << 20]);
    assert!(bomb.len() < 64 << 10);
    world.write(&world.log(2, 0).key, &bomb);
    world.write(&world.digests[0].key, &bomb);
    world.write("unknown.json.gz", &bomb);
    world.configure =
        |options| options.limits = Limits { log_bytes: 1 << 20, digest_bytes: 1 << 20, ..Limits::default() };
    world.expect(Invalid, &["D0 invalid", "L0.0 not covered", "L0.1 not covered", "L2.0 invalid"]);
    assert!(world.read().problems.iter().any(|p| p.problem.contains("more than 1048576 bytes")));
}

#[test]
fn records_longer_than_the_limit_are_refused_and_reported() {
    let mut world = World::new();
    let long = json!({"Records": [record(ACCOUNT, REGION, hour(2), "first"), {"eventTime": iso(hour(2)), "x": "y".repeat(3 << 20)}]});
    world.write_gz(&world.log(2, 0).key, long.to_string().as_bytes());
    world.configure = |options| options.limits.record_bytes = 1 << 20;
    world.expect(Invalid, &["L2.0 invalid"]);
    let report = world.read();
    assert!(report.problems.iter().any(|p| p.events_lost && p.problem.contains("more than 1048576 bytes")));
    assert!(world.events.lock().unwrap().contains_key("first"));
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let world = World::new();
    let deep = format!(
        "{{\"Records\":[{{\"eventTime\":\"2026-03-01T02:00:00Z\",\"x\":{}1{}}}]}}",
        "[".repeat(300_000),
        "]".repeat(300_000)
    );
    world.write_gz(&world.log(2, 0).key, deep.as_bytes());
    let odd = format!("{{\"Records\":[{{\"eventTime\":5,\"x\":{}1{}}}]}}", "[".repeat(300_000), "]".repeat(300_000));
    world.write_gz(&world.log(2, 1).key, odd.as_bytes());
    world.write_gz(&world.digests[0].key, "[".repeat(300_000).as_bytes());
    let (verdict, _) = world.outcome();
    assert_eq!(verdict, Invalid);
    assert_eq!(world.read().events.without_id, 1);
    assert_eq!(world.read().events.unreadable, 1);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_reported_and_not_followed() {
    let world = World::new();
    let aws_logs = world.path("AWSLogs");
    std::os::unix::fs::symlink(&aws_logs, aws_logs.join("loop")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", world.path("passwd.json")).unwrap();
    world.expect(NotProven, &[]);
    assert_eq!(world.read().problems.len(), 2);
    assert_eq!(world.read().events.taken, 12);
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_shown_and_read() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    let log = Trail::default().log(hour(2), "X", &[record(ACCOUNT, REGION, hour(2), "odd name")]);
    for name in [&b"a\xff.json.gz"[..], b"a\xfe.json.gz"] {
        fs::write(world.dir.path().join(OsStr::from_bytes(name)), gz(log.content.as_bytes())).unwrap();
    }
    world.expect(NotProven, &["a\\xff.json.gz not covered", "a\\xfe.json.gz not covered"]);
    assert_eq!(world.events.lock().unwrap()["odd name"], 2);
}

#[test]
fn folders_deeper_than_the_limit_are_reported() {
    let mut world = World::new();
    world.write("a/b/c/d/e/f/g/h/i/j.json", b"{\"Records\":[]}");
    world.configure = |options| options.limits.depth = 8;
    world.expect(NotProven, &[]);
    assert!(world.read().problems[0].problem.contains("8 folders deep"));
}

#[test]
fn log_files_that_are_not_json_are_reported_and_what_precedes_the_fault_is_kept() {
    let good = record(ACCOUNT, REGION, hour(2), "good").to_string();
    for (content, records) in [
        (format!("{{\"Records\":[{good},"), 1),
        (format!("{{\"Records\":[{good}] trailing"), 1),
        (format!("{{\"Records\":[{good}]}} trailing"), 1),
        (format!("{{\"Records\":[{good}],\"Records\":[{good}]}}"), 2),
        (format!("{{\"Records\":[{good} {good}]}}"), 1),
        (format!("{{\"Records\":[{good},{{\"eventTime\":\"\n\"}}]}}"), 1),
        (format!("{{\"Records\":{good}}}"), 0),
        ("{}".to_owned(), 0),
        ("{\"Other\":[1,2.5e3,true]}".to_owned(), 0),
        ("12".to_owned(), 0),
        (String::new(), 0),
        ("\u{feff}{\"Records\":[]}".to_owned(), 0),
    ] {
        let world = World::new();
        world.write_gz(&world.log(2, 0).key, content.as_bytes());
        world.expect(Invalid, &["L2.0 invalid"]);
        let report = world.read();
        assert!(report.problems.iter().any(|p| p.events_lost), "{content}");
        assert_eq!(world.events.lock().unwrap().get("good").copied().unwrap_or(0), records, "{content}");
    }
}

#[test]
fn records_of_odd_shapes_are_counted_never_dropped_in_silence() {
    let world = World::new();
    let time = iso(hour(2));
    let content = format!(
        r#"{{"a":1,"Records":[1,null,"x",[],{{}},{{"eventTime":5}},{{"eventTime":"x"}},
        {{"eventTime":"{time}","eventID":7,"userIdentity":"x","readOnly":"true"}},
        {{"eventTime":"{time}","eventTime":"{time}","eventID":"twice"}},
        {{"eventTime":"{time}","eventID":"\u00e9\n"}},
        {{"eventTime":"{time}","eventID":"null","userIdentity":null,"eventName":null}}, 12.5 ],"z":{{}}}}"#
    );
    world.write_gz(&world.log(2, 0).key, content.as_bytes());
    let report = world.read();
    // 12 in this file, and one in each of the 11 others.
    assert_eq!(
        (report.events.records, report.events.unreadable, report.events.taken),
        (23, 8, 15),
        "{:#?}",
        report.problems
    );
    let events = world.events.lock().unwrap();
    assert!(["twice", "é\n", "null"].iter().all(|id| events.contains_key(*id)), "{events:?}");
    assert!(report.problems.iter().any(|p| p.events_lost && p.problem.starts_with("8 records cannot be read")));
    assert!(report.problems.iter().any(|p| p.problem.starts_with("3 records have a field")), "{:?}", report.problems);
}

#[test]
fn bytes_that_are_not_utf8_in_a_record_are_reported() {
    let world = World::new();
    let mut content =
        json!({"Records": [{"eventTime": iso(hour(2)), "eventID": "x", "other": "~"}]}).to_string().into_bytes();
    let place = content.iter().position(|b| *b == b'~').unwrap();
    content[place] = 0xff;
    world.write_gz(&world.log(2, 0).key, &content);
    let report = world.read();
    assert_eq!((report.events.unreadable, report.events.taken), (1, 11));
}

#[test]
fn unknown_files_are_told_by_content_or_counted() {
    let world = World::new();
    let records = json!([record(ACCOUNT, REGION, hour(2), "bare")]);
    world.write("events.json", records.to_string().as_bytes());
    world.write("keys.json", keys_json(&AWS_KEY).to_string().as_bytes());
    world.write("README.md", b"hello");
    world.write("broken.json.gz", &gz(b"{}")[..8]);
    let report = world.read();
    assert_eq!(report.rows.iter().filter(|r| r.status == Status::NotCovered).count(), 1);
    assert_eq!(report.other_named, ["README.md", "broken.json.gz", "keys.json"]);
    assert!(report.problems.iter().any(|p| p.path == "broken.json.gz" && p.events_lost));
    assert!(world.events.lock().unwrap().contains_key("bare"));
}

#[test]
fn random_damage_never_panics_and_never_proves() {
    let world = World::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % bound as u64).unwrap()
    };
    let keys: Vec<String> =
        world.digests.iter().flat_map(|d| d.logs.iter().map(|l| l.key.clone()).chain([d.key.clone()])).collect();
    for round in 0..300 {
        let key = &keys[random(keys.len())];
        let original = fs::read(world.path(key)).unwrap();
        let content = world
            .digests
            .iter()
            .flat_map(|d| d.logs.iter().map(|l| (&l.key, &l.content)).chain([(&d.key, &d.content)]))
            .find_map(|(k, content)| (k == key).then(|| content.clone().into_bytes()))
            .unwrap();
        let damaged = if round % 2 == 0 {
            let mut content = content;
            let place = random(content.len());
            content[place] ^= 1 << random(8);
            gz(&content)
        } else {
            let mut bytes = original.clone();
            bytes.truncate(random(bytes.len()));
            bytes
        };
        fs::write(world.path(key), damaged).unwrap();
        let report = world.read();
        assert_ne!(report.verdict, super::super::Verdict::Proven, "{key} in round {round}");
        let rows = report.rows.iter().filter(|r| key.ends_with(&*r.path) || r.path.ends_with(key.as_str()));
        assert!(rows.into_iter().all(|r| r.status != Status::Valid), "{key} in round {round}");
        fs::write(world.path(key), original).unwrap();
    }
}
