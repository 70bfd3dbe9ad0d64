//! Periods, keys, accounts, trails, layouts: what surrounds a chain.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::Verdict::{Invalid, NotProven, Proven};
use super::super::{DELIVERY, ExpectedChain, Period, PublicKeys, Status};
use super::kit::*;

#[test]
fn three_regions_over_48_hours_are_proven() {
    let world = World::empty(Vec::new());
    let world = World { period: Period { from: start(), to: hour(48) - DELIVERY }, ..world };
    for region in ["us-east-1", "eu-west-1", "ap-northeast-2"] {
        let trail = Trail { region: region.into(), hours: 48, logs_per_hour: 3, ..Trail::default() };
        let digests = trail.make(&mut |_, _| {});
        world.write_all(&digests);
        let newest = digests.last().unwrap();
        world.write(&format!("{}.metadata.json", newest.key), sidecar(&newest.signature).to_string().as_bytes());
    }
    world.expect(Proven, &[]);
    let report = world.read();
    assert_eq!(report.rows.len(), 3 * 48 * 4);
    assert_eq!(report.events.taken, 3 * 48 * 3);
    assert_eq!(report.chains.len(), 3);
    assert!(report.chains.iter().all(|c| c.proven.len() == 1 && c.proven[0].to == hour(48) && c.period_is_proven));
    assert_eq!(serde_json::to_string(&report).unwrap(), serde_json::to_string(&world.read()).unwrap());
}

#[test]
fn a_region_deleted_without_a_trace_is_missed_only_if_it_is_expected() {
    let mut world = World::new();
    world.expect(Proven, &[]);
    world.configure = |options| options.expected = vec![expected("eu-west-1", &[])];
    world.expect(NotProven, &[]);
    world.configure = |options| options.expected = vec![expected(REGION, &[])];
    world.expect(Proven, &[]);
}

fn expected(region: &str, trails: &[&str]) -> ExpectedChain {
    let trails = trails.iter().map(|&name| name.to_owned()).collect();
    ExpectedChain { account: ACCOUNT.into(), region: region.into(), trails }
}

#[test]
fn the_chain_of_another_trail_does_not_stand_for_the_expected_ones() {
    let mut world = World::new();
    world.configure = |options| options.expected = vec![expected(REGION, &["audit", "main_trail"])];
    world.expect(Proven, &[]);
    world.configure = |options| options.expected = vec![expected(REGION, &["audit", "other_trail"])];
    world.expect(NotProven, &[]);
    assert_eq!(
        world.read().reasons,
        [format!(
            "there is no digest of trail audit or other_trail for account {ACCOUNT} in {REGION}, which must have some"
        )]
    );
}

#[test]
fn digests_must_reach_until_the_last_event_of_the_period_is_delivered() {
    let mut world = World::new();
    world.expect(Proven, &[]);
    world.period.to += TimeDelta::seconds(1);
    world.expect(NotProven, &[]);
    assert!(world.read().reasons[0].contains("2026-03-01T06:00:00Z to 2026-03-01T06:00:01Z is not covered"));
    // The digest that is needed weighs, although it starts after the period, and so do the logs of that time.
    world.period.to = hour(5);
    world.remove(&world.log(5, 0).key);
    world.expect(Invalid, &["L5.0 missing"]);
    world.period.to = hour(5) - DELIVERY;
    world.expect(Proven, &["L5.0 missing"]);
}

#[test]
fn period_not_covered_at_its_start_or_end() {
    let mut world = World::new();
    world.period.from = hour(-1);
    world.expect(NotProven, &[]);
    assert!(world.read().chains[0].reasons[0].contains("2026-02-28T23:00:00Z to 2026-03-01T00:00:00Z"));
    world.period = Period { from: start(), to: hour(7) };
    world.expect(NotProven, &[]);
    assert!(world.read().chains[0].reasons[0].contains("2026-03-01T06:00:00Z to 2026-03-01T07:15:00Z"));
    world.period = Period { from: hour(100), to: hour(101) };
    world.expect(NotProven, &[]);
}

