//! What somebody without AWS's key can do to a copy. Each test states every row that is not valid.

use serde_json::{Value, json};

use super::super::Verdict::{Invalid, NotProven, Proven};
use super::kit::*;

#[test]
fn an_untouched_chain_is_proven() {
    World::new().expect(Proven, &[]);
}

#[test]
fn with_all_signature_files_it_is_proven_too() {
    let world = World::new();
    world.write_sidecars();
    world.expect(Proven, &[]);
}

#[test]
fn newest_signature_not_fetched() {
    let world = World::new();
    world.remove(&world.sidecar_of(5));
    world.expect(NotProven, &["D5 not proven", "L5.0 not proven", "L5.1 not proven"]);
    assert!(
        world.read().rows.iter().any(|r| { r.reason.contains("aws s3api head-object --bucket bucket --key AWSLogs/") })
    );
}

#[test]
fn newest_digest_deleted() {
    let world = World::new();
    world.remove(&world.sidecar_of(5));
    world.remove_digest(5);
    world.expect(
        NotProven,
        &["D4 not proven", "L4.0 not proven", "L4.1 not proven", "L5.0 not covered", "L5.1 not covered"],
    );
}

#[test]
fn newest_digest_deleted_and_all_signatures_kept() {
    let world = World::new();
    world.write_sidecars();
    world.remove_digest(5);
    world.expect(Invalid, &["D5 missing", "L5.0 not covered", "L5.1 not covered"]);
}

#[test]
fn newest_digest_and_its_logs_deleted() {
    let world = World::new();
    world.write_sidecars();
    world.remove(&world.sidecar_of(5));
    world.remove_digest(5);
    world.digests[5].logs.iter().for_each(|log| world.remove(&log.key));
    world.expect(NotProven, &[]);
}

#[test]
fn middle_digest_deleted() {
    let world = World::new();
    world.remove_digest(2);
    world.expect(
        Invalid,
        &["D1 not proven", "D2 missing", "L1.0 not proven", "L1.1 not proven", "L2.0 not covered", "L2.1 not covered"],
    );
}

#[test]
fn middle_digest_deleted_but_its_predecessor_has_a_signature_file() {
    let world = World::new();
    world.write_sidecars();
    world.remove(&world.sidecar_of(2));
    world.remove_digest(2);
    world.expect(Invalid, &["D2 missing", "L2.0 not covered", "L2.1 not covered"]);
}

#[test]
fn two_digests_deleted() {
    let world = World::new();
    world.remove_digest(2);
    world.remove_digest(3);
    world.expect(
        Invalid,
        &[
            "D1 not proven",
            "D3 missing",
            "L1.0 not proven",
            "L1.1 not proven",
            "L2.0 not covered",
            "L2.1 not covered",
            "L3.0 not covered",
            "L3.1 not covered",
        ],
    );
}

#[test]
fn first_digest_deleted() {
    let world = World::new();
    world.remove_digest(0);
    world.expect(Invalid, &["D0 missing", "L0.0 not covered", "L0.1 not covered"]);
}

