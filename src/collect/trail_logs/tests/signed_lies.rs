//! Digests that are signed with AWS's key and say what is not so. `validate-logs` believes most of them.

use serde_json::{Value, json};

use super::super::Verdict::{Invalid, NotProven, Proven};
use super::kit::*;

fn lie(n: usize, edit: impl Fn(&mut Value)) -> World {
    World::with(&mut |hour, digest| {
        if hour == n {
            edit(digest);
        }
    })
}

#[test]
fn inconsistent_previous_hash() {
    let world = lie(3, |d| d["previousDigestHashValue"] = json!(sha(b"other")));
    world.expect(NotProven, &["D3 not proven", "L3.0 not proven", "L3.1 not proven"]);
}

#[test]
fn inconsistent_previous_signature() {
    let wrong = sign(&AWS_KEY, "something else");
    let world = lie(3, |d| d["previousDigestSignature"] = json!(wrong));
    let rows =
        ["D2 not proven", "D3 not proven", "L2.0 not proven", "L2.1 not proven", "L3.0 not proven", "L3.1 not proven"];
    world.expect(NotProven, &rows);
    world.write_sidecars();
    world.expect(NotProven, &["D3 not proven", "L3.0 not proven", "L3.1 not proven"]);
}

#[test]
fn inconsistent_previous_hash_and_signature() {
    let wrong = sign(&AWS_KEY, "something else");
    let world = lie(3, |d| {
        d["previousDigestHashValue"] = json!(sha(b"other"));
        d["previousDigestSignature"] = json!(wrong);
    });
    // Two proven statements against one file.
    world.expect(Invalid, &["D2 invalid", "L2.0 not proven", "L2.1 not proven"]);
    // With the metadata's word for it, the file is good and the statement is not.
    world.write_sidecars();
    world.expect(NotProven, &["D3 not proven", "L3.0 not proven", "L3.1 not proven"]);
}

#[test]
fn previous_digest_in_another_bucket() {
    let world = lie(3, |d| d["previousDigestS3Bucket"] = json!("elsewhere"));
    world.expect(NotProven, &["D3 not proven", "L3.0 not proven", "L3.1 not proven"]);
}

#[test]
fn previous_fields_half_empty_or_senseless() {
    for (field, value) in [
        ("previousDigestHashValue", Value::Null),
        ("previousDigestS3Bucket", Value::Null),
        ("previousDigestHashAlgorithm", json!("MD5")),
        ("previousDigestHashValue", json!("xyz")),
        ("previousDigestSignature", json!("xyz")),
        ("previousDigestS3Object", json!("../../etc/passwd")),
    ] {
        let world = lie(3, |d| d[field] = value.clone());
        let rows = [
            "D2 not proven",
            "D3 not proven",
            "L2.0 not proven",
            "L2.1 not proven",
            "L3.0 not proven",
            "L3.1 not proven",
        ];
        world.expect(NotProven, &rows);
    }
}

#[test]
fn the_chain_starts_anew() {
    let world = World::with(&mut |hour, digest| {
        if hour == 3 {
            for field in ["S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"] {
                digest[format!("previousDigest{field}")] = Value::Null;
            }
        }
    });
    world.expect(NotProven, &["D2 not proven", "L2.0 not proven", "L2.1 not proven"]);
    world.write_sidecars();
    world.expect(NotProven, &[]);
    assert!(world.read().chains[0].reasons[0].contains("starts anew"), "{:?}", world.read().chains[0].reasons);
    assert_eq!(world.read().chains[0].proven.len(), 2);
}

#[test]
fn the_digests_do_not_adjoin() {
    let world = lie(3, |d| d["digestStartTime"] = json!("2026-03-01T03:10:00Z"));
    world.expect(NotProven, &[]);
    assert!(world.read().chains[0].reasons[0].contains("2026-03-01T03:00:00Z to 2026-03-01T03:10:00Z"));
    let world = lie(3, |d| d["digestStartTime"] = json!("2026-03-01T02:50:00Z"));
    world.expect(NotProven, &[]);
    assert_eq!(world.read().chains[0].reasons, ["the chain is broken at 2026-03-01T02:50:00Z: the digests overlap"]);
}

