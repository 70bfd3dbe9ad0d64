//! Makes trails: keys, logs, digests and their signatures, as AWS would deliver them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::super::digest::hex;
use super::super::{DELIVERY, Kind, Options, Period, PublicKeys, Report, Status, Verdict, read};

pub(super) static AWS_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
pub(super) static OTHER_KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
pub(super) const FINGERPRINT: &str = "31e8b5433410dfb61a9dc45cc65b22ff";
pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const REGION: &str = "us-east-1";
pub(super) const HOURS: usize = 6;

pub(super) fn start() -> DateTime<Utc> {
    "2026-03-01T00:00:00Z".parse().unwrap()
}

pub(super) fn hour(n: i64) -> DateTime<Utc> {
    start() + TimeDelta::hours(n)
}

pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn sha(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

pub(super) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn sign(key: &KeyPair, message: &str) -> String {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    hex(&signature)
}

pub(super) fn keys_json(key: &KeyPair) -> Value {
    let value = base64::engine::general_purpose::STANDARD.encode(key.public_key().as_ref());
    json!({"PublicKeyList": [{"Value": value, "Fingerprint": FINGERPRINT,
        "ValidityStartTime": "2026-02-01T00:00:00+00:00", "ValidityEndTime": 1_780_000_000.0}]})
}

/// One trail in one Region.
#[derive(Clone)]
pub(super) struct Trail {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) trail: String,
    pub(super) home: String,
    pub(super) bucket: String,
    /// Between `AWSLogs/` and the account: `o-orgid/`.
    pub(super) organisation: String,
    pub(super) hours: usize,
    pub(super) logs_per_hour: usize,
}

impl Default for Trail {
    fn default() -> Self {
        Self {
            account: ACCOUNT.into(),
            region: REGION.into(),
            trail: "main_trail".into(),
            home: "us-east-1".into(),
            bucket: "bucket".into(),
            organisation: String::new(),
            hours: HOURS,
            logs_per_hour: 2,
        }
    }
}

#[derive(Clone)]
pub(super) struct Log {
    pub(super) key: String,
    pub(super) content: String,
}

#[derive(Clone)]
pub(super) struct Digest {
    pub(super) key: String,
    pub(super) bucket: String,
    pub(super) content: String,
    pub(super) signature: String,
    pub(super) logs: Vec<Log>,
}

pub(super) fn record(account: &str, region: &str, time: DateTime<Utc>, id: &str) -> Value {
    json!({"eventVersion": "1.09", "userIdentity": {"type": "AssumedRole", "accountId": account},
        "eventTime": iso(time), "eventSource": "iam.amazonaws.com", "eventName": "GetRole", "awsRegion": region,
        "eventID": id, "readOnly": true, "recipientAccountId": account})
}

impl Trail {
    pub(super) fn log(&self, at: DateTime<Utc>, unique: &str, records: &[Value]) -> Log {
        let Self { account, region, organisation, .. } = self;
        let key = format!(
            "AWSLogs/{organisation}{account}/CloudTrail/{region}/{}/{account}_CloudTrail_{region}_{}_{unique}.json.gz",
            at.format("%Y/%m/%d"),
            at.format("%Y%m%dT%H%MZ")
        );
        Log { key, content: json!({"Records": records}).to_string() }
    }

    pub(super) fn digest_key(&self, end: DateTime<Utc>, suffix: &str) -> String {
        let Self { account, region, trail, home, organisation, .. } = self;
        format!(
            "AWSLogs/{organisation}{account}/CloudTrail-Digest/{region}/{}/{account}_CloudTrail-Digest_{region}_{trail}_{home}_{}{suffix}.json.gz",
            end.format("%Y/%m/%d"),
            end.format("%Y%m%dT%H%M%SZ")
        )
    }

