//! What somebody can do to log files. Each test states every row that is not valid.

use serde_json::Value;

use super::super::Verdict::{Invalid, NotProven};
use super::kit::*;

#[test]
fn log_hidden_from_its_digest() {
    let world = World::new();
    world.edit(2, |d| {
        d["logFiles"].as_array_mut().unwrap().remove(0);
    });
    world.expect(Invalid, &["D2 invalid", "L2.0 not covered", "L2.1 not proven"]);
}

#[test]
fn log_hidden_from_its_digest_and_deleted() {
    let world = World::new();
    world.remove(&world.log(2, 0).key);
    world.edit(2, |d| {
        d["logFiles"].as_array_mut().unwrap().remove(0);
    });
    world.expect(Invalid, &["D2 invalid", "L2.1 not proven"]);
}

#[test]
fn log_altered() {
    let world = World::new();
    world.write_gz(&world.log(2, 0).key, world.log(2, 0).content.replace("GetRole", "PutRole").as_bytes());
    world.expect(Invalid, &["L2.0 invalid"]);
}

#[test]
fn log_altered_in_the_last_hour_whose_digest_is_not_proven() {
    let world = World::new();
    world.remove(&world.sidecar_of(5));
    world.write_gz(&world.log(5, 0).key, br#"{"Records":[]}"#);
    world.expect(Invalid, &["D5 not proven", "L5.0 invalid", "L5.1 not proven"]);
}

#[test]
fn log_deleted() {
    let world = World::new();
    world.remove(&world.log(2, 0).key);
    world.expect(Invalid, &["L2.0 missing"]);
}

#[test]
fn log_cut_short_or_followed_by_more() {
    let whole = gz(World::new().log(2, 0).content.as_bytes());
    let cut = whole[..whole.len() - 9].to_vec();
    let without_trailer = whole[..whole.len() - 8].to_vec();
    let more = [whole.clone(), gz(b"{}")].concat();
    let zeros = [whole, vec![0; 8]].concat();
    for bytes in [cut, without_trailer, more, zeros, Vec::new()] {
        let world = World::new();
        world.write(&world.log(2, 0).key, &bytes);
        world.expect(Invalid, &["L2.0 invalid"]);
        assert!(world.read().problems.iter().any(|p| p.events_lost && p.path.contains("Unique0")));
    }
}

#[test]
fn log_spread_over_lines() {
    let world = World::new();
    let value: Value = serde_json::from_str(&world.log(2, 0).content).unwrap();
    world.write_gz(&world.log(2, 0).key, serde_json::to_string_pretty(&value).unwrap().as_bytes());
    world.expect(Invalid, &["L2.0 invalid"]);
    assert_eq!(world.read().events.taken, 12);
}

#[test]
fn log_renamed() {
    let world = World::new();
    let other = world.log(2, 0).key.replace("Unique0", "Unique7");
    world.rename(&world.log(2, 0).key, &other);
    let unlisted = format!("{other} not covered");
    world.expect(Invalid, &["L2.0 missing", &unlisted]);
    assert!(world.read().rows.iter().filter(|r| r.reason.contains("renamed")).count() == 2);
}

#[test]
fn log_moved_to_another_day() {
    let world = World::new();
    world.rename(&world.log(2, 0).key, &world.log(2, 0).key.replace("2026/03/01", "2026/02/28"));
    world.expect(Invalid, &["L2.0 invalid"]);
}

#[test]
fn two_logs_swapped() {
    let world = World::new();
    world.write_gz(&world.log(2, 0).key, world.log(2, 1).content.as_bytes());
    world.write_gz(&world.log(2, 1).key, world.log(2, 0).content.as_bytes());
    world.expect(Invalid, &["L2.0 invalid", "L2.1 invalid"]);
}

#[test]
fn log_that_no_digest_lists() {
    let world = World::new();
    let extra = Trail::default().log(hour(2), "Extra", &[record(ACCOUNT, REGION, hour(2), "extra")]);
    world.write_gz(&extra.key, extra.content.as_bytes());
    world.expect(NotProven, &[&format!("{} not covered", extra.key)]);
}

#[test]
fn altered_copy_of_a_log_in_another_folder() {
    let world = World::new();
    let name = world.log(2, 0).key.rsplit('/').next().unwrap().to_owned();
    world.write_gz(&format!("copies/{name}"), br#"{"Records":[]}"#);
    world.expect(Invalid, &["L2.0 invalid"]);
}
