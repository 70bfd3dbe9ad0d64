//! Holding a package's calls against CloudTrail's own record of them.
//!
//! AWS gives each request an id, which stands in the answer and, minutes later, in the account's CloudTrail event of the
//! request. Nobody who makes up a package can put events into the trail of an account. So an export of events that was
//! taken later, by somebody else, shows which of the package's calls were made.
//!
//! What cannot be expected to be found is no complaint: requests that AWS did not answer or turned away at the door, and
//! those for whose time and Region the export shows no other read-only event around them, or none that is two hours
//! later (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>).

use super::check::{Problem, Step, Verdict};
use super::error::PackageError;
use super::open::OpenPackage;
use super::{CALLS, MANIFEST};
use crate::evidence::Timestamp;
use crate::evidence::custody::server_time;
use crate::evidence::recording::{CALLS_FILE, Entry, RUN_FILE};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How far the time of an event may lie from that of the answer.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);
/// After which time an event can be believed to have arrived, as in the manifest's `settled_through`.
const SETTLED: TimeDelta = TimeDelta::hours(2);

/// What is read of a CloudTrail record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The id of the request.
    #[serde(rename = "requestID")]
    pub request_id: Option<String>,
    /// When AWS was asked.
    pub event_time: Option<Timestamp>,
    /// The operation.
    pub event_name: Option<String>,
    /// The service, such as `iam.amazonaws.com`.
    pub event_source: Option<String>,
    /// The Region whose log holds it.
    pub aws_region: Option<String>,
    /// Whether it changed nothing.
    pub read_only: Option<bool>,
    /// The account.
    pub recipient_account_id: Option<String>,
    /// Who asked.
    pub user_identity: Option<Identity>,
}

/// Who asked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The principal.
    pub arn: Option<String>,
}

/// A request that AWS answered.
#[derive(Debug)]
struct Asked {
    operation: String,
    /// Null for global services.
    region: Option<String>,
    time: Option<Timestamp>,
    /// Whether the answer is one after which there must be an event.
    expected: bool,
    confirmed: bool,
}

/// What became of the requests of one operation in one Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confirmed {
    /// The operation, as `service:Operation`.
    pub operation: String,
    /// The Region; null for global services.
    pub region: Option<String>,
    /// Requests that CloudTrail recorded with the same id.
    pub confirmed: u64,
    /// Requests that it did not record, though the export covers their time and Region.
    pub absent: u64,
    /// Their ids.
    pub absent_ids: Vec<String>,
    /// Requests that the export may not hold yet, or does not cover.
    pub not_covered: u64,
    /// Requests after which no event can be expected: turned away before they were carried out.
    pub not_expected: u64,
}

/// The requests of a package, while events go by.
#[derive(Debug)]
pub struct Corroboration {
    asked: BTreeMap<String, Asked>,
    unanswered: u64,
    account: Option<String>,
    callers: BTreeSet<String>,
    /// The Regions whose log may hold events of global services.
    global: BTreeSet<String>,
    /// The first and the last read-only event of the account in each Region.
    covered: BTreeMap<String, (Timestamp, Timestamp)>,
    problems: BTreeSet<Problem>,
    events: u64,
}

#[derive(Deserialize)]
struct HomeRegion {
    home_region: String,
}