    pub(super) fn fields(&self, from: DateTime<Utc>, to: DateTime<Utc>, logs: &[Log], suffix: &str) -> Value {
        let listed: Vec<Value> = logs
            .iter()
            .map(|log| {
                json!({"s3Bucket": self.bucket, "s3Object": log.key, "hashValue": sha(log.content.as_bytes()),
                    "hashAlgorithm": "SHA-256", "oldestEventTime": iso(from), "newestEventTime": iso(to - TimeDelta::minutes(1))})
            })
            .collect();
        json!({"awsAccountId": self.account, "digestStartTime": iso(from), "digestEndTime": iso(to),
            "digestS3Bucket": self.bucket, "digestS3Object": self.digest_key(to, suffix),
            "digestPublicKeyFingerprint": FINGERPRINT, "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": null, "oldestEventTime": null, "logFiles": listed,
            "previousDigestS3Bucket": null, "previousDigestS3Object": null, "previousDigestHashValue": null,
            "previousDigestHashAlgorithm": null, "previousDigestSignature": null})
    }

    /// Makes the chain; `edit` changes a digest before it is signed.
    pub(super) fn make(&self, edit: &mut dyn FnMut(usize, &mut Value)) -> Vec<Digest> {
        let mut made: Vec<Digest> = Vec::new();
        for n in 0..self.hours {
            let (from, to) = (hour(n as i64), hour(n as i64 + 1));
            let logs: Vec<Log> = (0..self.logs_per_hour)
                .map(|l| {
                    let at = from + TimeDelta::minutes(10 * l as i64 + 5);
                    let id = format!("{}-{}-{n}-{l}", self.account, self.region);
                    self.log(
                        at,
                        &format!("Unique{l}"),
                        &[record(&self.account, &self.region, from + TimeDelta::minutes(3), &id)],
                    )
                })
                .collect();
            let mut fields = self.fields(from, to, &logs, "");
            if let Some(previous) = made.last() {
                link(&mut fields, previous);
            }
            edit(n, &mut fields);
            made.push(finish(&AWS_KEY, fields, logs));
        }
        made
    }
}

pub(super) fn link(fields: &mut Value, previous: &Digest) {
    fields["previousDigestS3Bucket"] = json!(previous.bucket);
    fields["previousDigestS3Object"] = json!(previous.key);
    fields["previousDigestHashValue"] = json!(sha(previous.content.as_bytes()));
    fields["previousDigestHashAlgorithm"] = json!("SHA-256");
    fields["previousDigestSignature"] = json!(previous.signature);
}

/// Signs a digest.
pub(super) fn finish(key: &KeyPair, fields: Value, logs: Vec<Log>) -> Digest {
    let content = fields.to_string();
    let text = |name: &str| fields[name].as_str().unwrap_or("null").to_owned();
    let message = format!(
        "{}\n{}/{}\n{}\n{}",
        text("digestEndTime"),
        text("digestS3Bucket"),
        text("digestS3Object"),
        sha(content.as_bytes()),
        text("previousDigestSignature")
    );
    Digest {
        key: text("digestS3Object"),
        bucket: text("digestS3Bucket"),
        signature: sign(key, &message),
        content,
        logs,
    }
}

pub(super) fn sidecar(signature: &str) -> Value {
    json!({"ContentLength": 1, "Metadata": {"signature": signature, "signature-algorithm": "SHA256withRSA"}})
}

/// A folder with copied files.
pub(super) struct World {
    pub(super) dir: tempfile::TempDir,
    pub(super) digests: Vec<Digest>,
    pub(super) period: Period,
    pub(super) keys: Option<Value>,
    pub(super) configure: fn(&mut Options<'_>),
    pub(super) events: Mutex<BTreeMap<String, u64>>,
}

impl World {
    /// One Region, six hours, the newest digest's signature beside it.
    pub(super) fn new() -> Self {
        Self::with(&mut |_, _| {})
    }

    pub(super) fn with(edit: &mut dyn FnMut(usize, &mut Value)) -> Self {
        let world = Self::empty(Trail::default().make(edit));
        world.write_all(&world.digests);
        world.write_sidecar(HOURS - 1);
        world
    }

