//! Files with CloudTrail events, turned into what LookupEvents gives: one full record a line, oldest first, each
//! event once, without session tokens.
//!
//! Read are: one record a line (`events.jsonl` of a package), what `aws cloudtrail lookup-events` prints, a log file
//! (`{"Records": [...]}`), and a bare array of records. The events never stand in memory together, only their times
//! and ids do.

use super::super::trail_logs::one_line;
use super::super::trail_logs::sorter::{EventSorter, Item, SorterError};
use crate::evidence::cloudtrail::{EventCoverage, LookupEvents};
use crate::evidence::redaction::redact;
use crate::evidence::{Period, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::Path;

/// Memory for sorting.
const SORT_MEMORY: usize = 8 << 20;
/// The longest line that is read. AWS's largest event has 256 KiB.
const LONGEST_LINE: u64 = 16 << 20;

/// How the events stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One record a line.
    Lines,
    /// JSON: an object with `Events` or `Records`, or an array.
    Json,
}

/// What a file with events holds.
#[derive(Debug)]
pub(super) struct Events {
    pub document: LookupEvents,
    /// The Regions that the events name.
    pub regions: BTreeSet<String>,
    /// It is the answer to LookupEvents, or says so. A log file or an array can be anybody's selection.
    pub is_answer: bool,
    /// The answer goes on in another file.
    pub continues: bool,
    /// Session tokens that were taken out.
    pub redactions: u64,
    /// Events that lie outside of the period, and were left out.
    pub outside: u64,
}

/// Why events cannot be converted.
#[derive(Debug)]
pub(super) enum EventsError {
    /// The file cannot be read, or is not one with events.
    File(String),
    /// The result cannot be written.
    Work(String),
}

/// Converts a file's events to `target`, keeping those of the period.
pub(super) fn convert(input: impl BufRead, form: Form, period: Period, target: &Path) -> Result<Events, EventsError> {
    let sorter = EventSorter::new(target.parent().unwrap_or(Path::new(".")), SORT_MEMORY).map_err(sorting)?;
    let (regions, failure) = (BTreeSet::new(), None);
    let mut spool = Spool { sorter, unreadable: 0, outside: 0, redactions: 0, regions, period, failure };
    let read = match form {
        Form::Lines => read_lines(input, &mut spool).map(|()| Seen { is_answer: true, ..Seen::default() }),
        Form::Json => read_json(input, &mut spool),
    };
    if let Some(e) = spool.failure.take() {
        return Err(sorting(e));
    }
    let seen = read.map_err(EventsError::File)?;
    let regions = std::mem::take(&mut spool.regions);
    let (redactions, outside) = (spool.redactions, spool.outside);
    let document = LookupEvents { file: target.to_owned(), coverage: spool.write_sorted(target)? };
    Ok(Events { document, regions, is_answer: seen.is_answer, continues: seen.continues, redactions, outside })
}

fn read_lines(mut input: impl BufRead, spool: &mut Spool) -> Result<(), String> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line);
        match read.map_err(|e| e.to_string())? as u64 {
            0 => break,
            LONGEST_LINE => return Err(format!("line {number} is longer than {LONGEST_LINE} bytes")),
            _ => {}
        }
        match std::str::from_utf8(line.trim_ascii()) {
            Ok("") => {}
            Ok(record) => spool.add(record),
            Err(_) => spool.unreadable += 1,
        }
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Seen {
    lists: u32,
    is_answer: bool,
    continues: bool,
}

fn read_json(input: impl BufRead, spool: &mut Spool) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let parsed = Top { spool, seen: &mut seen }.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    parsed.map_err(|e| format!("its JSON cannot be read: {e}"))?;
    if seen.lists == 0 {
        return Err("it has no list of events".to_owned());
    }
    Ok(seen)
}

/// The whole file.
struct Top<'a> {
    spool: &'a mut Spool,
    seen: &'a mut Seen,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("events, as the AWS CLI prints them, or an array of CloudTrail records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        self.seen.lists += 1;
        Records(self.spool).visit_seq(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "Events" => {
                    members.next_value_seed(Answers(self.spool))?;
                    self.seen.lists += 1;
                    self.seen.is_answer = true;
                }
                "Records" => {
                    members.next_value_seed(Records(self.spool))?;
                    self.seen.lists += 1;
                }
                "NextToken" | "nextToken" => {
                    self.seen.continues |=
                        members.next_value::<Option<String>>()?.is_some_and(|token| !token.is_empty());
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

macro_rules! list {
    ($name:ident, $item:ty, |$spool:ident, $value:ident| $take:expr) => {
        struct $name<'a>(&'a mut Spool);

        impl<'de> DeserializeSeed<'de> for $name<'_> {
            type Value = ();
            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_seq(self)
            }
        }

        impl<'de> Visitor<'de> for $name<'_> {
            type Value = ();
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
                let $spool = self.0;
                while let Some($value) = items.next_element::<$item>()? {
                    $take;
                    if $spool.failure.is_some() {
                        return Err(A::Error::custom("the events cannot be written"));
                    }
                }
                Ok(())
            }
        }
    };
}

/// An event as LookupEvents tells it: the record is a text in it.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "CloudTrailEvent")]
    record: Option<String>,
}

list!(Records, Box<RawValue>, |spool, record| spool.add(record.get()));
list!(Answers, Answer, |spool, answer| match answer.record {
    Some(record) => spool.add(&record),
    None => spool.unreadable += 1,
});

/// Takes the records one by one.
struct Spool {
    sorter: EventSorter,
    unreadable: u64,
    outside: u64,
    redactions: u64,
    regions: BTreeSet<String>,
    period: Period,
    failure: Option<SorterError>,
}

