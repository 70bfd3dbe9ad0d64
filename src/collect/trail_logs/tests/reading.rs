//! What reaches the sink.

use std::borrow::Cow;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::super::sorter::{EventSorter, Item};
use super::super::{Error, Options, Period, Problem, read};
use super::kit::*;

#[test]
fn the_record_arrives_as_it_is_in_the_file() {
    let world = World::new();
    let raw = r#"{ "eventTime":"2026-03-01T02:00:00Z","eventID":"exact",  "z":1.50,"a":"é\u00e9\n" ,"eventName":"N","eventSource":"s","awsRegion":"us-east-1","readOnly":false,"recipientAccountId":"111122223333","userIdentity":{"x":{"type":"no"},"type":"Root"}}"#;
    world.write_gz(&world.log(2, 0).key, format!("{{\"Records\":[{raw}]}}").as_bytes());
    let seen = Mutex::new(None);
    let options = Options::new(world.dir.path(), world.period);
    let outcome = read(&options, &|r| r.into(), &|event| {
        if event.id == "exact" {
            assert_eq!((event.name, event.source, event.region), (Some("N"), Some("s"), Some("us-east-1")));
            assert_eq!((event.read_only, event.account, event.user_type), (Some(false), Some(ACCOUNT), Some("Root")));
            assert_eq!(event.time_ms, hour(2).timestamp_millis());
            assert_eq!(event.file, world.log(2, 0).key);
            *seen.lock().unwrap() = Some(event.raw.to_vec());
        }
        Ok(())
    });
    outcome.unwrap();
    assert_eq!(seen.into_inner().unwrap().unwrap(), raw.as_bytes());
}

#[test]
fn a_record_spread_over_lines_becomes_one_line_with_the_same_meaning() {
    let world = World::new();
    let value = json!({"Records": [{"eventTime": "2026-03-01T02:00:00Z", "eventID": "x", "a": "two  spaces \" \\ \n", "b": [1, {}]}]});
    world.write_gz(&world.log(2, 0).key, serde_json::to_string_pretty(&value).unwrap().as_bytes());
    let options = Options::new(world.dir.path(), world.period);
    let seen = Mutex::new(Vec::new());
    read(&options, &|r| r.into(), &|event| {
        if event.id == "x" {
            *seen.lock().unwrap() = event.raw.to_vec();
        }
        Ok(())
    })
    .unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(!seen.contains(&b'\n'));
    assert_eq!(serde_json::from_slice::<Value>(&seen).unwrap(), value["Records"][0]);
    assert_eq!(seen, value["Records"][0].to_string().as_bytes());
}

#[test]
fn the_redaction_is_applied_to_every_event() {
    let world = World::new();
    let options = Options::new(world.dir.path(), world.period);
    read(&options, &|_| Cow::Borrowed(b"{}"), &|event| {
        assert_eq!(event.raw, b"{}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_error_of_the_sink_ends_the_reading() {
    let world = World::new();
    let options = Options::new(world.dir.path(), world.period);
    let outcome = read(&options, &|r| r.into(), &|_| Err("disk full".into()));
    assert!(matches!(outcome, Err(Error::Sink { .. })));
}

#[test]
fn what_cannot_be_read_at_all_is_an_error() {
    let world = World::new();
    let absent = world.path("absent");
    let options = Options::new(&absent, world.period);
    let error = read(&options, &|r| r.into(), &|_| Ok(())).unwrap_err();
    assert!(error.to_string().starts_with("cannot list"), "{error}");
    let options = Options::new(world.dir.path(), Period { from: hour(1), to: hour(1) });
    assert!(matches!(read(&options, &|r| r.into(), &|_| Ok(())), Err(Error::Period(_))));
}

#[test]
fn records_of_other_accounts_and_regions_in_a_file_are_reported() {
    let world = World::new();
    let records = [record("999988887777", "eu-west-1", hour(2), "a"), record(ACCOUNT, REGION, hour(2), "b")];
    world.write_gz(&world.log(2, 0).key, json!({"Records": records}).to_string().as_bytes());
    let said: Vec<Problem> = world.read().problems;
    assert!(
        said.iter().any(|p| p.problem == "1 records are for another account than the file: 999988887777"),
        "{said:?}"
    );
    assert!(said.iter().any(|p| p.problem == "1 records are of another Region than the file: eu-west-1"));
    assert!(said.iter().all(|p| !p.events_lost));
}

#[test]
fn a_log_without_records_is_valid_and_said_to_be_empty() {
    let trail = Trail { logs_per_hour: 0, ..Trail::default() };
    let log = trail.log(hour(2), "Empty", &[]);
    let digests = trail.make(&mut |n, d| {
        if n == 2 {
            *d = {
                let mut with = trail.fields(hour(2), hour(3), std::slice::from_ref(&log), "");
                for field in ["S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"] {
                    let name = format!("previousDigest{field}");
                    with[&name] = d[&name].take();
                }
                with
            };
        }
    });
    let world = World::empty(digests);
    world.write_all(&world.digests);
    world.write_gz(&log.key, log.content.as_bytes());
    world.write_sidecar(5);
    world.expect(super::super::Verdict::Proven, &[]);
    assert!(world.read().rows.iter().any(|r| r.reason.ends_with("it holds no records")));
}

#[test]
fn records_longer_than_the_buffer_and_records_across_its_end_are_whole() {
    let world = World::new();
    let records: Vec<Value> = (0..600)
        .map(|n| {
            let mut record = record(ACCOUNT, REGION, hour(2), &format!("id{n}"));
            record["pad"] = json!("ü".repeat(if n % 100 == 7 { 500_000 } else { n * 3 }));
            record
        })
        .collect();
    world.write_gz(&world.log(2, 0).key, json!({"Records": records}).to_string().as_bytes());
    let folder = tempfile::tempdir().unwrap();
    let sorter = EventSorter::new(folder.path(), 1 << 20).unwrap();
    let options = Options::new(world.dir.path(), world.period);
    read(&options, &|r| r.into(), &|e| {
        let group = e.region.unwrap_or("unknown");
        Ok(sorter.push(Item { group, time_ms: e.time_ms, id: e.id, raw: e.raw })?)
    })
    .unwrap();
    let mut sorted = sorter.finish().unwrap();
    let mut found = 0;
    while let Some(event) = sorted.next_event().unwrap() {
        let value: Value = serde_json::from_slice(event.raw).unwrap();
        assert_eq!(value["eventID"], event.id);
        if let Some(n) = event.id.strip_prefix("id") {
            assert_eq!(value, records[n.parse::<usize>().unwrap()]);
            found += 1;
        }
    }
    assert_eq!(found, 600);
}