#[test]
fn what_lies_outside_the_period_does_not_weigh() {
    let mut world = World::new();
    world.period = Period { from: hour(1), to: hour(4) };
    world.expect(Proven, &[]);
    world.remove(&world.sidecar_of(5));
    world.write_gz(&world.log(0, 0).key, br#"{"Records":[]}"#);
    world.expect(Proven, &["D5 not proven", "L0.0 invalid", "L5.0 not proven", "L5.1 not proven"]);
    let report = world.read();
    assert!(report.rows.iter().filter(|r| r.status != Status::Valid).all(|r| !r.in_scope));
    assert_eq!((report.events.taken, report.events.outside_period), (6, 5));
}

#[test]
fn digests_before_the_period_need_not_be_copied() {
    let mut world = World::new();
    world.period.from = hour(2);
    world.remove_digest(0);
    world.remove_digest(1);
    world.expect(Proven, &["L0.0 not covered", "L0.1 not covered", "L1.0 not covered", "L1.1 not covered"]);
}

#[test]
fn an_event_of_the_period_delivered_after_it_weighs() {
    let mut world = World::with(&mut |n, d| {
        if n == 5 {
            d["logFiles"][0]["oldestEventTime"] = json!(iso(hour(5) - TimeDelta::minutes(2)));
        }
    });
    world.period.to = hour(5);
    world.remove(&world.sidecar_of(5));
    world.expect(NotProven, &["D5 not proven", "L5.0 not proven", "L5.1 not proven"]);
}

#[test]
fn log_delivered_after_the_newest_digest() {
    let world = World::new();
    let late =
        Trail::default().log(hour(6), "Late", &[record(ACCOUNT, REGION, hour(6) - TimeDelta::minutes(20), "late")]);
    world.write_gz(&late.key, late.content.as_bytes());
    world.expect(NotProven, &[&format!("{} not covered", late.key)]);
    assert!(world.read().rows.iter().any(|r| r.reason.contains("after the newest digest")));
}

#[test]
fn without_keys_nothing_is_proven() {
    let mut world = World::new();
    world.keys = None;
    let (verdict, rows) = world.outcome();
    assert_eq!((verdict, rows.len()), (NotProven, HOURS * 3));
    assert!(rows.iter().all(|r| r.ends_with("not proven")));
    assert!(world.read().reasons[0].contains("list-public-keys"));
}

#[test]
fn a_key_outside_its_validity_or_of_another_region_proves_nothing() {
    let mut world = World::new();
    let mut keys = keys_json(&AWS_KEY);
    keys["PublicKeyList"][0]["ValidityEndTime"] = json!("2026-02-28T00:00:00Z");
    world.keys = Some(keys);
    assert_eq!(world.outcome().0, NotProven);
    // What the metadata of an ordinary digest says does not make it older.
    let newest = &world.digests[HOURS - 1];
    let mut answer = sidecar(&newest.signature);
    answer["Metadata"]["backfill-generation-timestamp"] = json!("2026-02-27T00:00:00Z");
    world.write(&format!("{}.metadata.json", newest.key), answer.to_string().as_bytes());
    assert!(world.outcome().1.iter().all(|row| !row.starts_with('D') || row.ends_with("not proven")));
    let mut world = World::new();
    for field in ["ValidityStartTime", "ValidityEndTime"] {
        let mut keys = keys_json(&AWS_KEY);
        keys["PublicKeyList"][0][field] = json!(null);
        world.keys = Some(keys);
        assert_eq!(world.outcome().0, NotProven, "{field}");
        assert!(world.read().rows[0].reason.contains("was in use is not stated"), "{}", world.read().rows[0].reason);
    }
    let mut world = World::new();
    world.keys = None;
    world.configure = |options| {
        options.keys = PublicKeys::default();
        options.keys.add_listing(keys_json(&AWS_KEY).to_string().as_bytes(), Some("eu-west-1")).unwrap();
    };
    assert_eq!(world.outcome().0, NotProven);
    world.configure = |options| {
        options.keys = PublicKeys::default();
        options.keys.add_listing(keys_json(&AWS_KEY).to_string().as_bytes(), Some(REGION)).unwrap();
    };
    world.expect(Proven, &[]);
}

#[test]
fn another_key_under_the_true_name_makes_everything_invalid() {
    let mut world = World::new();
    world.keys = Some(keys_json(&OTHER_KEY));
    assert_eq!(world.outcome().0, Invalid);
}

#[test]
fn keys_that_are_none_are_refused() {
    let mut keys = PublicKeys::default();
    for text in ["", "{}", "[]", r#"{"PublicKeyList":[{"Value":"!","Fingerprint":"a"}]}"#] {
        assert!(keys.add_listing(text.as_bytes(), None).is_err(), "{text}");
    }
    for (field, value) in
        [("Value", json!("AAAA")), ("ValidityStartTime", json!("then")), ("ValidityStartTime", json!([]))]
    {
        let mut listing = keys_json(&AWS_KEY);
        listing["PublicKeyList"][0][field] = value;
        assert!(keys.add_listing(listing.to_string().as_bytes(), None).is_err(), "{field}");
    }
    keys.add_listing(keys_json(&AWS_KEY).to_string().as_bytes(), None).unwrap();
    keys.add_listing(keys_json(&AWS_KEY).to_string().as_bytes(), None).unwrap();
    assert_eq!(keys.len(), 1);
    let conflict = keys.add_listing(keys_json(&OTHER_KEY).to_string().as_bytes(), None).unwrap_err();
    assert!(conflict.to_string().contains("two different keys"), "{conflict}");
}

#[test]
fn layouts() {
    let made = World::new();
    // Flattened into one folder; below other folders; decompressed.
    let flat = World::empty(made.digests.clone());
    let below = World::empty(made.digests.clone());
    let plain = World::empty(made.digests.clone());
    let name = |key: &str| key.rsplit('/').next().unwrap().to_owned();
    for digest in &made.digests {
        let files = digest.logs.iter().map(|l| (&l.key, &l.content)).chain([(&digest.key, &digest.content)]);
        for (key, content) in files {
            flat.write_gz(&name(key), content.as_bytes());
            below.write_gz(&format!("backup/bucket/prefix/{key}"), content.as_bytes());
            plain.write(key.strip_suffix(".gz").unwrap(), content.as_bytes());
        }
    }
    let newest = &made.digests[5];
    let metadata = sidecar(&newest.signature).to_string();
    flat.write(&format!("{}.metadata.json", name(&newest.key)), metadata.as_bytes());
    plain.write(&format!("{}.metadata.json", newest.key.strip_suffix(".gz").unwrap()), metadata.as_bytes());
    flat.expect(Proven, &[]);
    plain.expect(Proven, &[]);
    // The key has no such prefix, but folders above AWSLogs are the copier's business only without a prefix.
    below.write(&format!("backup/bucket/prefix/{}.metadata.json", newest.key), metadata.as_bytes());
    below.expect(Proven, &[]);
}

#[test]
fn organisation_trails_and_several_trails_are_chains_of_their_own() {
    let world = World::new();
    let second = Trail { trail: "second".into(), ..Trail::default() };
    let member = Trail { account: "444455556666".into(), organisation: "o-abcdefghij/".into(), ..Trail::default() };
    for (trail, unique) in [(&second, "Second"), (&member, "Unique")] {
        let mut digests = trail.make(&mut |_, _| {});
        // Two trails in one account have log files of their own.
        let mut last: Option<Digest> = None;
        for digest in &mut digests {
            let mut fields: Value = serde_json::from_str(&digest.content.replace("Unique", unique)).unwrap();
            digest.logs.iter_mut().for_each(|log| log.key = log.key.replace("Unique", unique));
            if let Some(last) = &last {
                link(&mut fields, last);
            }
            *digest = finish(&AWS_KEY, fields, std::mem::take(&mut digest.logs));
            last = Some(digest.clone());
        }
        world.write_all(&digests);
        let newest = digests.last().unwrap();
        world.write(&format!("{}.metadata.json", newest.key), sidecar(&newest.signature).to_string().as_bytes());
    }
    world.expect(Proven, &[]);
    let report = world.read();
    let chains: Vec<_> = report.chains.iter().map(|c| (c.account.as_str(), c.trail.as_deref().unwrap())).collect();
    assert_eq!(chains, [(ACCOUNT, "main_trail"), (ACCOUNT, "second"), ("444455556666", "main_trail")]);
    // Only what is asked for weighs.
    world.remove(&second.digest_key(hour(2), ""));
    assert_eq!(world.outcome().0, Invalid);
    let mut world = world;
    world.configure = |options| options.trails = BTreeSet::from(["main_trail".to_owned()]);
    let report = world.read();
    assert!(report.chains.iter().all(|c| c.trail.as_deref() != Some("second")), "{:?}", report.chains);
    world.configure = |options| options.accounts = BTreeSet::from(["444455556666".to_owned()]);
    let report = world.read();
    assert_eq!((report.verdict, report.events.taken), (Proven, 12));
    assert_eq!(report.events.other_account, 24);
}

#[test]
fn the_bucket_may_change() {
    let world = World::with(&mut |n, d| {
        if n >= 3 {
            d["digestS3Bucket"] = json!("new-bucket");
        }
    });
    world.expect(Proven, &[]);
}

#[test]
fn hours_without_logs() {
    let digests = Trail { logs_per_hour: 0, ..Trail::default() }.make(&mut |_, _| {});
    let world = World::empty(digests);
    world.write_all(&world.digests);
    world.write_sidecar(5);
    world.expect(Proven, &[]);
}

#[test]
fn backfill_digests() {
    let trail = Trail::default();
    let late = trail.log(hour(2), "Backfilled", &[record(ACCOUNT, REGION, hour(2), "late")]);
    let fields = trail.fields(hour(2), hour(3), std::slice::from_ref(&late), "_backfill");
    let backfill = finish(&AWS_KEY, fields, vec![late]);
    let world = World::new();
    world.write_all(std::slice::from_ref(&backfill));
    let (d, l) = (format!("{} not proven", backfill.key), format!("{} not proven", backfill.logs[0].key));
    world.expect(NotProven, &[&d, &l]);
    let mut metadata = sidecar(&backfill.signature);
    world.write(&format!("{}.metadata.json", backfill.key), metadata.to_string().as_bytes());
    world.expect(NotProven, &[&d, &l]);
    metadata["Metadata"]["backfill-generation-timestamp"] = json!(iso(hour(20)));
    world.write(&format!("{}.metadata.json", backfill.key), metadata.to_string().as_bytes());
    world.expect(Proven, &[]);
    // It does not stand in for the hour's own digest.
    world.write_sidecars();
    world.remove(&world.sidecar_of(2));
    world.remove_digest(2);
    world.expect(Invalid, &["D2 missing", "L2.0 not covered", "L2.1 not covered"]);
}
