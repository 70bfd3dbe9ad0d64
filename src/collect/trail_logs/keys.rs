//! CloudTrail's public keys, as `ListPublicKeys` returns them.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>: the value is
//! a DER-encoded PKCS#1 RSA key, in base64 where it is written as JSON. Each Region has its own keys. How
//! AWS computes a fingerprint is not published, so it serves as a name and proves nothing: whoever
//! supplies the keys vouches that they came from AWS.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

/// One public key.
#[derive(Debug, Clone)]
pub struct PublicKey {
    /// The name by which digests refer to it.
    pub fingerprint: String,
    /// The DER-encoded PKCS#1 key.
    pub der: Vec<u8>,
    /// Start of its use.
    pub valid_from: Option<DateTime<Utc>>,
    /// End of its use.
    pub valid_to: Option<DateTime<Utc>>,
    /// The Region that was asked for it, if known: a key of one Region must not sign for another.
    pub region: Option<String>,
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The text is not what `aws cloudtrail list-public-keys` prints.
    #[error(
        "the keys file is not the JSON that `aws cloudtrail list-public-keys --output json` prints: {0}; write it again"
    )]
    Json(serde_json::Error),
    /// A field of a key is not what AWS documents.
    #[error(
        "key {fingerprint} in the keys file has a bad {field}: {cause}; fetch the keys again with `aws cloudtrail list-public-keys`"
    )]
    Field {
        /// The key's name.
        fingerprint: String,
        /// The field of the key.
        field: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// Two keys of one name.
    #[error("two different keys are called {0}; remove the one that did not come from AWS")]
    Conflict(String),
}

/// The keys to verify with, by fingerprint.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys {
    by_fingerprint: BTreeMap<String, (PublicKey, ParsedKey)>,
}

#[derive(Clone)]
struct ParsedKey(std::sync::Arc<ParsedPublicKey>);

impl std::fmt::Debug for ParsedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ParsedKey")
    }
}

#[derive(Deserialize)]
struct ListPublicKeys {
    #[serde(rename = "PublicKeyList")]
    keys: Vec<ListedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    value: String,
    fingerprint: String,
    validity_start_time: Option<Value>,
    validity_end_time: Option<Value>,
}

/// Keys sign shortly after the hour that they sign for: the CLI asks for two hours more, and so does this.
const LENIENCE: TimeDelta = TimeDelta::hours(2);

impl PublicKeys {
    /// Adds the keys that `aws cloudtrail list-public-keys` printed for one Region. Call it once per
    /// file; `region` is the Region that was asked, if the caller knows.
    ///
    /// # Errors
    /// The text is not that JSON, or a key in it is not an RSA key of at least 2048 bits.
    pub fn add_listing(&mut self, json: &[u8], region: Option<&str>) -> Result<(), KeysError> {
        let listing: ListPublicKeys = serde_json::from_slice(json).map_err(KeysError::Json)?;
        for key in listing.keys {
            let bad = |field, cause: String| KeysError::Field { fingerprint: key.fingerprint.clone(), field, cause };
            let der = STANDARD.decode(key.value.trim()).map_err(|e| bad("Value", e.to_string()))?;
            let valid_from = time(key.validity_start_time.as_ref()).map_err(|e| bad("ValidityStartTime", e))?;
            let valid_to = time(key.validity_end_time.as_ref()).map_err(|e| bad("ValidityEndTime", e))?;
            let region = region.map(str::to_owned);
            self.add(PublicKey { fingerprint: key.fingerprint.clone(), der, valid_from, valid_to, region })?;
        }
        Ok(())
    }

    /// Adds one key.
    ///
    /// # Errors
    /// It is not an RSA key of at least 2048 bits, or another key has its name.
    pub fn add(&mut self, key: PublicKey) -> Result<(), KeysError> {
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.der).map_err(|e| KeysError::Field {
            fingerprint: key.fingerprint.clone(),
            field: "Value",
            cause: format!("not a DER-encoded RSA key of 2048 to 8192 bits ({e})"),
        })?;
        match self.by_fingerprint.get_mut(&key.fingerprint) {
            Some((known, _)) if known.der != key.der => {
                return Err(KeysError::Conflict(key.fingerprint));
            }
            // The same key listed twice: by two Regions, or for two spans. The wider statement holds.
            Some((known, _)) => {
                known.valid_from = known.valid_from.zip(key.valid_from).map(|(a, b)| a.min(b));
                known.valid_to = known.valid_to.zip(key.valid_to).map(|(a, b)| a.max(b));
                if known.region != key.region {
                    known.region = None;
                }
            }
            None => {
                let name = key.fingerprint.clone();
                self.by_fingerprint.insert(name, (key, ParsedKey(parsed.into())));
            }
        }
        Ok(())
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_fingerprint.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_fingerprint.is_empty()
    }

    /// The key for a digest, or why there is none that may sign for it.
    pub(super) fn find(
        &self,
        fingerprint: &str,
        region: &str,
        signed: DateTime<Utc>,
    ) -> Result<&ParsedPublicKey, String> {
        let Some((key, parsed)) = self.by_fingerprint.get(fingerprint) else {
            return Err(format!(
                "its public key {fingerprint:?} is not among the {} supplied; fetch it with: aws cloudtrail \
                 list-public-keys --region {region} --start-time {} --end-time {}",
                self.len(),
                (signed - LENIENCE).format("%Y-%m-%dT%H:%M:%SZ"),
                (signed + LENIENCE).format("%Y-%m-%dT%H:%M:%SZ"),
            ));
        };
        if let Some(of) = key.region.as_deref().filter(|of| *of != region) {
            return Err(format!("its public key {fingerprint} is one of {of}, and the digest is one of {region}"));
        }
        let (Some(from), Some(to)) = (key.valid_from, key.valid_to) else {
            return Err(format!("when its public key {fingerprint} was in use is not stated; fetch the keys again"));
        };
        if signed + LENIENCE < from || signed - LENIENCE > to {
            return Err(format!(
                "its public key {fingerprint} was not in use at {}",
                signed.format("%Y-%m-%dT%H:%M:%SZ")
            ));
        }
        Ok(&parsed.0)
    }
}

/// Times in the CLI's output are ISO 8601, or seconds since 1970 where it is configured so.
fn time(value: Option<&Value>) -> Result<Option<DateTime<Utc>>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match DateTime::parse_from_rfc3339(text) {
            Ok(time) => Ok(Some(time.to_utc())),
            Err(e) => Err(e.to_string()),
        },
        Some(Value::Number(seconds)) => seconds
            .as_f64()
            // Whole seconds are enough for keys that live for weeks; the cast saturates.
            .and_then(|s| DateTime::from_timestamp(s as i64, 0))
            .map(Some)
            .ok_or_else(|| format!("{seconds} is not a time")),
        Some(_) => Err("it is neither a text nor a number".to_owned()),
    }
}
