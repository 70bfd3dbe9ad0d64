//! Facts from the event history: one pass over each Region's records.
//!
//! Memory does not grow with the number of events: of each record only what a fact needs is kept, counts and the
//! last change of those names that somebody asked about.

use super::activity::{self, Activity, Glance, Kept};
use super::build::{Fact, Regions, Source, population};
use super::sessions::{Found, Session, WatchedSessions, count_activity};
use super::{Kind, Population, Unknown};
use crate::evidence::cloudtrail::LookupEvents;
use crate::evidence::{Evidence, Period, Timestamp};
use crate::finding::Pointer;
use rayon::prelude::*;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// A record is at most 256 KB (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>),
/// some fields escaped; a line beyond this is no record.
const LONGEST_RECORD: u64 = 4 << 20;

/// How many of root's events are pointed at; the counts say how many there are.
const POINTERS: usize = 25;

/// What the event history tells.
#[derive(Debug)]
pub(super) struct Events {
    /// Sign-ins of root to the console.
    pub root_console_logins: Fact<i64>,
    /// Events that root caused itself.
    pub root_events: Fact<i64>,
    /// Where root's events stand, the first few of each Region.
    pub root_places: Vec<Pointer>,
    /// Console sign-ins that failed.
    pub sign_ins_failed: Fact<i64>,
    /// The most of them for one identity.
    pub sign_ins_failed_of_one: Fact<i64>,
    /// The populations of events.
    pub populations: Vec<Population>,
    /// When names that were asked about were made, deleted or renamed, as far as records arrived.
    changes: BTreeMap<Entity, Changes>,
    /// When outsiders last took a role, as far as records arrived.
    entered: BTreeMap<String, Timestamp>,
    /// The sessions of vendors, as far as records arrived.
    sessions: Vec<Session>,
    /// Why not all events are known.
    gap: Option<Arc<Unknown>>,
    /// The files of the events.
    pub documents: Vec<Pointer>,
}

/// A user or role by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entity {
    /// A user.
    User(String),
    /// A role.
    Role(String),
}

/// The last change of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Changes {
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was deleted, or got another name.
    pub removed: Option<Timestamp>,
}

impl Events {
    /// Reads the records of all Regions in scope, watching for changes of some names.
    pub fn read(evidence: &Evidence, regions: &Regions<'_>, watched: &Watched, kept: &Kept) -> Self {
        let tallies: Vec<Tally> =
            regions.names.par_iter().map(|region| Tally::of_region(evidence, region, watched, kept)).collect();
        let mut events = Self {
            root_console_logins: Ok(0),
            root_events: Ok(0),
            root_places: Vec::new(),
            sign_ins_failed: Ok(0),
            sign_ins_failed_of_one: Ok(0),
            populations: Vec::new(),
            changes: BTreeMap::new(),
            entered: BTreeMap::new(),
            sessions: Vec::new(),
            gap: None,
            documents: Vec::new(),
        };
        let mut gap = regions.gap();
        let mut activity = Activity::default();
        let mut failed: BTreeMap<String, i64> = BTreeMap::new();
        let mut documents: Vec<Pointer> = regions.source.document().into_iter().collect();
        let mut gaps: Vec<Arc<Unknown>> = gap.iter().cloned().collect();
        let mut gaps_of_kind: BTreeMap<Kind, Vec<Arc<Unknown>>> = BTreeMap::new();
        for tally in tallies {
            gaps.extend(tally.gap.clone());
            documents.extend(tally.document.clone());
            for (kind, gap) in tally.omitted {
                gaps_of_kind.entry(kind).or_default().push(gap);
            }
            activity.merge(tally.activity);
            for (identity, count) in tally.failed_sign_ins {
                *failed.entry(identity).or_default() += count;
            }
            gap = gap.or(tally.gap);
            for (outsider, time) in tally.found.entered {
                let last = events.entered.entry(outsider).or_insert(time);
                *last = time.max(*last);
            }
            events.sessions.extend(tally.found.sessions);
            events.documents.extend(tally.document);
            events.root_console_logins = events.root_console_logins.map(|count| count + tally.console_logins);
            events.root_events = events.root_events.map(|count| count + tally.root_events);
            events.root_places.extend(tally.places);
            for (entity, changes) in tally.changes {
                let known = events.changes.entry(entity).or_default();
                known.created = known.created.max(changes.created);
                known.removed = known.removed.max(changes.removed);
            }
        }
        events.sign_ins_failed = Ok(failed.values().sum());
        events.sign_ins_failed_of_one = Ok(failed.values().copied().max().unwrap_or_default());
        if let Some(gap) = &gap {
            events.root_console_logins = Err(gap.clone());
            events.sign_ins_failed = Err(gap.clone());
            events.sign_ins_failed_of_one = Err(gap.clone());
            events.root_events = Err(gap.clone());
        }
        events.populations = activity::KINDS
            .into_iter()
            .map(|kind| {
                let gaps = gaps.iter().chain(gaps_of_kind.get(&kind).into_iter().flatten()).cloned();
                population(kind, activity.take(kind), gaps, documents.iter().cloned())
            })
            .collect();
        events.gap = gap;
        events.sessions.sort_by(|a, b| (a.time, &a.event).cmp(&(b.time, &b.event)));
        events.follow(evidence, &regions.names);
        events
    }