impl Corroboration {
    /// The requests of a package.
    pub fn of(package: &mut OpenPackage) -> Result<Self, PackageError> {
        let mut asked = BTreeMap::new();
        let mut unanswered = 0;
        let mut problems = BTreeSet::new();
        let log = format!("raw/{CALLS_FILE}");
        let text = package.bytes(&log)?;
        // Lines that cannot be read are told of by the step on the recording.
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        for entry in lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok()) {
            let Some(id) = entry.request_id().map(str::to_owned) else {
                unanswered += 1;
                continue;
            };
            let status = entry.response.as_ref().map_or(0, |response| response.status);
            let request = Asked {
                time: server_time(&entry),
                expected: (200..300).contains(&status),
                operation: entry.operation,
                region: entry.region,
                confirmed: false,
            };
            if let Some(other) = asked.insert(id.clone(), request) {
                let what = format!("request id {id} stands at two requests, one of them of {}", other.operation);
                problems.insert(Problem::of(&log, what));
            }
        }
        let mut global: BTreeSet<String> = BTreeSet::new();
        let run = package.bytes(&format!("raw/{RUN_FILE}"))?;
        global.extend(serde_json::from_slice::<HomeRegion>(&run).ok().map(|run| run.home_region));
        let manifest = package.manifest();
        global.insert(match manifest.account.partition.as_deref() {
            Some("aws-cn") => "cn-north-1".to_owned(),
            Some("aws-us-gov") => "us-gov-west-1".to_owned(),
            _ => "us-east-1".to_owned(),
        });
        let callers =
            [&manifest.caller.start, &manifest.caller.end].into_iter().flatten().filter_map(|by| by.arn.clone());
        // Whoever went on with an interrupted run may have been another.
        let callers = if manifest.custody.runs.len() > 1 { BTreeSet::new() } else { callers.collect() };
        let account = manifest.account.id.clone();
        Ok(Self { asked, unanswered, account, callers, global, covered: BTreeMap::new(), problems, events: 0 })
    }

    /// Looks at an event of the export.
    pub fn see(&mut self, record: &Record) {
        self.events += 1;
        let ours = record.recipient_account_id.is_none() || record.recipient_account_id == self.account;
        if let (true, Some(true), Some(region), Some(time)) =
            (ours, record.read_only, &record.aws_region, record.event_time)
        {
            let span = self.covered.entry(region.clone()).or_insert((time, time));
            *span = (span.0.min(time), span.1.max(time));
        }
        let Some((id, asked)) =
            record.request_id.as_ref().and_then(|id| self.asked.get_mut(id).map(|asked| (id, asked)))
        else {
            return;
        };
        let contradiction = if !ours {
            Some("for another account".to_owned())
        } else if !is_operation(&asked.operation, record) {
            let text = |of: &Option<String>| of.clone().unwrap_or_default();
            Some(format!("for {} of {}", text(&record.event_name), text(&record.event_source)))
        } else if asked.region.is_some() && record.aws_region.is_some() && asked.region != record.aws_region {
            Some(format!("for the Region {}", record.aws_region.clone().unwrap_or_default()))
        } else if let (Some(at), Some(answered)) = (record.event_time, asked.time)
            && (at.0 - answered.0).abs() > CLOCKS
        {
            Some(format!("at {}, and the package says {}", at.zulu(), answered.zulu()))
        } else {
            let arn = record.user_identity.as_ref().and_then(|identity| identity.arn.clone());
            arn.filter(|arn| !self.callers.is_empty() && !self.callers.contains(arn)).map(|arn| format!("by {arn}"))
        };
        match contradiction {
            None => asked.confirmed = true,
            Some(how) => {
                let what = format!("CloudTrail recorded request {id}, here one of {}, {how}", asked.operation);
                self.problems.insert(Problem::of(CALLS, what.escape_debug().to_string()));
            }
        }
    }

    /// What all events together show.
    pub fn conclude(self, unreadable: &[String]) -> (Step, Vec<Confirmed>) {
        const STEP: &str = "corroboration";
        let mut by_call: BTreeMap<(String, Option<String>), Confirmed> = BTreeMap::new();
        for (id, asked) in &self.asked {
            let of = by_call.entry((asked.operation.clone(), asked.region.clone())).or_insert_with(|| Confirmed {
                operation: asked.operation.clone(),
                region: asked.region.clone(),
                ..Confirmed::default()
            });
            match asked {
                Asked { confirmed: true, .. } => of.confirmed += 1,
                Asked { expected: false, .. } => of.not_expected += 1,
                _ if !self.covers(asked) => of.not_covered += 1,
                _ => {
                    of.absent += 1;
                    of.absent_ids.push(id.clone());
                }
            }
        }
        let calls: Vec<Confirmed> = by_call.into_values().collect();
        let total = |count: fn(&Confirmed) -> u64| calls.iter().map(count).sum::<u64>();
        let mut problems: Vec<Problem> = self.problems.into_iter().collect();
        for call in calls.iter().filter(|call| call.absent > 0) {
            let place = call.region.as_ref().map_or_else(String::new, |region| format!(" in {region}"));
            let some: Vec<&str> = call.absent_ids.iter().take(3).map(String::as_str).collect();
            let what = format!(
                "{} of {}{place}, such as {}, are not in CloudTrail's record of their time",
                requests(call.absent),
                call.operation,
                some.join(", ")
            );
            problems.push(Problem::of(CALLS, what.escape_debug().to_string()));
        }
        problems.extend(unreadable.iter().map(|what| Problem::of("", format!("the export: {what}"))));
        let (confirmed, not_covered) = (total(|call| call.confirmed), total(|call| call.not_covered));
        let mut says =
            format!("of {} that AWS answered, its own log confirms {confirmed}", requests(self.asked.len() as u64));
        let others = [
            (total(|call| call.absent), "absent from it"),
            (not_covered, "at a time or in a Region that the export does not cover, or not settled in it yet"),
            (
                total(|call| call.not_expected) + self.unanswered,
                "refused or not answered, after which there may be no event",
            ),
        ];
        for (count, words) in others.into_iter().filter(|(count, _)| *count > 0) {
            says.push_str(&format!("; {count} {words}"));
        }
        says.push_str(&format!(" ({} events were looked at)", self.events));
        let verdict = match problems.len() - unreadable.len() {
            0 if confirmed == 0 => Verdict::NotChecked,
            0 if not_covered > 0 || !unreadable.is_empty() => Verdict::InPart,
            0 => Verdict::Ok,
            _ => Verdict::Failed,
        };
        (Step { step: STEP, verdict, says, problems }, calls)
    }

    /// Whether the export shows that it holds what happened at the time of a request: it has read-only events of that
    /// Region before it, and two hours after it.
    fn covers(&self, asked: &Asked) -> bool {
        let Some(time) = asked.time else { return false };
        let covers = |region: &String| {
            self.covered.get(region).is_some_and(|(from, to)| *from <= time && time.0 + SETTLED <= to.0)
        };
        match &asked.region {
            Some(region) => covers(region),
            None => self.global.iter().all(covers),
        }
    }
}

fn requests(n: u64) -> String {
    crate::report::words::count(n, "request", "requests")
}

/// Whether an event is one of an operation.
fn is_operation(operation: &str, record: &Record) -> bool {
    let Some((service, name)) = operation.split_once(':') else { return false };
    let service = if service == "configservice" { "config" } else { service };
    let source = format!("{service}.amazonaws.com");
    record.event_source.as_deref() == Some(source.as_str()) && record.event_name.as_deref() == Some(name)
}

/// A package without the answers of AWS has no calls to look for.
pub fn nothing_to_corroborate() -> Step {
    let says =
        format!("the package holds no calls to AWS (no raw/ and no {CALLS}); {MANIFEST} says what it was made from");
    Step::ended("corroboration", Verdict::NotApplicable, says)
}
