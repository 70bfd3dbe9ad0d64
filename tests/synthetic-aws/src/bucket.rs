//! A trail's bucket: the log files and digests that CloudTrail would have delivered of an account's events, signed.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>.
//! The key is made anew each time, so that nobody can sign with it later; its public half goes into the account, where
//! ListPublicKeys finds it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::Account;
use crate::account::trail::PublicKey;

/// How long after it happened an event is delivered.
const DELAY: TimeDelta = TimeDelta::minutes(5);

/// Delivers the events of a trail to a folder, as `aws s3 sync` would copy them, with the signature of each Region's newest
/// digest beside it, and puts the public key into the account. Each Region has a digest for each hour.
///
/// # Errors
/// There is no trail of this name, or the folder cannot be written.
pub fn deliver(
    account: &mut Account,
    trail: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    folder: &Path,
) -> io::Result<()> {
    let key = KeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
    let found = account.trails.iter().find(|t| t.name == trail);
    let (home, bucket) = match found {
        Some(trail) => (trail.home.clone(), trail.bucket.clone()),
        None => return Err(io::Error::new(io::ErrorKind::NotFound, format!("the account has no trail {trail}"))),
    };
    let der = key.public_key().as_ref().to_vec();
    let fingerprint = hex(digest(&SHA256, &der).as_ref())[..32].to_owned();
    account.public_keys = vec![PublicKey {
        value: base64::engine::general_purpose::STANDARD.encode(der),
        fingerprint: fingerprint.clone(),
        from: from - TimeDelta::days(30),
        to: to + TimeDelta::days(30),
    }];
    let regions: Vec<String> = account.regions.iter().filter(|r| r.is_enabled()).map(|r| r.name.clone()).collect();
    for region in regions {
        let chain = Chain { account, trail, home: &home, bucket: &bucket, region: &region, fingerprint: &fingerprint };
        chain.write(&key, from, to, folder)?;
    }
    Ok(())
}

struct Chain<'a> {
    account: &'a Account,
    trail: &'a str,
    home: &'a str,
    bucket: &'a str,
    region: &'a str,
    fingerprint: &'a str,
}

struct Previous {
    key: String,
    hash: String,
    signature: String,
}

impl Chain<'_> {
    fn write(&self, key: &KeyPair, from: DateTime<Utc>, to: DateTime<Utc>, folder: &Path) -> io::Result<()> {
        let mut by_hour: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        if let Some(store) = self.account.events.get(self.region) {
            for number in (0..store.len()).rev() {
                let delivered = store.time(number) + DELAY;
                if delivered >= from && delivered < to {
                    by_hour.entry((delivered - from).num_hours()).or_default().push(number);
                }
            }
        }
        let mut previous: Option<Previous> = None;
        for hour in 0..(to - from).num_hours() {
            let (start, end) = (from + TimeDelta::hours(hour), from + TimeDelta::hours(hour + 1));
            let logs = self.log(by_hour.get(&hour), start, end, folder)?;
            previous = Some(self.digest(key, (start, end), logs, previous.as_ref(), folder)?);
        }
        if let Some(last) = previous {
            let metadata = json!({"Metadata": {"signature": last.signature, "signature-algorithm": "SHA256withRSA"}});
            put(folder, &format!("{}.metadata.json", last.key), metadata.to_string().as_bytes())?;
        }
        Ok(())
    }

    fn log(
        &self,
        numbers: Option<&Vec<u64>>,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
        folder: &Path,
    ) -> io::Result<Vec<Value>> {
        let (Some(numbers), Some(store)) = (numbers, self.account.events.get(self.region)) else {
            return Ok(Vec::new());
        };
        let records: Vec<String> = numbers.iter().map(|number| store.record(*number)).collect();
        let content = format!("{{\"Records\":[{}]}}", records.join(","));
        let at = end - TimeDelta::minutes(5);
        let (account, region) = (&self.account.id, self.region);
        let name =
            format!("{account}_CloudTrail_{region}_{}_{:016x}.json.gz", at.format("%Y%m%dT%H%MZ"), start.timestamp());
        let key = format!("AWSLogs/{account}/CloudTrail/{region}/{}/{name}", at.format("%Y/%m/%d"));
        put_gz(folder, &key, content.as_bytes())?;
        let times = numbers.iter().map(|number| store.time(*number));
        Ok(vec![json!({
            "s3Bucket": self.bucket, "s3Object": key,
            "hashValue": hex(digest(&SHA256, content.as_bytes()).as_ref()), "hashAlgorithm": "SHA-256",
            "oldestEventTime": times.clone().min().map(iso), "newestEventTime": times.max().map(iso),
        })])
    }

    fn digest(
        &self,
        key: &KeyPair,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        logs: Vec<Value>,
        previous: Option<&Previous>,
        folder: &Path,
    ) -> io::Result<Previous> {
        let Self { trail, home, region, bucket, .. } = self;
        let account = &self.account.id;
        let name =
            format!("{account}_CloudTrail-Digest_{region}_{trail}_{home}_{}.json.gz", end.format("%Y%m%dT%H%M%SZ"));
        let object = format!("AWSLogs/{account}/CloudTrail-Digest/{region}/{}/{name}", end.format("%Y/%m/%d"));
        let fields = json!({
            "awsAccountId": account, "digestStartTime": iso(start), "digestEndTime": iso(end),
            "digestS3Bucket": bucket, "digestS3Object": object, "digestPublicKeyFingerprint": self.fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA", "newestEventTime": null, "oldestEventTime": null,
            "previousDigestS3Bucket": previous.map(|_| bucket),
            "previousDigestS3Object": previous.map(|p| &p.key),
            "previousDigestHashValue": previous.map(|p| &p.hash),
            "previousDigestHashAlgorithm": previous.map(|_| "SHA-256"),
            "previousDigestSignature": previous.map(|p| &p.signature),
            "logFiles": logs,
        });
        let content = fields.to_string();
        let hash = hex(digest(&SHA256, content.as_bytes()).as_ref());
        let before = previous.map_or("null", |p| p.signature.as_str());
        let message = format!("{}\n{bucket}/{object}\n{hash}\n{before}", iso(end));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(io::Error::other)?;
        put_gz(folder, &object, content.as_bytes())?;
        Ok(Previous { key: object, hash, signature: hex(&signature) })
    }
}

fn iso(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn put_gz(folder: &Path, key: &str, content: &[u8]) -> io::Result<()> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content)?;
    put(folder, key, &encoder.finish()?)
}

fn put(folder: &Path, key: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(key);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, bytes)
}