    /// Reads the records once more, for what the sessions that were found did.
    fn follow(&mut self, evidence: &Evidence, regions: &[&str]) {
        let keys: BTreeMap<String, (i64, BTreeSet<String>)> = self
            .sessions
            .iter()
            .filter_map(|session| Some((session.access_key.clone()?, Default::default())))
            .collect();
        if keys.is_empty() {
            return;
        }
        let tallies: Vec<_> = regions
            .par_iter()
            .map(|region| {
                let mut by_key = keys.clone();
                let source = Source::<LookupEvents>::regional(evidence, region);
                if let Some(history) = source.arrived() {
                    // What cannot be read was told of when it was read first.
                    let _ = lines(history, |_, line| {
                        count_activity(line, &mut by_key);
                        Ok(())
                    });
                }
                by_key
            })
            .collect();
        for session in &mut self.sessions {
            let Some(key) = &session.access_key else { continue };
            for (events, actions) in tallies.iter().filter_map(|tally| tally.get(key)) {
                session.events += events;
                session.actions.extend(actions.iter().cloned());
            }
        }
    }

    /// The sessions of vendors, or why not all are known.
    pub fn sessions(&self) -> Fact<&Vec<Session>> {
        self.gap.clone().map_or(Ok(&self.sessions), Err)
    }

    /// The sessions of vendors that are known, although there may be more.
    pub fn arrived_sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// When an outsider last took a role, if it did within the period.
    pub fn entered(&self, outsider: &str) -> Fact<Option<Timestamp>> {
        self.gap.clone().map_or_else(|| Ok(self.entered.get(outsider).copied()), Err)
    }

    /// What happened to a name within the period.
    pub fn changes(&self, entity: &Entity) -> Changes {
        self.changes.get(entity).copied().unwrap_or_default()
    }
}

/// The facts of one Region.
#[derive(Default)]
struct Tally {
    console_logins: i64,
    root_events: i64,
    places: Vec<Pointer>,
    changes: BTreeMap<Entity, Changes>,
    /// Failed sign-ins by identity. AWS hides names that do not exist, so that there are no more of them than users.
    failed_sign_ins: BTreeMap<String, i64>,
    activity: Activity,
    omitted: BTreeMap<Kind, Arc<Unknown>>,
    found: Found,
    document: Option<Pointer>,
    gap: Option<Arc<Unknown>>,
}

/// How many identities failed sign-ins are told apart by; the rest count as one.
const IDENTITIES: usize = 10_000;

/// What is looked for in the records.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// Users and roles of whose making and deleting somebody wants to know.
    pub entities: BTreeSet<Entity>,
    /// Who takes roles.
    pub sessions: WatchedSessions,
}

impl Tally {
    fn of_region(evidence: &Evidence, region: &str, watched: &Watched, kept: &Kept) -> Self {
        let source = Source::<LookupEvents>::regional(evidence, region);
        let mut tally = Self { gap: source.gap().cloned(), document: source.document(), ..Self::default() };
        if let Some(history) = source.arrived() {
            let read = tally.read(evidence, &source, history, watched, kept);
            tally.omitted = tally.activity.gaps(&source);
            let covered = read.and_then(|lines| covers(evidence, history, lines));
            if let (Err(reason), None) = (covered, &tally.gap) {
                tally.gap = Some(source.unknown(reason));
            }
        }
        tally
    }

