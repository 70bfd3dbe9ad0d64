//! What CloudTrail tells of changes to access: when, by whom.

use crate::evidence::cloudtrail::LookupEvents;
use crate::evidence::{Evidence, Operation, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};

/// A record is at most 256 KB; a line beyond this is none.
const LONGEST_RECORD: u64 = 4 << 20;

/// A change that CloudTrail recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// The event's name, such as `DeleteUser`.
    pub name: String,
    /// Who, by ARN.
    pub by: String,
    /// CloudTrail's id of the event.
    pub id: String,
    /// Where the evidence shows it.
    pub evidence: String,
}

/// Changes by what they are about: `user NAME`, `role NAME`, `group NAME`, `policy ARN`.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    events: BTreeMap<String, Vec<Event>>,
    /// Why there may be more.
    pub gap: Option<String>,
}

/// Parameters of IAM's requests that name what a change is about.
const SUBJECTS: [(&str, &str); 4] =
    [("userName", "user"), ("roleName", "role"), ("groupName", "group"), ("policyArn", "policy")];

impl Trail {
    /// Reads the changes after a moment, of all Regions in scope.
    pub fn since(evidence: &Evidence, from: Timestamp) -> Self {
        let mut trail = Self::default();
        let mut any = false;
        for (call, outcome) in evidence.calls_of(Operation::CloudTrailLookupEvents) {
            any = true;
            if let Some(gap) = outcome.gap() {
                trail.gap.get_or_insert(format!("{call}: {gap}"));
            }
            let Some(history) = outcome.arrived().and_then(|document| document.downcast::<LookupEvents>()) else {
                continue;
            };
            let file = format!("evidence/{}", call.document_path());
            if let Err(reason) = trail.read(history, &file, from) {
                trail.gap.get_or_insert(format!("{call}: {reason}"));
            }
        }
        if !any {
            trail.gap = Some("no events were collected".to_owned());
        } else if evidence.run.period.from > from {
            trail.gap.get_or_insert(format!("events were asked for only since {}", evidence.run.period.from));
        }
        for events in trail.events.values_mut() {
            events.sort();
        }
        trail
    }

    fn read(&mut self, history: &LookupEvents, file: &str, from: Timestamp) -> Result<(), String> {
        let failed = |e: std::io::Error| format!("the events cannot be read: {e}");
        let mut reader = history.open().map_err(failed)?;
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let read = reader.by_ref().take(LONGEST_RECORD).read_until(b'\n', &mut line).map_err(failed)?;
            if read == 0 {
                break;
            }
            // Most records are of other services: they are not parsed.
            let text = String::from_utf8_lossy(&line);
            if !text.contains("iam.amazonaws.com") {
                continue;
            }
            let record: Value = serde_json::from_str(text.trim()).map_err(|e| format!("line {number}: {e}"))?;
            self.note(&record, from, &format!("{file}#L{number}"));
        }
        Ok(())
    }

    fn note(&mut self, record: &Value, from: Timestamp, evidence: &str) {
        let text = |name: &str| record[name].as_str().map(str::to_owned);
        if text("eventSource").as_deref() != Some("iam.amazonaws.com") || record["errorCode"].is_string() {
            return;
        }
        let (Some(name), Some(time)) = (text("eventName"), text("eventTime")) else { return };
        let Ok(at) = Timestamp::parse(&time) else { return };
        let reads = ["Get", "List", "Generate", "Simulate"].iter().any(|verb| name.starts_with(verb));
        if at < from || reads {
            return;
        }
        let identity = &record["userIdentity"];
        let by = ["arn", "invokedBy", "principalId", "type"].iter().find_map(|name| identity[*name].as_str());
        let event = Event {
            at,
            name,
            by: by.unwrap_or("somebody whom the event does not name").to_owned(),
            id: text("eventID").unwrap_or_default(),
            evidence: evidence.to_owned(),
        };
        for (parameter, kind) in SUBJECTS {
            if let Some(subject) = record["requestParameters"][parameter].as_str() {
                self.events.entry(format!("{kind} {subject}")).or_default().push(event.clone());
            }
        }
    }

    /// The changes about any of these subjects with one of these names, oldest first.
    pub fn about(&self, subjects: &[String], names: &[&str]) -> Vec<Event> {
        let all = subjects.iter().filter_map(|subject| self.events.get(subject)).flatten();
        let mut found: Vec<Event> = all.filter(|event| names.contains(&event.name.as_str())).cloned().collect();
        found.sort();
        found.dedup();
        found
    }
}
