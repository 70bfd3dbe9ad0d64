//! Documents of CloudTrail, in the shape that `aws cloudtrail ...` prints.

use super::document::{Document, json_documents};
use super::event_scope::EventSource;
use super::iam::shapes;
use super::operation::Operation;
use super::run::Period;
use super::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;

shapes! {
    /// DescribeTrails of one Region, with the shadows of multi-Region trails of other home Regions.
    DescribeTrails {
        #[serde(rename = "trailList")]
        trail_list: Vec<Trail>,
    }

    /// A trail's settings.
    Trail {
        name: Option<String>,
        s3_bucket_name: Option<String>,
        s3_key_prefix: Option<String>,
        #[serde(rename = "SnsTopicARN")]
        sns_topic_arn: Option<String>,
        include_global_service_events: Option<bool>,
        is_multi_region_trail: Option<bool>,
        home_region: Option<String>,
        #[serde(rename = "TrailARN")]
        trail_arn: Option<String>,
        log_file_validation_enabled: Option<bool>,
        cloud_watch_logs_log_group_arn: Option<String>,
        cloud_watch_logs_role_arn: Option<String>,
        kms_key_id: Option<String>,
        has_custom_event_selectors: Option<bool>,
        has_insight_selectors: Option<bool>,
        is_organization_trail: Option<bool>,
    }

    /// GetTrailStatus.
    TrailStatus {
        is_logging: Option<bool>,
        latest_delivery_error: Option<String>,
        latest_notification_error: Option<String>,
        latest_delivery_time: Option<Timestamp>,
        latest_notification_time: Option<Timestamp>,
        start_logging_time: Option<Timestamp>,
        stop_logging_time: Option<Timestamp>,
        latest_cloud_watch_logs_delivery_error: Option<String>,
        latest_cloud_watch_logs_delivery_time: Option<Timestamp>,
        latest_digest_delivery_time: Option<Timestamp>,
        latest_digest_delivery_error: Option<String>,
    }

    /// ListPublicKeys: the keys by which CloudTrail signed digests of the Region.
    ListPublicKeys { public_key_list: Vec<PublicKey>, }

    /// A public key.
    PublicKey {
        /// The key, DER-encoded (PKCS#1), in base64.
        value: Option<String>,
        validity_start_time: Option<Timestamp>,
        validity_end_time: Option<Timestamp>,
        fingerprint: Option<String>,
    }

    /// GetEventSelectors. A trail has either kind, never both.
    EventSelectors {
        #[serde(rename = "TrailARN")]
        trail_arn: Option<String>,
        event_selectors: Option<Vec<EventSelector>>,
        advanced_event_selectors: Option<Vec<AdvancedEventSelector>>,
    }

    /// A basic selector.
    EventSelector {
        read_write_type: Option<String>,
        include_management_events: Option<bool>,
        data_resources: Vec<DataResource>,
        exclude_management_event_sources: Vec<String>,
    }

    /// Data events of a kind of resource.
    DataResource {
        #[serde(rename = "Type")]
        kind: Option<String>,
        values: Vec<String>,
    }

    /// An advanced selector: all its field selectors must match.
    AdvancedEventSelector { name: Option<String>, field_selectors: Vec<FieldSelector>, }

    /// A condition on one field of an event.
    FieldSelector {
        field: Option<String>,
        equals: Option<Vec<String>>,
        starts_with: Option<Vec<String>>,
        ends_with: Option<Vec<String>>,
        not_equals: Option<Vec<String>>,
        not_starts_with: Option<Vec<String>>,
        not_ends_with: Option<Vec<String>>,
    }
}

/// LookupEvents of one Region over the period: the events stay on disk, one full CloudTrail record a line,
/// oldest first, then by event id, each event once.
#[derive(Clone, Debug)]
pub struct LookupEvents {
    /// The file with the records.
    pub file: PathBuf,
    /// What is known about them.
    pub coverage: EventCoverage,
}

/// What part of the Region's event history was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCoverage {
    /// Where the events come from.
    #[serde(default)]
    pub source: EventSource,
    /// The period asked for.
    pub asked: Option<Period>,
    /// The spans of which everything was read, newest first.
    #[serde(default)]
    pub covered: Vec<Period>,
    /// Pages received.
    pub pages: u64,
    /// Different events.
    pub events: u64,
    /// Events that came more than once, at the borders of pages; each is kept once.
    pub duplicates: u64,
    /// The oldest event's time.
    pub oldest: Option<Timestamp>,
    /// The newest event's time.
    pub newest: Option<Timestamp>,
    /// Ids under which events of different content came. All of those events are kept.
    pub contradictory: u64,
    /// The parts in which the period was asked for, newest first.
    pub slices: Vec<Slice>,
    /// Records that were not JSON objects with an id and a time, kept in the recording only. Any makes the call incomplete.
    pub unreadable: u64,
}

/// The requests of LookupEvents are numbered; those of each lane that is read beside others from a million more on.
pub const LANE_NUMBERS: u32 = 1_000_000;

/// A part of the period, asked for on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Its first second.
    pub from: Timestamp,
    /// Its last second.
    pub to: Timestamp,
    /// Pages received.
    pub pages: u64,
    /// Events received, before duplicates were removed.
    pub events: u64,
    /// How often it was read again from its start, because a page token had expired.
    pub restarts: u32,
    /// Whether it was read to its end.
    pub complete: bool,
    /// Which events of it were asked for, by the number of the lookup; 0 where there is one lookup only.
    #[serde(default)]
    pub lookup: u32,
}

impl LookupEvents {
    /// The records, one a line.
    pub fn open(&self) -> io::Result<BufReader<File>> {
        Ok(BufReader::with_capacity(1 << 16, File::open(&self.file)?))
    }
}

impl Document for LookupEvents {
    const OPERATION: Operation = Operation::CloudTrailLookupEvents;
    const MEMBERS: &'static [&'static str] = &[];

    fn read(_: &[u8]) -> Result<Self, String> {
        Err("events are read from their file".to_owned())
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        io::copy(&mut self.open()?, out).map(drop)
    }
}

json_documents! {
    DescribeTrails => CloudTrailDescribeTrails ["trailList"],
    TrailStatus => CloudTrailGetTrailStatus ["IsLogging"],
    EventSelectors => CloudTrailGetEventSelectors [],
    ListPublicKeys => CloudTrailListPublicKeys ["PublicKeyList"],
}
