//! Events worth a row: sign-ins, what root did, changes of IAM, of logging, of KMS keys and of the perimeter, and
//! role assumptions from other accounts.
//!
//! Each is a population of its own, to be judged and to draw samples from. Ordinary events are only counted. An event
//! can belong to several populations: root that makes an access key is an event of root and a change of IAM.

#[cfg(test)]
mod tests;
mod what;

use super::build::{Fact, Row, Source};
use super::{Kind, Population, Unknown};
use crate::evidence::cloudtrail::LookupEvents;
use crate::evidence::{Evidence, Operation, Timestamp};
use chrono::NaiveDateTime;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The kinds of resources that are events.
pub(super) const KINDS: [Kind; 7] = [
    Kind::SignIn,
    Kind::RootEvent,
    Kind::IamChange,
    Kind::LoggingChange,
    Kind::RoleAssumption,
    Kind::KeyChange,
    Kind::PerimeterChange,
];

/// How many events of a kind and Region become rows: memory must not grow with the number of events. Where there are
/// more, the population says that it is not whole.
const MOST: usize = 5_000;

/// Where trails and AWS Config keep what they record.
#[derive(Debug, Default)]
pub(super) struct Kept {
    buckets: BTreeSet<String>,
    log_groups: BTreeSet<String>,
}

impl Kept {
    /// What the trails and recorders say.
    pub fn of(trails: &Population, recorders: &Population) -> Self {
        let texts = |population: &Population, field: &str| -> Vec<String> {
            let values = population.rows.iter().filter_map(|row| row.fields.get(field)?.known());
            values
                .filter_map(|value| match value {
                    super::Value::Text(text) => Some(text.clone()),
                    _ => None,
                })
                .collect()
        };
        let buckets = texts(trails, "s3_bucket").into_iter().chain(texts(recorders, "s3_bucket")).collect();
        // arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*
        let name = |arn: &String| arn.split(':').nth(6).map(str::to_owned);
        Self { buckets, log_groups: texts(trails, "log_group").iter().filter_map(name).collect() }
    }
}

/// The events of one Region that are worth a row.
#[derive(Debug, Default)]
pub(super) struct Activity {
    rows: BTreeMap<Kind, Vec<Row>>,
    omitted: BTreeMap<Kind, u64>,
}

/// The few members by which an event is told to be worth a row.
#[derive(Clone, Copy)]
pub(super) struct Glance<'a> {
    pub service: &'a str,
    pub event: &'a str,
    pub identity: &'a str,
    /// An AWS service acted, for root or on its own account.
    pub by_service: bool,
}

/// A Region's events, and what they are looked at with.
#[derive(Clone, Copy)]
pub(super) struct History<'a> {
    pub evidence: &'a Evidence,
    pub source: &'a Source<'a, LookupEvents>,
    pub events: &'a LookupEvents,
    pub kept: &'a Kept,
}

impl Activity {
    /// Makes rows of a record, if it is worth any. `line` is the record, `number` its place in the Region's file.
    pub fn note(&mut self, glance: Glance<'_>, line: &[u8], number: u64, history: History<'_>) -> Result<(), String> {
        let History { evidence, source, events, kept } = history;
        let kinds = what::kinds(glance);
        if kinds.is_empty() {
            return Ok(());
        }
        let record: Map<String, Value> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        let record = Record(&record);
        let time = record.text("eventTime").and_then(|text| Timestamp::parse(text).ok());
        let period = evidence.run.period;
        if time.is_some_and(|time| time < period.from || time > period.to) {
            return Ok(());
        }
        for kind in kinds {
            if !what::belongs(kind, record, kept) {
                continue;
            }
            let rows = self.rows.entry(kind).or_default();
            if rows.len() >= MOST {
                *self.omitted.entry(kind).or_default() += 1;
                continue;
            }
            let mut id = match (time, record.text("eventID")) {
                (Some(time), Some(id)) => format!("{} {id}", time.zulu()),
                (None, Some(id)) => format!("time not told, {id}"),
                (_, None) => format!("event without id, line {number}"),
            };
            // Events of different content under one id are all kept.
            if events.coverage.contradictory > 0 {
                id.push_str(&format!(" L{number}"));
            }
            let region = source.call().region.as_deref();
            let mut row = Row::new(kind, &id, Some(&record.title()), region);
            row.seen(Operation::CloudTrailLookupEvents, source.at(format!("L{number}")));
            common(&mut row, record, time, evidence.as_of());
            what::fields(kind, &mut row, record, time, kept, source);
            rows.push(row);
        }
        Ok(())
    }

