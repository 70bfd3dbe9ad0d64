//! One digest file: its fields, the string that AWS signed, and the signature.
//!
//! The signed string is four lines: the end time as written in the digest, `<bucket>/<key>`, the SHA-256 of
//! the digest's uncompressed content in hex, and the previous digest's signature in hex, or `null` in
//! the first digest of a chain
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>).
//! The signature is RSA PKCS#1 v1.5 over SHA-256, and is *not* in the digest: it is in the object's metadata,
//! which a copied folder does not have, and in the next digest. `aws s3api head-object` prints the metadata.

use std::path::Path;

use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::content::{Sha256, read_whole};
use super::names::{self, DigestName};

/// A digest file as far as it can be judged alone.
#[derive(Debug)]
pub(super) struct Digest {
    /// Below the root.
    pub(super) path: String,
    pub(super) name: DigestName,
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) sha256: Sha256,
    pub(super) fingerprint: String,
    pub(super) algorithm: Option<String>,
    pub(super) previous: Previous,
    pub(super) logs: Vec<ListedLog>,
    pub(super) sidecar: Option<Sidecar>,
    /// Of the string that AWS signed.
    message: digest::Digest,
}

/// What a digest says about the one before it.
#[derive(Debug)]
pub(super) enum Previous {
    /// It begins a chain.
    None,
    Stated(Box<Stated>),
    /// Some of the fields are null and some are not, or they do not make sense.
    Inconsistent(String),
}

#[derive(Debug)]
pub(super) struct Stated {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) hash: Sha256,
    pub(super) signature: Vec<u8>,
}

/// One log file that a digest lists.
#[derive(Debug)]
pub(super) struct ListedLog {
    /// Where it is not the digest's own.
    bucket: Option<Box<str>>,
    pub(super) key: Box<str>,
    /// `None`: the algorithm is not SHA-256, or the value not hex, so that nothing can be compared.
    pub(super) hash: Option<Sha256>,
    pub(super) oldest: Option<DateTime<Utc>>,
    pub(super) newest: Option<DateTime<Utc>>,
}

/// The object's metadata, as `aws s3api head-object` printed it.
#[derive(Debug)]
pub(super) enum Sidecar {
    Signature {
        signature: Vec<u8>,
        backfilled: Option<DateTime<Utc>>,
    },
    /// The object has no usable signature: it is not as CloudTrail delivered it.
    Unsigned(String),
    /// An algorithm that this program cannot check.
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    aws_account_id: Option<String>,
    digest_start_time: String,
    digest_end_time: String,
    digest_s3_bucket: String,
    digest_s3_object: String,
    digest_public_key_fingerprint: String,
    digest_signature_algorithm: Option<String>,
    // The CLI demands that these are present, if only as null.
    #[serde(deserialize_with = "present")]
    previous_digest_signature: Option<String>,
    previous_digest_s3_bucket: Option<String>,
    previous_digest_s3_object: Option<String>,
    previous_digest_hash_value: Option<String>,
    previous_digest_hash_algorithm: Option<String>,
    log_files: Vec<LogFields>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogFields {
    s3_bucket: String,
    s3_object: String,
    hash_value: String,
    hash_algorithm: String,
    oldest_event_time: Option<String>,
    newest_event_time: Option<String>,
}

/// With `deserialize_with`, serde does not take an absent field for null.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

impl Digest {
    /// Reads a digest, or says why it is none.
    pub(super) fn load(path: &Path, shown: &str, limit: u64) -> Result<Self, String> {
        let (bytes, sha256) = read_whole(path, limit).map_err(|e| e.to_string())?;
        let fields: Fields = serde_json::from_slice(&bytes).map_err(|e| format!("is not a digest file: {e}"))?;
        let key = fields.digest_s3_object;
        let name = names::parse_digest_name(names::file_name(&key))
            .filter(|_| names::is_sound_key(&key))
            .ok_or_else(|| format!("is not a digest file: digestS3Object {key:?} is not the key of a digest"))?;
        if !names::lies_at(shown, &key) {
            return Err(format!("has been moved or renamed: it states that it is {key}"));
        }
        let (start, end) = (utc(&fields.digest_start_time)?, utc(&fields.digest_end_time)?);
        if start >= end {
            return Err("is not a digest file: it ends before it starts".to_owned());
        }
        if fields.aws_account_id.as_ref().is_some_and(|id| *id != name.account) {
            return Err("contradicts itself: awsAccountId is not the account in digestS3Object".to_owned());
        }
        let message = format!(
            "{}\n{}/{key}\n{}\n{}",
            fields.digest_end_time,
            fields.digest_s3_bucket,
            hex(&sha256),
            fields.previous_digest_signature.as_deref().unwrap_or("null"),
        );
        Ok(Self {
            path: shown.to_owned(),
            name,
            key,
            start,
            end,
            sha256,
            fingerprint: fields.digest_public_key_fingerprint,
            algorithm: fields.digest_signature_algorithm,
            previous: previous(
                fields.previous_digest_s3_bucket,
                fields.previous_digest_s3_object,
                fields.previous_digest_hash_value,
                fields.previous_digest_hash_algorithm,
                fields.previous_digest_signature,
            ),
            logs: fields.log_files.into_iter().map(|log| listed(log, &fields.digest_s3_bucket)).collect(),
            bucket: fields.digest_s3_bucket,
            sidecar: None,
            message: digest::digest(&digest::SHA256, message.as_bytes()),
        })
    }