    /// Reads the records and says how many there were.
    fn read(
        &mut self,
        evidence: &Evidence,
        source: &Source<'_, LookupEvents>,
        history: &LookupEvents,
        watched: &Watched,
        kept: &Kept,
    ) -> Result<u64, String> {
        let mut records = 0;
        lines(history, |number, line| {
            let record =
                record(line).map_err(|e| format!("line {number} of the events is not a CloudTrail record: {e}"))?;
            records += 1;
            let place = || source.at(format!("L{number}"));
            self.count(evidence, &record, place).map_err(|e| format!("line {number} of the events: {e}"))?;
            self.watch(&record, &watched.entities);
            if record.takes_a_role() && !watched.sessions.is_empty() && record.is_within(evidence.run.period) {
                let region = source.call().region.as_deref().unwrap_or_default();
                let noted = self.found.note(line, region, &watched.sessions, place);
                noted.map_err(|e| format!("line {number} of the events: {e}"))?;
            }
            self.activity
                .note(record.glance(), line, number, activity::History { evidence, source, events: history, kept })
                .map_err(|e| format!("line {number} of the events: {e}"))
        })?;
        Ok(records)
    }

    fn count(
        &mut self,
        evidence: &Evidence,
        record: &Record<'_>,
        place: impl FnOnce() -> Pointer,
    ) -> Result<(), String> {
        self.count_failed_sign_in(evidence, record);
        let Some(identity) = record.user_identity.as_ref().filter(|identity| is(&identity.kind, "Root")) else {
            return Ok(());
        };
        // AWS services act as root too, on behalf of nobody.
        if identity.invoked_by.is_some() || is(&record.event_type, "AwsServiceEvent") {
            return Ok(());
        }
        let time = record.time().ok_or("an event of root has no time")?;
        let period = evidence.run.period;
        if time < period.from || time > period.to {
            return Ok(());
        }
        if is(&record.event_name, "ConsoleLogin") {
            // An attempt that failed is not known to be root's.
            if record.failed_login() {
                return Ok(());
            }
            self.console_logins += 1;
        }
        self.root_events += 1;
        if self.places.len() < POINTERS {
            self.places.push(place());
        }
        Ok(())
    }

    fn count_failed_sign_in(&mut self, evidence: &Evidence, record: &Record<'_>) {
        if !is(&record.event_name, "ConsoleLogin") || !record.failed_login() {
            return;
        }
        let period = evidence.run.period;
        // Without a time it may be of the period.
        if record.time().is_some_and(|time| time < period.from || time > period.to) {
            return;
        }
        let identity = record.user_identity.as_ref();
        let name = identity.and_then(|identity| identity.arn.as_ref().or(identity.principal_id.as_ref()));
        let name = name.map_or("unknown", |name| name.0.as_ref());
        let known = self.failed_sign_ins.contains_key(name) || self.failed_sign_ins.len() < IDENTITIES;
        *self.failed_sign_ins.entry(if known { name } else { "others" }.to_owned()).or_default() += 1;
    }

    fn watch(&mut self, record: &Record<'_>, watched: &BTreeSet<Entity>) {
        if watched.is_empty() || !is(&record.event_source, "iam.amazonaws.com") || record.error_code.is_some() {
            return;
        }
        let Some(name) = &record.event_name else { return };
        let made = matches!(name.0.as_ref(), "CreateUser" | "CreateRole" | "CreateServiceLinkedRole");
        let removed = matches!(name.0.as_ref(), "DeleteUser" | "DeleteRole" | "DeleteServiceLinkedRole" | "UpdateUser");
        if !made && !removed {
            return;
        }
        // The parameters of other events can be of any shape; those of these events are objects.
        let Some(parameters) = record.request_parameters.and_then(|raw| serde_json::from_str(raw.get()).ok()) else {
            return;
        };
        let parameters: Parameters<'_> = parameters;
        let time = record.time();
        let mut note = |entity: Option<Entity>, made: bool| {
            if let Some(entity) = entity.filter(|entity| watched.contains(entity)) {
                let changes = self.changes.entry(entity).or_default();
                let slot = if made { &mut changes.created } else { &mut changes.removed };
                *slot = (*slot).max(time);
            }
        };
        let user = |name: &Option<Text<'_>>| name.as_ref().map(|name| Entity::User(name.0.clone().into_owned()));
        note(parameters.role_name.as_ref().map(|name| Entity::Role(name.0.clone().into_owned())), made);
        if is(&record.event_name, "UpdateUser") {
            // Only a new name changes the population: the old one goes, the new one comes.
            if parameters.new_user_name.is_some() {
                note(user(&parameters.user_name), false);
                note(user(&parameters.new_user_name), true);
            }
        } else {
            note(user(&parameters.user_name), made);
        }
    }
}