    /// Adds another Region's.
    pub fn merge(&mut self, other: Activity) {
        for (kind, rows) in other.rows {
            self.rows.entry(kind).or_default().extend(rows);
        }
    }

    /// Why a Region's rows are not all of its events, by kind.
    pub fn gaps(&self, source: &Source<'_, LookupEvents>) -> BTreeMap<Kind, Arc<Unknown>> {
        let gap = |omitted: u64| source.unknown(format!("{omitted} more events than the {MOST} that are listed"));
        self.omitted.iter().map(|(kind, omitted)| (*kind, gap(*omitted))).collect()
    }

    /// The rows of a kind.
    pub fn take(&mut self, kind: Kind) -> Vec<Row> {
        self.rows.remove(&kind).unwrap_or_default()
    }
}

/// A CloudTrail record
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).
#[derive(Clone, Copy)]
struct Record<'a>(&'a Map<String, Value>);

impl<'a> Record<'a> {
    fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn at(self, pointer: &[&str]) -> Option<&'a Value> {
        let (first, rest) = pointer.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, name| value.get(*name))
    }

    fn text_at(self, pointer: &[&str]) -> Option<&'a str> {
        self.at(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn parameter(self, name: &str) -> Option<&'a Value> {
        self.at(&["requestParameters", name])
    }

    fn parameter_text(self, name: &str) -> Option<&'a str> {
        self.text_at(&["requestParameters", name])
    }

    fn event(self) -> &'a str {
        self.text("eventName").unwrap_or_default()
    }

    /// The code of the refusal, or its message: sign-ins have no code.
    fn error(self) -> Option<String> {
        let login = self.text_at(&["responseElements", "ConsoleLogin"]).filter(|outcome| *outcome != "Success");
        self.text("errorCode").or_else(|| self.text("errorMessage")).or(login).map(str::to_owned)
    }

    /// Who asked: an ARN, or what there is of the identity. Records of other accounts' callers have no ARN
    /// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>).
    fn actor(self) -> Option<String> {
        let member = |name: &str| self.text_at(&["userIdentity", name]);
        if let Some(arn) = member("arn") {
            return Some(arn.to_owned());
        }
        match (member("accountId"), member("principalId").or_else(|| member("userName"))) {
            (Some(account), Some(principal)) => Some(format!("{account} {principal}")),
            (None, Some(principal)) => Some(principal.to_owned()),
            (Some(account), None) => Some(account.to_owned()),
            (None, None) => member("invokedBy").map(str::to_owned),
        }
    }

    /// `StopLogging by peter.popov`.
    fn title(self) -> String {
        let actor = self.actor().unwrap_or_else(|| "an actor that is not told".to_owned());
        let short = match actor.rsplit_once(['/', ' ']) {
            Some((_, last)) if !last.is_empty() => last,
            _ if actor.ends_with(":root") => "root",
            _ => actor.as_str(),
        };
        format!("{} by {short}", self.event())
    }

    /// What it was done to, as far as the record names it.
    fn targets(self) -> Vec<String> {
        const NAMES: [&str; 22] = [
            "userName",
            "roleName",
            "groupName",
            "policyArn",
            "policyName",
            "roleArn",
            "serialNumber",
            "name",
            "trailName",
            "bucketName",
            "groupId",
            "networkAclId",
            "routeTableId",
            "keyId",
            "configurationRecorderName",
            "deliveryChannelName",
            "configRuleName",
            "conformancePackName",
            "logGroupName",
            "snapshotId",
            "detectorId",
            "functionName",
        ];
        let listed = self.0.get("resources").and_then(Value::as_array).into_iter().flatten();
        let listed = listed.filter_map(|resource| resource.get("ARN").and_then(Value::as_str));
        let named = NAMES.iter().filter_map(|name| self.parameter_text(name));
        let mut targets = Vec::new();
        for target in listed.chain(named) {
            if !targets.iter().any(|known: &String| known == target) {
                targets.push(target.to_owned());
            }
        }
        targets
    }

    /// Whether the sign-in or session used MFA, where the record says so.
    fn mfa(self) -> Option<bool> {
        let said = self
            .text_at(&["additionalEventData", "MFAUsed"])
            .or_else(|| self.text_at(&["userIdentity", "sessionContext", "attributes", "mfaAuthenticated"]))?;
        match said {
            said if said.eq_ignore_ascii_case("yes") || said.eq_ignore_ascii_case("true") => Some(true),
            said if said.eq_ignore_ascii_case("no") || said.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Which members that an audit log must have are missing, in the words of PCI DSS 10.2.2.
    fn gaps(self, time: Option<Timestamp>, targets: &[String]) -> Vec<&'static str> {
        let member = |name: &str| self.0.contains_key(name);
        // A record names at least the service, Region and account that it is about.
        let component = self.text("eventSource").is_some() && self.text("awsRegion").is_some();
        let told = [
            ("user", self.actor().is_some()),
            ("type", self.text("eventName").is_some() && self.text("eventType").is_some()),
            ("time", time.is_some()),
            ("result", member("errorCode") || member("errorMessage") || member("responseElements")),
            ("origin", self.text("sourceIPAddress").is_some()),
            ("target", !targets.is_empty() || component),
        ];
        told.into_iter().filter(|(_, told)| !told).map(|(name, _)| name).collect()
    }
}