impl Spool {
    fn add(&mut self, record: &str) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head<'a> {
            #[serde(borrow, rename = "eventID")]
            event_id: Cow<'a, str>,
            event_time: Timestamp,
            #[serde(borrow)]
            aws_region: Option<Cow<'a, str>>,
        }
        let Ok(head) = serde_json::from_str::<Head<'_>>(record) else {
            self.unreadable += 1;
            return;
        };
        if let Some(region) = head.aws_region {
            self.regions.insert(region.into_owned());
        }
        if head.event_time < self.period.from || head.event_time > self.period.to {
            self.outside += 1;
            return;
        }
        let line = one_line(record.trim().as_bytes());
        let (line, redactions) = redact(&line);
        self.redactions += redactions;
        let time_ms = head.event_time.0.timestamp_millis();
        let item = Item { group: "", time_ms, id: &head.event_id, raw: &line };
        if let Err(e) = self.sorter.push(item) {
            self.failure.get_or_insert(e);
        }
    }

    fn write_sorted(self, target: &Path) -> Result<EventCoverage, EventsError> {
        let mut coverage = EventCoverage { pages: 1, unreadable: self.unreadable, ..EventCoverage::default() };
        let mut sorted = self.sorter.finish().map_err(sorting)?;
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let unwritable = |e: io::Error| EventsError::Work(format!("cannot write {}: {e}", target.display()));
        let mut out = BufWriter::new(options.open(target).map_err(unwritable)?);
        while let Some(item) = sorted.next_event().map_err(sorting)? {
            let time = chrono::DateTime::from_timestamp_millis(item.time_ms).map(Timestamp);
            coverage.oldest = coverage.oldest.or(time);
            coverage.newest = time;
            out.write_all(item.raw).and_then(|()| out.write_all(b"\n")).map_err(unwritable)?;
        }
        out.flush().map_err(unwritable)?;
        coverage.events = sorted.counts().kept;
        coverage.duplicates = sorted.counts().duplicates;
        coverage.contradictory = sorted.counts().contradictory_ids;
        Ok(coverage)
    }
}

fn sorting(error: SorterError) -> EventsError {
    EventsError::Work(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period() -> Period {
        let time = |text| Timestamp::parse(text).unwrap();
        Period { from: time("2026-09-01T00:00:00Z"), to: time("2026-10-01T00:00:00Z") }
    }

    fn record(id: &str, day: u32) -> String {
        format!(
            r#"{{"eventVersion":"1.09","eventID":"{id}","eventTime":"2026-09-{day:02}T00:00:00Z","awsRegion":"eu-west-1"}}"#
        )
    }

    fn run(input: &str, form: Form) -> (Result<Events, EventsError>, String) {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("events.jsonl");
        let events = convert(input.as_bytes(), form, period(), &target);
        (events, std::fs::read_to_string(target).unwrap_or_default())
    }

    #[test]
    fn all_forms_give_the_same_lines_sorted_and_once() {
        let (a, b, c) = (record("a", 3), record("b", 2), record("c", 3));
        let expected = format!("{b}\n{a}\n{c}\n");
        let text = |r: &String| serde_json::to_string(r).unwrap();
        let pretty = format!("[{},\n{c},\r\n{b}]", a.replace(',', ",\n   "));
        let answer = format!(
            r#"{{"Events": [{{"EventId": "c", "CloudTrailEvent": {}}}, {{"CloudTrailEvent": {}}}, {{"CloudTrailEvent": {}}}]}}"#,
            text(&c),
            text(&b),
            text(&a)
        );
        for (input, form, is_answer) in [
            (format!("{c}\n\n{a}\n{b}"), Form::Lines, true),
            (answer, Form::Json, true),
            (pretty, Form::Json, false),
            (format!(r#"{{"Records": [{c}, {a}, {b}]}}"#), Form::Json, false),
        ] {
            let (events, lines) = run(&input, form);
            let events = events.unwrap();
            assert_eq!(lines, expected, "{input}");
            assert_eq!(events.is_answer, is_answer);
            assert_eq!((events.document.coverage.events, events.document.coverage.unreadable), (3, 0));
        }
    }

    #[test]
    fn nothing_is_dropped_without_being_counted() {
        let token = r#"{"eventID":"t","eventTime":"2026-09-04T00:00:00Z","responseElements":{"credentials":{"sessionToken":"SECRET"}}}"#;
        let late = r#"{"eventID":"l","eventTime":"2026-11-04T00:00:00Z"}"#;
        let input = format!("{}\n{}\nnot json\n{{}}\n{late}\n{token}\n", record("a", 3), record("a", 3));
        let (events, lines) = run(&input, Form::Lines);
        let events = events.unwrap();
        let coverage = &events.document.coverage;
        assert_eq!((coverage.events, coverage.duplicates, coverage.unreadable), (2, 1, 2));
        assert_eq!((events.outside, events.redactions), (1, 1));
        assert!(!lines.contains("SECRET"));
    }

    #[test]
    fn a_next_token_says_that_there_is_more() {
        assert!(run(r#"{"Events": [], "NextToken": "x"}"#, Form::Json).0.unwrap().continues);
        assert!(!run(r#"{"Events": [], "NextToken": null}"#, Form::Json).0.unwrap().continues);
    }

    #[test]
    fn what_holds_no_events_is_an_error() {
        for input in ["{}", "{\"Events\": 1}", "[", "7", "{\"Events\": []} x"] {
            assert!(matches!(run(input, Form::Json).0, Err(EventsError::File(_))), "{input}");
        }
    }
}
