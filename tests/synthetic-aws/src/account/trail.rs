//! CloudTrail: trails and the keys that sign their digests.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A key that CloudTrail signs digests with, as ListPublicKeys returns it.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// DER (PKCS #1), in base64.
    pub value: String,
    /// MD5 of the DER, in hex.
    pub fingerprint: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct Trail {
    pub name: String,
    pub arn: String,
    pub home: String,
    pub multi_region: bool,
    pub global_events: bool,
    pub organization: bool,
    pub bucket: String,
    pub prefix: Option<String>,
    pub sns_topic: Option<String>,
    pub validation: bool,
    pub log_group: Option<String>,
    pub log_role: Option<String>,
    pub kms_key: Option<String>,
    /// Has an insight selector, for the rate of calls.
    pub insight: bool,
    pub status: TrailStatus,
    pub selectors: Selectors,
}

#[derive(Clone, Debug, Default)]
pub struct TrailStatus {
    pub logging: bool,
    pub started: Option<DateTime<Utc>>,
    pub stopped: Option<DateTime<Utc>>,
    pub delivered: Option<DateTime<Utc>>,
    pub delivery_error: Option<String>,
    pub digest: Option<DateTime<Utc>>,
    pub digest_error: Option<String>,
    pub logs_delivered: Option<DateTime<Utc>>,
    pub logs_error: Option<String>,
}

/// A trail has basic or advanced selectors, never both.
#[derive(Clone, Debug)]
pub enum Selectors {
    Basic(Value),
    Advanced(Value),
}