fn common(row: &mut Row, record: Record<'_>, time: Option<Timestamp>, as_of: Timestamp) {
    let (error, targets) = (record.error(), record.targets());
    row.known("event_id", record.text("eventID"));
    row.known("time", time.map(Timestamp::zulu));
    row.known("event", record.event());
    row.known("service", record.text("eventSource"));
    row.known("actor", record.actor());
    row.known("actor_type", record.text_at(&["userIdentity", "type"]));
    // Some services put their name in place of an address only.
    let service = record.text("sourceIPAddress").filter(|origin| origin.ends_with(".amazonaws.com"));
    row.known("via", record.text_at(&["userIdentity", "invokedBy"]).or(service));
    row.known("mfa", record.mfa());
    row.known("origin", record.text("sourceIPAddress"));
    row.known("succeeded", error.is_none());
    row.known("error", error);
    row.known("days", time.map(|time| time.days_until(as_of).max(0)));
    row.known("record_gaps", record.gaps(time, &targets));
    row.known("targets", targets);
}

/// Seconds from an event to the end of the session that it opened. CloudTrail writes the end as
/// `Jul 30, 2026, 7:55:00 AM`, older records without the second comma.
fn session_seconds(record: Record<'_>, time: Option<Timestamp>) -> Result<Option<i64>, String> {
    let Some(text) = record.text_at(&["responseElements", "credentials", "expiration"]) else { return Ok(None) };
    let formats = ["%b %d, %Y, %I:%M:%S %p", "%b %d, %Y %I:%M:%S %p"];
    let local = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let end = local.map(|end| Timestamp(end.and_utc())).or_else(|| Timestamp::parse(text).ok());
    let end = end.ok_or_else(|| format!("`{text}` is no time that auditpack can read"))?;
    let time = time.ok_or("the record tells no time")?;
    Ok(Some((end.0 - time.0).num_seconds()))
}

/// A document in a request: a text, or JSON as it is.
fn document(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a document says, where there is one.
fn judged<T>(
    source: &Source<'_, LookupEvents>,
    document_of: Option<&Value>,
    judge: impl Fn(&str) -> Result<T, String>,
) -> Fact<Option<T>> {
    let read = |value: &Value| judge(&document(value)).map_err(|e| source.unknown(format!("a policy in it: {e}")));
    document_of.map(read).transpose()
}