#[test]
fn algorithms_unknown() {
    for value in [json!("SHA512withRSA"), Value::Null] {
        let world = lie(3, |d| d["digestSignatureAlgorithm"] = value.clone());
        world.expect(NotProven, &["D3 not proven", "L3.0 not proven", "L3.1 not proven"]);
    }
    let world = lie(3, |d| d["logFiles"][0]["hashAlgorithm"] = json!("MD5"));
    world.expect(NotProven, &["L3.0 not proven"]);
    let world = lie(3, |d| d["logFiles"][0]["hashValue"] = json!("nothing"));
    world.expect(NotProven, &["L3.0 not proven"]);
}

#[test]
fn two_digests_list_one_log() {
    let other = World::new();
    let (key, hash) = (other.log(3, 0).key.clone(), sha(other.log(3, 0).content.as_bytes()));
    let twice = |hash: String| {
        lie(4, move |d| {
            let mut listed = d["logFiles"][0].clone();
            listed["s3Object"] = json!(key);
            listed["hashValue"] = json!(hash);
            d["logFiles"].as_array_mut().unwrap().push(listed);
        })
    };
    let world = twice.clone()(hash);
    world.expect(Proven, &[]);
    assert!(world.read().rows.iter().any(|r| r.reason.contains("listed 2 times")));
    twice(sha(b"other")).expect(Invalid, &["L3.0 invalid"]);
}

#[test]
fn keys_that_climb_out_of_the_folder() {
    let world = lie(3, |d| {
        let mut listed = d["logFiles"][0].clone();
        listed["s3Object"] = json!("../../../../etc/passwd");
        d["logFiles"].as_array_mut().unwrap().push(listed);
    });
    world.expect(Invalid, &["s3://bucket/../../../../etc/passwd missing"]);
    let world = World::new();
    let mut fields: Value = serde_json::from_str(&world.digests[3].content).unwrap();
    fields["digestS3Object"] = json!(format!("../../{}", world.digests[3].key));
    let climbing = finish(&AWS_KEY, fields, Vec::new());
    world.write_gz(&world.digests[3].key, climbing.content.as_bytes());
    let rows =
        ["D2 not proven", "D3 invalid", "L2.0 not proven", "L2.1 not proven", "L3.0 not covered", "L3.1 not covered"];
    world.expect(Invalid, &rows);
}

#[test]
fn account_of_the_digest_is_another() {
    let world = lie(3, |d| d["awsAccountId"] = json!("999999999999"));
    let rows =
        ["D2 not proven", "D3 invalid", "L2.0 not proven", "L2.1 not proven", "L3.0 not covered", "L3.1 not covered"];
    world.expect(Invalid, &rows);
}

#[test]
fn a_digest_continues_another_chain() {
    let other = Trail { trail: "other".into(), ..Trail::default() }.make(&mut |_, _| {});
    let world = lie(3, |d| link(d, &other[2]));
    world.write_gz(&other[2].key, other[2].content.as_bytes());
    world.write(&format!("{}.metadata.json", other[2].key), sidecar(&other[2].signature).to_string().as_bytes());
    world.write_sidecars();
    let (verdict, rows) = world.outcome();
    assert_eq!(verdict, Invalid);
    assert!(rows.contains(&"D3 not proven".to_owned()), "{rows:?}");
}

#[test]
fn a_digest_continues_itself_or_the_future() {
    let later = World::new().digests[5].clone();
    let world = lie(3, |d| link(d, &later));
    let (verdict, rows) = world.outcome();
    assert_ne!(verdict, Proven);
    assert!(rows.contains(&"D3 not proven".to_owned()), "{rows:?}");
    let me = World::new().digests[3].clone();
    let (verdict, rows) = lie(3, |d| link(d, &me)).outcome();
    assert_ne!(verdict, Proven);
    assert!(rows.contains(&"D3 not proven".to_owned()), "{rows:?}");
}
