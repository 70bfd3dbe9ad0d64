//! Reads one log file: its hash, its events, and what is odd about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::content::{Content, Sha256};
use super::digest::hex;
use super::event::{Event, Fields, time_ms};
use super::names::{self, LogName};
use super::records::{Record, RecordsError, one_line, split};
use super::walk::Found;
use super::{Error, EventCounts, Options, Problem, Redact, Sink, SinkError};

/// What is known of one log file after it was read.
#[derive(Debug)]
pub(super) struct LogFile {
    /// Below the root.
    pub(super) path: Arc<str>,
    /// Account and Region of its first record, if its name does not say them.
    pub(super) first: Option<Box<(String, String)>>,
    pub(super) delivered: Option<DateTime<Utc>>,
    /// `None`: the content could not be read to its end.
    pub(super) sha256: Option<Sha256>,
    /// Why its content is not what a log file holds.
    pub(super) defect: Option<String>,
    pub(super) counts: EventCounts,
}

impl LogFile {
    /// Account and Region: by its name, else by its first record, else empty.
    pub(super) fn home(&self) -> (String, String) {
        match names::parse_log_name(names::file_name(&self.path)) {
            Some(name) => (name.account, name.region),
            None => self.first.as_deref().cloned().unwrap_or_default(),
        }
    }
}

/// Reads a log file, giving its events to the sink.
pub(super) fn read_log(
    found: Found,
    name: Option<LogName>,
    options: &Options<'_>,
    redact: &Redact<'_>,
    sink: &Sink<'_>,
) -> Result<(LogFile, Vec<Problem>), Error> {
    let mut reading = Reading {
        path: &found.shown,
        name: name.as_ref(),
        options,
        redact,
        sink,
        counts: EventCounts::default(),
        oddities: Oddities::default(),
        first: None,
    };
    let (sha256, defect) = match Content::open(&found.path(options.root), options.limits.log_bytes) {
        Err(e) => (None, Some(e.to_string())),
        Ok(mut content) => {
            let outcome = split(&mut content, options.limits.record_bytes, &mut |record| reading.take(record));
            reading.counts.files = 1;
            reading.counts.bytes = content.bytes();
            match outcome {
                Ok(()) => (content.sha256(), None),
                Err(RecordsError::Stop(source)) => {
                    return Err(Error::Sink { path: found.shown.clone(), source });
                }
                Err(e) => (content.sha256(), Some(e.to_string())),
            }
        }
    };
    let mut problems = reading.oddities.problems(&found.shown, &reading.counts);
    if let Some(defect) = &defect {
        let problem = format!("{defect}; {} records before that were read", reading.counts.records);
        problems.push(Problem { path: found.shown.clone(), events_lost: true, problem });
    }
    let (counts, first) = (reading.counts, reading.first);
    // What AWS listed is the content before session tokens were taken out.
    let (sha256, defect) = match options.redacted.get(&found.shown) {
        Some(original) => (original.sha256, original.defect.clone().or(defect)),
        None => (sha256, defect),
    };
    let delivered = name.as_ref().map(|n| n.delivered);
    Ok((LogFile { path: found.shown.into(), first, delivered, sha256, defect, counts }, problems))
}

struct Reading<'a> {
    path: &'a str,
    name: Option<&'a LogName>,
    options: &'a Options<'a>,
    redact: &'a Redact<'a>,
    sink: &'a Sink<'a>,
    counts: EventCounts,
    oddities: Oddities,
    /// Account and Region of the first record, for a file whose name does not say.
    first: Option<Box<(String, String)>>,
}