    pub(super) fn empty(digests: Vec<Digest>) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            digests,
            period: Period { from: start(), to: hour(HOURS as i64) - DELIVERY },
            keys: Some(keys_json(&AWS_KEY)),
            configure: |_| {},
            events: Mutex::default(),
        }
    }

    pub(super) fn write_all(&self, digests: &[Digest]) {
        for digest in digests {
            self.write_gz(&digest.key, digest.content.as_bytes());
            for log in &digest.logs {
                self.write_gz(&log.key, log.content.as_bytes());
            }
        }
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.dir.path().join(key)
    }

    pub(super) fn write(&self, key: &str, bytes: &[u8]) {
        let path = self.path(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(super) fn write_gz(&self, key: &str, bytes: &[u8]) {
        self.write(key, &gz(bytes));
    }

    pub(super) fn write_sidecar(&self, n: usize) {
        let digest = &self.digests[n];
        self.write(&format!("{}.metadata.json", digest.key), sidecar(&digest.signature).to_string().as_bytes());
    }

    pub(super) fn write_sidecars(&self) {
        (0..self.digests.len()).for_each(|n| self.write_sidecar(n));
    }

    pub(super) fn remove(&self, key: &str) {
        fs::remove_file(self.path(key)).unwrap();
    }

    pub(super) fn remove_digest(&self, n: usize) {
        self.remove(&self.digests[n].key);
    }

    pub(super) fn sidecar_of(&self, n: usize) -> String {
        format!("{}.metadata.json", self.digests[n].key)
    }

    pub(super) fn log(&self, n: usize, l: usize) -> &Log {
        &self.digests[n].logs[l]
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.path(from), to).unwrap();
    }

    /// Changes a digest's file, without signing it again.
    pub(super) fn edit(&self, n: usize, edit: impl FnOnce(&mut Value)) {
        let mut fields: Value = serde_json::from_str(&self.digests[n].content).unwrap();
        edit(&mut fields);
        self.write_gz(&self.digests[n].key, fields.to_string().as_bytes());
    }

    pub(super) fn read(&self) -> Report {
        let mut keys = PublicKeys::default();
        if let Some(json) = &self.keys {
            keys.add_listing(json.to_string().as_bytes(), None).unwrap();
        }
        let mut options = Options { keys, ..Options::new(self.dir.path(), self.period) };
        (self.configure)(&mut options);
        self.events.lock().unwrap().clear();
        let report = read(&options, &|record| record.into(), &|event| {
            *self.events.lock().unwrap().entry(event.id.to_owned()).or_default() += 1;
            Ok(())
        });
        report.unwrap()
    }

    /// `D3` for the digest of hour 3, `L3.1` for its second log, else the path.
    fn label(&self, kind: Kind, path: &str) -> String {
        let stem = |p: &str| p.rsplit('/').next().unwrap().trim_end_matches(".gz").to_owned();
        for (n, digest) in self.digests.iter().enumerate() {
            if kind == Kind::Digest && stem(&digest.key) == stem(path) {
                return format!("D{n}");
            }
            if let Some(l) = digest.logs.iter().position(|log| kind == Kind::Log && stem(&log.key) == stem(path)) {
                return format!("L{n}.{l}");
            }
        }
        path.to_owned()
    }

    /// The verdict and every row that is not valid, as `D3 invalid`.
    pub(super) fn outcome(&self) -> (Verdict, Vec<String>) {
        let report = self.read();
        let mut found: Vec<String> = report
            .rows
            .iter()
            .filter(|row| row.status != Status::Valid)
            .map(|row| format!("{} {}", self.label(row.kind, &row.path), row.status))
            .collect();
        found.sort();
        assert!(report.rows.iter().all(|row| !row.reason.is_empty()), "a row without a reason");
        assert_eq!(report.verdict == Verdict::Proven, report.reasons.is_empty(), "{:?}", report.reasons);
        (report.verdict, found)
    }

    #[track_caller]
    pub(super) fn expect(&self, verdict: Verdict, rows: &[&str]) {
        let (found, others) = self.outcome();
        let mut rows: Vec<String> = rows.iter().map(|r| (*r).to_owned()).collect();
        rows.sort();
        assert_eq!((found, others), (verdict, rows), "{:#?}", self.read().reasons);
    }
}