#[test]
fn all_digests_deleted() {
    let world = World::new();
    world.remove(&world.sidecar_of(5));
    (0..HOURS).for_each(|n| world.remove_digest(n));
    let rows: Vec<String> =
        (0..HOURS).flat_map(|n| [format!("L{n}.0 not covered"), format!("L{n}.1 not covered")]).collect();
    world.expect(NotProven, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(world.read().reasons[0].contains("there is no digest file"));
}

#[test]
fn everything_deleted() {
    let world = World::empty(Vec::new());
    world.expect(NotProven, &[]);
}

const HOUR_2_LOST: [&str; 2] = ["L2.0 not proven", "L2.1 not proven"];

#[test]
fn listed_hash_changed() {
    let world = World::new();
    world.edit(2, |d| d["logFiles"][0]["hashValue"] = json!(sha(b"other")));
    world.expect(Invalid, &[&["D2 invalid"][..], &HOUR_2_LOST].concat());
}

#[test]
fn listed_hash_and_log_changed_together() {
    let world = World::new();
    world.write_gz(&world.log(2, 0).key, br#"{"Records":[]}"#);
    world.edit(2, |d| d["logFiles"][0]["hashValue"] = json!(sha(br#"{"Records":[]}"#)));
    world.expect(Invalid, &[&["D2 invalid"][..], &HOUR_2_LOST].concat());
}

#[test]
fn newest_digest_changed() {
    let world = World::new();
    world.edit(5, |d| d["logFiles"][0]["hashValue"] = json!(sha(b"other")));
    world.expect(Invalid, &["D5 invalid", "L5.0 not proven", "L5.1 not proven"]);
}

#[test]
fn newest_digest_changed_and_its_signature_not_fetched() {
    let world = World::new();
    world.remove(&world.sidecar_of(5));
    world.edit(5, |d| d["logFiles"][0]["hashValue"] = json!(sha(b"other")));
    world.expect(Invalid, &["D5 not proven", "L5.0 invalid", "L5.1 not proven"]);
}

#[test]
fn log_added_to_a_digest() {
    let world = World::new();
    world.edit(2, |d| {
        let mut extra = d["logFiles"][0].clone();
        extra["s3Object"] = json!(world.log(2, 0).key.replace("Unique0", "Unique9"));
        d["logFiles"].as_array_mut().unwrap().push(extra);
    });
    let extra = format!("s3://bucket/{} not proven", world.log(2, 0).key.replace("Unique0", "Unique9"));
    world.expect(Invalid, &[&["D2 invalid", &extra][..], &HOUR_2_LOST].concat());
}

#[test]
fn digest_times_changed() {
    for (field, value) in [("digestEndTime", hour(3) - chrono::TimeDelta::seconds(1)), ("digestStartTime", hour(1))] {
        let world = World::new();
        world.edit(2, |d| d[field] = json!(iso(value)));
        world.expect(Invalid, &[&["D2 invalid"][..], &HOUR_2_LOST].concat());
    }
}

#[test]
fn digest_that_ends_before_it_starts() {
    let world = World::new();
    world.edit(2, |d| d["digestStartTime"] = json!(iso(hour(4))));
    world.expect(
        Invalid,
        &["D1 not proven", "D2 invalid", "L1.0 not proven", "L1.1 not proven", "L2.0 not covered", "L2.1 not covered"],
    );
}

#[test]
fn previous_hash_changed() {
    let world = World::new();
    world.edit(2, |d| d["previousDigestHashValue"] = json!(sha(b"other")));
    world.expect(Invalid, &[&["D2 invalid"][..], &HOUR_2_LOST].concat());
}

#[test]
fn previous_signature_changed() {
    let world = World::new();
    world.edit(2, |d| d["previousDigestSignature"] = json!(world.digests[4].signature));
    world.expect(
        Invalid,
        &[&["D1 not proven", "D2 invalid", "L1.0 not proven", "L1.1 not proven"][..], &HOUR_2_LOST].concat(),
    );
}

#[test]
fn previous_fields_emptied_to_hide_what_came_before() {
    let world = World::new();
    world.edit(2, |d| {
        for field in ["S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"] {
            d[format!("previousDigest{field}")] = Value::Null;
        }
    });
    world.expect(
        Invalid,
        &[&["D1 not proven", "D2 invalid", "L1.0 not proven", "L1.1 not proven"][..], &HOUR_2_LOST].concat(),
    );
}

#[test]
fn a_chain_linked_past_a_deleted_digest() {
    // Digest 3 is made to continue digest 1, as if hour 2 had never been.
    let world = World::new();
    world.remove_digest(2);
    world.digests[2].logs.iter().for_each(|log| world.remove(&log.key));
    world.edit(3, |d| link(d, &world.digests[1]));
    world.expect(Invalid, &["D3 invalid", "L3.0 not proven", "L3.1 not proven"]);
}

#[test]
fn digest_made_uncheckable() {
    // No signature can be tried, but the proven successor states another hash.
    for field in ["digestPublicKeyFingerprint", "digestSignatureAlgorithm"] {
        let world = World::new();
        world.edit(2, |d| d[field] = json!("00"));
        world.expect(Invalid, &[&["D2 invalid"][..], &HOUR_2_LOST].concat());
    }
}

#[test]
fn digest_renamed() {
    let world = World::new();
    let other = world.digests[2].key.replace("T030000Z", "T030001Z");
    world.rename(&world.digests[2].key, &other);
    let moved = format!("{other} invalid");
    world.expect(
        Invalid,
        &[
            "D1 not proven",
            "D2 missing",
            &moved,
            "L1.0 not proven",
            "L1.1 not proven",
            "L2.0 not covered",
            "L2.1 not covered",
        ],
    );
}

#[test]
fn digest_moved_to_another_day() {
    let world = World::new();
    world.rename(&world.digests[2].key, &world.digests[2].key.replace("2026/03/01", "2026/03/02"));
    world.expect(
        Invalid,
        &[
            "D1 not proven",
            "D2 invalid",
            "D2 missing",
            "L1.0 not proven",
            "L1.1 not proven",
            "L2.0 not covered",
            "L2.1 not covered",
        ],
    );
}

#[test]
fn two_digests_swapped() {
    let world = World::new();
    world.write_gz(&world.digests[2].key, world.digests[3].content.as_bytes());
    world.write_gz(&world.digests[3].key, world.digests[2].content.as_bytes());
    world.expect(
        Invalid,
        &[
            "D1 not proven",
            "D2 invalid",
            "D3 invalid",
            "L1.0 not proven",
            "L1.1 not proven",
            "L2.0 not covered",
            "L2.1 not covered",
            "L3.0 not covered",
            "L3.1 not covered",
        ],
    );
}

#[test]
fn digest_replaced_by_what_is_none() {
    let whole = World::new();
    let digest = whole.digests[2].content.clone();
    let mut cut = gz(digest.as_bytes());
    cut.truncate(cut.len() - 12);
    let mut double = gz(digest.as_bytes());
    double.extend(gz(b"{}"));
    let typed = digest.replace("\"logFiles\":[", "\"logFiles\":5,\"x\":[");
    let lacking = digest.replace("previousDigestSignature", "previousDigestSignatur");
    for bytes in
        [cut, double, gz(typed.as_bytes()), gz(lacking.as_bytes()), gz(b"[]"), gz(b""), Vec::new(), vec![0xff; 99]]
    {
        let world = World::new();
        world.write(&world.digests[2].key, &bytes);
        world.expect(
            Invalid,
            &[
                "D1 not proven",
                "D2 invalid",
                "L1.0 not proven",
                "L1.1 not proven",
                "L2.0 not covered",
                "L2.1 not covered",
            ],
        );
    }
}

#[test]
fn digest_copy_altered_beside_the_true_one() {
    let world = World::new();
    let altered = world.digests[2].content.replace("SHA-256", "SHA-257");
    world.write_gz(&format!("copy/{}", world.digests[2].key), altered.as_bytes());
    world.expect(Invalid, &["D2 invalid"]);
}

#[test]
fn rewritten_by_another_key_under_its_own_name() {
    let world = World::new();
    rewrite_from(&world, 3, "forged");
    world.expect(
        NotProven,
        &[
            "D3 not proven",
            "D4 not proven",
            "D5 not proven",
            "L3.0 not proven",
            "L3.1 not proven",
            "L4.0 not proven",
            "L4.1 not proven",
            "L5.0 not proven",
            "L5.1 not proven",
        ],
    );
}

#[test]
fn rewritten_by_another_key_under_the_name_of_the_true_one() {
    let world = World::new();
    rewrite_from(&world, 3, FINGERPRINT);
    world.expect(
        Invalid,
        &[
            "D3 not proven",
            "D4 not proven",
            "D5 invalid",
            "L3.0 not proven",
            "L3.1 not proven",
            "L4.0 not proven",
            "L4.1 not proven",
            "L5.0 not proven",
            "L5.1 not proven",
        ],
    );
}

/// Signs everything from hour `n` on with another key, signature file included.
fn rewrite_from(world: &World, n: usize, fingerprint: &str) {
    let mut last = world.digests[n - 1].clone();
    for digest in &world.digests[n..] {
        let mut fields: Value = serde_json::from_str(&digest.content).unwrap();
        fields["digestPublicKeyFingerprint"] = json!(fingerprint);
        link(&mut fields, &last);
        last = finish(&OTHER_KEY, fields, Vec::new());
        world.write_gz(&last.key, last.content.as_bytes());
    }
    world.write(&world.sidecar_of(HOURS - 1), sidecar(&last.signature).to_string().as_bytes());
}

#[test]
fn signature_files_swapped() {
    let world = World::new();
    world.write_sidecars();
    world.write(&world.sidecar_of(2), sidecar(&world.digests[3].signature).to_string().as_bytes());
    world.write(&world.sidecar_of(3), sidecar(&world.digests[2].signature).to_string().as_bytes());
    world.expect(
        Invalid,
        &[&["D2 invalid", "D3 invalid", "L3.0 not proven", "L3.1 not proven"][..], &HOUR_2_LOST].concat(),
    );
}

#[test]
fn object_was_written_again_and_lost_its_signature() {
    for metadata in [
        json!({}),
        json!({"signature": "zz", "signature-algorithm": "SHA256withRSA"}),
        json!({"signature": "abcd"}),
        json!({"signature": "abcd", "signature-algorithm": "SHA256withRSA"}),
    ] {
        let world = World::new();
        world.write(&world.sidecar_of(5), json!({"Metadata": metadata}).to_string().as_bytes());
        world.expect(Invalid, &["D5 invalid", "L5.0 not proven", "L5.1 not proven"]);
    }
}

#[test]
fn signature_file_that_is_none() {
    for bytes in [&b""[..], b"An error occurred (403)", b"[]", b"{\"Metadata\": 1}"] {
        let world = World::new();
        world.write(&world.sidecar_of(5), bytes);
        world.expect(NotProven, &["D5 not proven", "L5.0 not proven", "L5.1 not proven"]);
        assert_eq!(world.read().problems.len(), 1);
    }
}

#[test]
fn signature_algorithm_unknown_in_the_metadata() {
    let world = World::new();
    let metadata = json!({"Metadata": {"signature": world.digests[5].signature, "signature-algorithm": "SHA999"}});
    world.write(&world.sidecar_of(5), metadata.to_string().as_bytes());
    world.expect(NotProven, &["D5 not proven", "L5.0 not proven", "L5.1 not proven"]);
}