    /// The bucket of one of its logs.
    pub(super) fn bucket_of<'a>(&'a self, log: &'a ListedLog) -> &'a str {
        log.bucket.as_deref().unwrap_or(&self.bucket)
    }

    /// When it was signed: a backfill digest is signed long after the hour that it is about.
    pub(super) fn signed(&self) -> DateTime<Utc> {
        match &self.sidecar {
            Some(Sidecar::Signature { backfilled: Some(time), .. }) if self.name.backfill => *time,
            _ => self.end,
        }
    }

    /// Whether the signature is the key's over this digest.
    pub(super) fn is_signed(&self, key: &ParsedPublicKey, signature: &[u8]) -> bool {
        key.verify_digest_sig(&self.message, signature).is_ok()
    }
}

fn previous(
    bucket: Option<String>,
    key: Option<String>,
    hash: Option<String>,
    algorithm: Option<String>,
    signature: Option<String>,
) -> Previous {
    match (bucket, key, hash, algorithm, signature) {
        (None, None, None, None, None) => Previous::None,
        (Some(bucket), Some(key), Some(hash), Some(algorithm), Some(signature)) => {
            let bad = |what: String| Previous::Inconsistent(what);
            if algorithm != "SHA-256" {
                return bad(format!("previousDigestHashAlgorithm is {algorithm:?}, which is not known"));
            }
            let Some(hash) = sha256_from_hex(&hash) else {
                return bad("previousDigestHashValue is not a SHA-256 in hex".to_owned());
            };
            let Some(signature) = from_hex(&signature) else {
                return bad("previousDigestSignature is not hex".to_owned());
            };
            if !names::is_sound_key(&key) {
                return bad(format!("previousDigestS3Object {key:?} is not the key of a digest"));
            }
            Previous::Stated(Box::new(Stated { bucket, key, hash, signature }))
        }
        _ => Previous::Inconsistent("some of its previousDigest fields are null and some are not".to_owned()),
    }
}

fn listed(fields: LogFields, own_bucket: &str) -> ListedLog {
    let hash = (fields.hash_algorithm == "SHA-256").then(|| sha256_from_hex(&fields.hash_value)).flatten();
    let time = |text: Option<String>| text.and_then(|t| utc(&t).ok());
    ListedLog {
        bucket: (fields.s3_bucket != own_bucket).then(|| fields.s3_bucket.into()),
        key: fields.s3_object.into(),
        hash,
        oldest: time(fields.oldest_event_time),
        newest: time(fields.newest_event_time),
    }
}

/// Reads a head-object answer. An error means that the file is not one, and says nothing about the object.
pub(super) fn load_sidecar(path: &Path, limit: u64) -> Result<Sidecar, String> {
    let (bytes, _) = read_whole(path, limit).map_err(|e| e.to_string())?;
    let answer: Map<String, Value> = serde_json::from_slice(&bytes)
        .map_err(|e| format!("is not what `aws s3api head-object` prints: {e}; write it again"))?;
    let Some(Value::Object(metadata)) = answer.get("Metadata") else {
        return Err("is not what `aws s3api head-object` prints: it has no Metadata; write it again".to_owned());
    };
    let field = |wanted: &str| {
        let is_it = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("x-amz-meta-").unwrap_or(&name) == wanted
        };
        metadata.iter().find(|(name, _)| is_it(name)).and_then(|(_, value)| value.as_str())
    };
    let Some(signature) = field("signature") else {
        return Ok(Sidecar::Unsigned("the object's metadata holds no signature".to_owned()));
    };
    match field("signature-algorithm") {
        Some("SHA256withRSA") => {}
        Some(other) => return Ok(Sidecar::Unknown(other.to_owned())),
        None => {
            return Ok(Sidecar::Unsigned("the object's metadata holds no signature algorithm".to_owned()));
        }
    }
    let Some(signature) = from_hex(signature) else {
        return Ok(Sidecar::Unsigned("the signature in the object's metadata is not hex".to_owned()));
    };
    let backfilled = field("backfill-generation-timestamp").and_then(|t| utc(t).ok());
    Ok(Sidecar::Signature { signature, backfilled })
}

fn utc(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|t| t.to_utc())
        .map_err(|e| format!("is not a digest file: time {text:?}: {e}"))
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    // An RSA signature of 8192 bits has 2048 hex digits; nothing longer is one.
    let text = text.as_bytes();
    if text.is_empty() || text.len() > 2048 || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

fn sha256_from_hex(text: &str) -> Option<Sha256> {
    from_hex(text)?.try_into().ok()
}