impl Reading<'_> {
    fn take(&mut self, record: Record<'_>) -> Result<(), SinkError> {
        self.counts.records += 1;
        match record {
            Record::Sound(record, fields) => self.take_fields(record, &fields),
            Record::Odd(record, cause) => {
                self.oddities.odd.note(cause);
                match Fields::salvage(record) {
                    Some(fields) => self.take_fields(record, &fields),
                    None => self.unreadable("a record nests too deeply".to_owned()),
                }
            }
            Record::Unreadable(cause) => self.unreadable(cause),
        }
    }

    fn unreadable(&mut self, cause: String) -> Result<(), SinkError> {
        self.counts.unreadable += 1;
        self.oddities.unreadable.note(cause);
        Ok(())
    }

    fn take_fields(&mut self, record: &[u8], fields: &Fields<'_>) -> Result<(), SinkError> {
        let Some(time) = fields.event_time.as_ref().and_then(|t| time_ms(&t.0)) else {
            return self.unreadable("a record has no eventTime that can be read".to_owned());
        };
        let recipient = fields.recipient_account_id.as_ref().map(|t| &*t.0);
        let region = fields.aws_region.as_ref().map(|t| &*t.0);
        self.compare(recipient, region);
        let account = recipient.or(self.name.map(|n| n.account.as_str()));
        let accounts = &self.options.accounts;
        match account {
            None if !accounts.is_empty() => {
                return self
                    .unreadable("a record and its file name no account, so it cannot be told whose it is".to_owned());
            }
            Some(account) if !accounts.is_empty() && !accounts.contains(account) => {
                self.counts.other_account += 1;
                return Ok(());
            }
            _ => {}
        }
        if !self.options.period.contains_ms(time) {
            self.counts.outside_period += 1;
            return Ok(());
        }
        let line = one_line(record);
        let raw = (self.redact)(&line);
        let own_id;
        let id = match fields.event_id.as_ref().filter(|id| !id.0.is_empty()) {
            Some(id) => &*id.0,
            None => {
                self.counts.without_id += 1;
                own_id =
                    format!("sha256:{}", hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &line).as_ref()));
                &own_id
            }
        };
        self.counts.taken += 1;
        (self.sink)(&Event {
            raw: &raw,
            time_ms: time,
            id,
            name: fields.event_name.as_ref().map(|t| &*t.0),
            source: fields.event_source.as_ref().map(|t| &*t.0),
            region,
            read_only: fields.read_only,
            account,
            user_type: fields.user_identity.as_ref().and_then(|u| u.kind.as_ref()).map(|t| &*t.0),
            file: self.path,
        })
    }

    fn compare(&mut self, account: Option<&str>, region: Option<&str>) {
        let Some(name) = self.name else {
            if self.first.is_none() {
                self.first =
                    Some(Box::new((account.unwrap_or_default().to_owned(), region.unwrap_or_default().to_owned())));
            }
            return;
        };
        if let Some(other) = account.filter(|a| *a != name.account) {
            self.oddities.accounts.note(other.to_owned());
        }
        if let Some(other) = region.filter(|r| *r != name.region) {
            self.oddities.regions.note(other.to_owned());
        }
    }
}

/// What was odd about the records of a file: counted, with examples.
#[derive(Default)]
struct Oddities {
    odd: Tally,
    unreadable: Tally,
    accounts: Tally,
    regions: Tally,
}

#[derive(Default)]
struct Tally {
    count: u64,
    examples: BTreeSet<String>,
}

impl Tally {
    fn note(&mut self, what: String) {
        self.count += 1;
        // A few are enough for people; a hostile file could name a million.
        if self.examples.len() < 3 {
            self.examples.insert(what.chars().take(200).collect());
        }
    }

    fn say(&self, path: &str, events_lost: bool, what: &str) -> Option<Problem> {
        if self.count == 0 {
            return None;
        }
        let examples: Vec<&str> = self.examples.iter().map(String::as_str).collect();
        let problem = format!("{} records {what}: {}", self.count, examples.join(", "));
        Some(Problem { path: path.to_owned(), events_lost, problem })
    }
}

impl Oddities {
    fn problems(&self, path: &str, counts: &EventCounts) -> Vec<Problem> {
        let mut problems: Vec<Problem> = [
            self.odd.say(path, false, "have a field of an unexpected type, which is left empty"),
            self.unreadable.say(path, true, "cannot be read and are left out"),
            self.accounts.say(path, false, "are for another account than the file"),
            // Events of global services are delivered to other Regions' files; this is no error as such.
            self.regions.say(path, false, "are of another Region than the file"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if counts.without_id > 0 {
            let problem = format!("{} records have no eventID; their hash stands for it", counts.without_id);
            problems.push(Problem { path: path.to_owned(), events_lost: false, problem });
        }
        problems
    }
}

/// The identity of a copy: its file name, compressed or not.
pub(super) fn stem(path: &str) -> &str {
    names::without_gz(names::file_name(path))
}