/// Hands out each line that is not empty, with its number.
fn lines(history: &LookupEvents, mut each: impl FnMut(u64, &[u8]) -> Result<(), String>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("the events cannot be read: {e}");
    let mut reader = history.open().map_err(failed)?;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = reader.by_ref().take(LONGEST_RECORD).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 {
            break;
        }
        if read as u64 == LONGEST_RECORD {
            return Err(format!("line {number} of the events is too long for a record"));
        }
        if !line.trim_ascii().is_empty() {
            each(number, &line)?;
        }
    }
    Ok(())
}

fn record(line: &[u8]) -> Result<Record<'_>, String> {
    // serde would read a list as the members of a record, in order.
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err("it is no JSON object".to_owned());
    }
    let record: Record<'_> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    if record.event_name.is_none() { Err("it has no event name".to_owned()) } else { Ok(record) }
}

/// Whether the records are those of the whole period.
fn covers(evidence: &Evidence, history: &LookupEvents, records: u64) -> Result<(), String> {
    let coverage = &history.coverage;
    if coverage.unreadable > 0 {
        return Err(format!("{} records could not be read", coverage.unreadable));
    }
    if coverage.pages > 0 && coverage.events != records {
        return Err(format!("{} events were received, the file holds {records}", coverage.events));
    }
    let run = &evidence.run;
    if let Some(restriction) = run.events.restriction() {
        return Err(format!("{restriction} were asked for"));
    }
    match coverage.asked {
        Some(asked) if asked.from > run.period.from || asked.to < run.settled_through() => Err(format!(
            "events were asked for from {} to {}, the period is from {} to {}",
            asked.from, asked.to, run.period.from, run.period.to
        )),
        _ => Ok(()),
    }
}

/// The members of a CloudTrail record that are read here
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow, default)]
    event_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_source: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    error_code: Option<Text<'a>>,
    #[serde(borrow, default)]
    error_message: Option<Text<'a>>,
    #[serde(borrow, default)]
    user_identity: Option<Identity<'a>>,
    #[serde(borrow, default)]
    request_parameters: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response_elements: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    invoked_by: Option<Text<'a>>,
    #[serde(borrow, default)]
    arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    principal_id: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    #[serde(borrow, default)]
    user_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    new_user_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    role_name: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct LoginResponse<'a> {
    #[serde(borrow, default, rename = "ConsoleLogin")]
    console_login: Option<Text<'a>>,
}

impl Record<'_> {
    fn glance(&self) -> Glance<'_> {
        let identity = self.user_identity.as_ref();
        Glance {
            service: self.event_source.as_ref().map_or("", |text| text.0.as_ref()),
            event: self.event_name.as_ref().map_or("", |text| text.0.as_ref()),
            identity: identity.and_then(|identity| identity.kind.as_ref()).map_or("", |text| text.0.as_ref()),
            by_service: identity.is_some_and(|identity| identity.invoked_by.is_some())
                || is(&self.event_type, "AwsServiceEvent"),
        }
    }

    /// Whether it is about somebody who takes a role.
    fn takes_a_role(&self) -> bool {
        is(&self.event_source, "sts.amazonaws.com")
            && ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"]
                .iter()
                .any(|name| is(&self.event_name, name))
    }

    /// Whether it is of a period; one without time is.
    fn is_within(&self, period: Period) -> bool {
        self.time().is_none_or(|time| time >= period.from && time <= period.to)
    }

    fn time(&self) -> Option<Timestamp> {
        self.event_time.as_ref().and_then(|text| Timestamp::parse(&text.0).ok())
    }

    fn failed_login(&self) -> bool {
        let response: Option<LoginResponse<'_>> =
            self.response_elements.and_then(|raw| serde_json::from_str(raw.get()).ok());
        self.error_code.is_some()
            || is(&self.error_message, "Failed authentication")
            || response.is_some_and(|response| is(&response.console_login, "Failure"))
    }
}

pub(super) fn is(text: &Option<Text<'_>>, expected: &str) -> bool {
    text.as_ref().is_some_and(|text| text.0 == expected)
}

/// A text, borrowed from the line unless it holds escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Borrowing)
    }
}
