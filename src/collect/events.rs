//! LookupEvents: the event history of one Region over the period.
//!
//! The period is asked for in slices, newest first. A slice is as long as makes some dozens of pages, so that
//! a page token that expires costs a slice and not the whole; quiet Regions take few slices, busy ones many.
//! CloudTrail keeps 90 days, gives 50 events a page, newest first, both ends of the span included
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).
//!
//! A page is asked for when the one before it has come, so that one chain of pages is as slow as AWS's answers, which
//! can take longer than the half second that its limit allows. Where much is left, it is read in several *lanes* side
//! by side. What is asked depends on answers alone, never on time, so that a replay asks the same.

use super::caller::Caller;
use super::failure::Verdict;
use super::tape::Answered;
use super::trail_logs::sorter::{EventSorter, Item, SorterError};
use crate::evidence::cloudtrail::{EventCoverage, LANE_NUMBERS, LookupEvents, Slice};
use crate::evidence::slicing::Slicing;
use crate::evidence::{CallId, EventKind, EventScope, Gap, GapKind, Operation, Outcome, Period, Run, Timestamp};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use chrono::TimeDelta;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

/// How many events AWS gives on a page at most.
const PAGE: i64 = 50;
/// AWS's limit for one Region: two pages a second.
pub(super) const A_MINUTE: u64 = 2 * 60 * PAGE as u64;
/// How often a slice is started again because its token expired.
const RESTARTS: u32 = 3;
/// How many pages without events are followed, one after another. AWS gives some; a list of them has no end.
const EMPTY_PAGES: u32 = 100;
/// How far back the event history reaches.
const REACH: TimeDelta = TimeDelta::days(90);
/// How much later than the run's start its oldest events may be asked for: what AWS forgets in this time is no gap.
const LATE: TimeDelta = TimeDelta::hours(1);
/// Memory for sorting, per Region.
const SORT_MEMORY: usize = 8 << 20;

/// Reads the Region's events of the period into a file below `scratch`.
pub(super) async fn lookup(
    caller: &Caller,
    client: &Client,
    region: &str,
    asked: Period,
    run: &Run,
    scratch: &Path,
) -> Outcome<LookupEvents> {
    let call = CallId::regional(Operation::CloudTrailLookupEvents, region);
    caller.progress().started(&call);
    let outcome = read(caller, client, &call, asked, run, scratch).await;
    caller.ended(&call, &outcome.word());
    outcome
}

async fn read(
    caller: &Caller,
    client: &Client,
    call: &CallId,
    asked: Period,
    run: &Run,
    scratch: &Path,
) -> Outcome<LookupEvents> {
    let (scope, slicing) = (&run.events, run.slicing.bounded());
    let sorter = match EventSorter::new(scratch, SORT_MEMORY) {
        Ok(sorter) => sorter,
        Err(error) => return Outcome::missing(failed(&error)),
    };
    let lookups = attributes(scope);
    let total = seconds(asked) * i64::try_from(lookups.len()).unwrap_or(i64::MAX);
    let read_so_far = AtomicI64::new(0);
    let mut whole = Read::default();
    for (number, attribute) in lookups.iter().enumerate() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let lookup = Lookup {
            caller,
            client,
            call,
            scope,
            slicing,
            attribute: attribute.as_ref(),
            number,
            sorter: &sorter,
            read_so_far: &read_so_far,
            total,
        };
        whole.absorb(lookup.whole(asked, number * (slicing.lanes + 1) * LANE_NUMBERS).await);
        if whole.gap.is_some() {
            break;
        }
    }
    let mut coverage = EventCoverage { asked: Some(asked), ..EventCoverage::default() };
    coverage.pages = whole.pages;
    coverage.unreadable = whole.unreadable;
    coverage.covered = match lookups.len() {
        1 => merged(whole.covered),
        // Of several lookups, only what all of them told is known.
        _ if whole.gap.is_none() => vec![asked],
        _ => Vec::new(),
    };
    whole.slices.sort_by_key(|slice| (slice.lookup, std::cmp::Reverse(slice.to)));
    coverage.slices = whole.slices;
    let region = call.region.as_deref().unwrap_or_default();
    let file = scratch.join(format!("events-{}.jsonl", crate::evidence::call::file_name(region)));
    if let Err(error) = write(sorter, &file, &mut coverage) {
        return Outcome::missing(error);
    }
    let unreadable = (coverage.unreadable > 0).then(|| {
        let reason = format!("{} events are not records that can be read; they are in raw/ only", coverage.unreadable);
        Gap::new(GapKind::Failed, reason)
    });
    let events = LookupEvents { file, coverage };
    match whole.gap.or(unreadable) {
        None => Outcome::Collected(events),
        Some(gap) if events.coverage.pages == 0 => Outcome::missing(gap),
        Some(gap) => Outcome::Missing { gap, partial: Some(events) },
    }
}

/// The attributes to look up, one after the other: LookupEvents takes one at a time. What else was asked for is
/// sifted here.
fn attributes(scope: &EventScope) -> Vec<Option<LookupAttribute>> {
    let attribute = |key: LookupAttributeKey, value: &str| {
        // Both members are given.
        LookupAttribute::builder().attribute_key(key).attribute_value(value).build().ok()
    };
    if !scope.resources.is_empty() {
        return scope.resources.iter().map(|name| attribute(LookupAttributeKey::ResourceName, name)).collect();
    }
    if !scope.names.is_empty() {
        return scope.names.iter().map(|name| attribute(LookupAttributeKey::EventName, name)).collect();
    }
    match scope.kind {
        EventKind::Write => vec![attribute(LookupAttributeKey::ReadOnly, "false")],
        EventKind::All | EventKind::None => vec![None],
    }
}

/// One lookup over the period.
struct Lookup<'a> {
    caller: &'a Caller,
    client: &'a Client,
    call: &'a CallId,
    scope: &'a EventScope,
    slicing: Slicing,
    attribute: Option<&'a LookupAttribute>,
    number: u32,
    sorter: &'a EventSorter,
    /// Seconds of the period that were read, of all lookups together.
    read_so_far: &'a AtomicI64,
    total: i64,
}

/// What was read.
#[derive(Default)]
struct Read {
    slices: Vec<Slice>,
    covered: Vec<Period>,
    pages: u64,
    unreadable: u64,
    gap: Option<Gap>,
}

impl Read {
    fn absorb(&mut self, other: Read) {
        self.slices.extend(other.slices);
        self.covered.extend(other.covered);
        self.pages += other.pages;
        self.unreadable += other.unreadable;
        self.gap = self.gap.take().or(other.gap);
    }
}

/// A stretch of time that is read slice by slice, from its end to its start.
struct Lane {
    from: Timestamp,
    /// The last second that was not read yet.
    to: Timestamp,
    length: TimeDelta,
    /// The number of the last request.
    page: u32,
    /// What is read before everything else of it, if anything.
    first: Option<Period>,
}

impl Lane {
    fn next(&self) -> Option<Period> {
        let from = Timestamp((self.to.0 - self.length).max(self.from.0));
        (self.to >= self.from).then_some(Period { from, to: self.to })
    }

    /// Goes on to what comes before a slice.
    fn advance(&mut self, slice: &Slice, slicing: &Slicing) {
        let pages = i64::try_from(slice.pages).unwrap_or(i64::MAX).max(1);
        // Both ends are included, and times have whole seconds: the next slice ends a second earlier.
        self.to = Timestamp(slice.from.0 - TimeDelta::seconds(1));
        let length = self.length.num_seconds().max(1);
        let stretch = i64::from(slicing.stretch);
        let wanted = length.saturating_mul(slicing.pages.into()) / pages;
        let wanted = wanted.clamp(length / stretch, length.saturating_mul(stretch));
        self.length = TimeDelta::seconds(wanted.clamp(slicing.shortest_seconds.into(), 1_000_000_000));
    }

    /// How many pages are likely left, if they are as dense as in a slice.
    fn pages_left(&self, slice: &Slice) -> i64 {
        let left = (self.to.0 - self.from.0).num_seconds().max(0);
        let events = i64::try_from(slice.events).unwrap_or(i64::MAX);
        let span = seconds(Period { from: slice.from, to: slice.to });
        events.saturating_mul(left) / span / PAGE
    }

    /// What is left, in equal parts, the newest first.
    fn parts(self, lanes: u32) -> Vec<Lane> {
        let part = ((self.to.0 - self.from.0).num_seconds() / i64::from(lanes)).max(1);
        let mut parts = Vec::new();
        let mut to = self.to;
        for number in 1..=lanes {
            let from = if number == lanes { self.from } else { Timestamp(to.0 - TimeDelta::seconds(part)) };
            let from = from.max(self.from);
            // The numbers of the first lane go on from where this one stood.
            let page = self.page / LANE_NUMBERS * LANE_NUMBERS + number * LANE_NUMBERS;
            parts.push(Lane { from, to, length: self.length, page, first: None });
            to = Timestamp(from.0 - TimeDelta::seconds(1));
        }
        parts
    }

    /// The same lane, with so many seconds at its start read first.
    fn oldest_first(mut self, seconds: u32) -> Self {
        let end = Timestamp(self.from.0 + TimeDelta::seconds(seconds.into()));
        if seconds > 0 && end < self.to {
            self.first = Some(Period { from: self.from, to: Timestamp(end.0 - TimeDelta::seconds(1)) });
            self.from = end;
        }
        self
    }
}

impl Lookup<'_> {
    /// Reads the whole period: one lane, and several where much is left.
    async fn whole(&self, asked: Period, page: u32) -> Read {
        let length = TimeDelta::seconds(self.slicing.first_seconds.into());
        let first = Lane { from: asked.from, to: asked.to, length, page, first: None };
        let (mut read, rest) = self.lane(first, true).await;
        if let Some(rest) = rest {
            let mut lanes = rest.parts(self.slicing.lanes);
            let oldest = lanes.pop().map(|lane| lane.oldest_first(self.slicing.oldest_seconds));
            let lanes = lanes.into_iter().chain(oldest).map(|lane| self.lane(lane, false));
            for (of_lane, _) in futures_util::future::join_all(lanes).await {
                read.absorb(of_lane);
            }
        }
        read
    }

    /// Reads a lane to its end, or until what is left is worth several; that is then given back.
    async fn lane(&self, mut lane: Lane, may_part: bool) -> (Read, Option<Lane>) {
        let mut read = Read::default();
        if let Some(first) = lane.first.take() {
            // Too late for these is not too late for what is newer.
            read.gap = self.slice(first, &mut lane.page, &mut read).await.err();
        }
        while let Some(span) = lane.next() {
            let ended = self.slice(span, &mut lane.page, &mut read).await;
            let (Some(slice), Ok(())) = (read.slices.last().copied(), &ended) else {
                read.gap = ended.err().or(read.gap);
                break;
            };
            lane.advance(&slice, &self.slicing);
            if may_part {
                let left = lane.pages_left(&slice);
                self.caller.progress().estimate(self.call, u64::try_from(left * PAGE).unwrap_or(0));
                if left >= i64::from(self.slicing.worth_lanes) {
                    return (read, Some(lane));
                }
            }
        }
        (read, None)
    }

    /// Reads one slice, all of its pages. If its token expires, it is read again from its start.
    async fn slice(&self, span: Period, page: &mut u32, read: &mut Read) -> Result<(), Gap> {
        let (from, to) = (span.from, span.to);
        let new = Slice { from, to, pages: 0, events: 0, restarts: 0, complete: false, lookup: self.number };
        let mut slice = new;
        let mut token: Option<String> = None;
        let mut tokens = BTreeSet::new();
        let mut empty = 0;
        // The first second that was not read yet, from the end of the slice.
        let mut reached = to.0 + TimeDelta::seconds(1);
        let answered = Answered::default();
        let mut ended = loop {
            *page += 1;
            let send = || {
                let request = self.client.lookup_events().max_results(50);
                let request = request.start_time(time(from)).end_time(time(to));
                let request = request.set_lookup_attributes(self.attribute.map(|attribute| vec![attribute.clone()]));
                request.set_next_token(token.clone()).send()
            };
            let answer = match self.caller.request_timed(self.call, *page, &answered, send).await {
                Ok(answer) => answer,
                Err(Verdict::TokenExpired(_)) if token.is_some() && slice.restarts < RESTARTS => {
                    token = None;
                    tokens.clear();
                    slice = Slice { restarts: slice.restarts + 1, ..new };
                    continue;
                }
                Err(verdict) => {
                    break Err(match verdict.outcome::<()>(None) {
                        Outcome::Missing { gap, .. } => gap,
                        _ => Gap::new(GapKind::Failed, "AWS says that there is no event history"),
                    });
                }
            };
            let events = answer.events.unwrap_or_default();
            slice.pages += 1;
            slice.events += events.len() as u64;
            empty = if events.is_empty() { empty + 1 } else { 0 };
            read.pages += 1;
            if let Err(error) = self.take(&events, read) {
                break Err(failed(&error));
            }
            let next = answer.next_token.filter(|next| !next.is_empty());
            let oldest = events.iter().filter_map(|event| event.event_time).map(|at| at.secs()).min();
            let now = match (&next, oldest.and_then(|secs| chrono::DateTime::from_timestamp(secs, 0))) {
                (None, _) => from.0,
                // Of the oldest second, more may follow.
                (Some(_), Some(oldest)) => (oldest + TimeDelta::seconds(1)).clamp(from.0, reached),
                (Some(_), None) => reached,
            };
            let done = (reached - now).num_seconds();
            reached = now;
            let done = self.read_so_far.fetch_add(done, Ordering::Relaxed) + done;
            self.caller.progress().page(self.call, events.len());
            self.caller.progress().advanced(self.call, done as f64 / self.total.max(1) as f64);
            match next {
                None => {
                    slice.complete = true;
                    break Ok(());
                }
                // Pages that lead to each other have no end.
                Some(again) if !tokens.insert(again.clone()) => {
                    break Err(Gap::new(GapKind::Failed, format!("AWS gave the token of page {page} again")));
                }
                // A page without events can be followed by others.
                _ if empty >= EMPTY_PAGES => {
                    let reason = format!("after page {page} AWS went on to give pages with nothing on them");
                    break Err(Gap::new(GapKind::Failed, reason));
                }
                next => token = next,
            }
        };
        // Of what was read to its end, the start may be older than what AWS still knew when it answered.
        if let (Ok(()), Some(at)) = (&ended, answered.at())
            && from.0 + LATE < at.0 - REACH
        {
            reached = (at.0 - REACH).min(to.0 + TimeDelta::seconds(1));
            slice.complete = false;
            ended = Err(Gap::new(GapKind::Failed, too_late(at)));
        }
        if reached <= to.0 {
            read.covered.push(Period { from: Timestamp(reached), to });
        }
        read.slices.push(slice);
        ended
    }

    /// Keeps the events of a page that were asked for.
    fn take(&self, events: &[Event], read: &mut Read) -> Result<(), SorterError> {
        for event in events {
            let read_only = event.read_only.as_deref().and_then(|text| text.parse().ok());
            if self.scope.takes(event.event_name.as_deref(), read_only) {
                let is_record = keep(event, self.sorter, self.call.region.as_deref().unwrap_or_default())?;
                read.unreadable += u64::from(!is_record);
            }
        }
        Ok(())
    }
}

fn too_late(at: Timestamp) -> String {
    format!(
        "the event history reaches back 90 days: at {at}, when the oldest events of the period were asked for, those before {} \
         were no longer in it (a trail's log files have them: --trail-logs)",
        Timestamp(at.0 - REACH)
    )
}

/// The length of a period in seconds, at least one.
fn seconds(period: Period) -> i64 {
    ((period.to.0 - period.from.0).num_seconds() + 1).max(1)
}

/// Spans that adjoin are one; the newest first.
fn merged(mut spans: Vec<Period>) -> Vec<Period> {
    spans.sort_by_key(|span| std::cmp::Reverse(span.to));
    let mut merged: Vec<Period> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(newer) if newer.from.0 <= span.to.0 + TimeDelta::seconds(1) => newer.from = newer.from.min(span.from),
            _ => merged.push(span),
        }
    }
    merged
}

/// Keeps an event, if it is a record with an id and a time.
fn keep(event: &Event, sorter: &EventSorter, region: &str) -> Result<bool, SorterError> {
    let (Some(id), Some(at), Some(record)) = (&event.event_id, &event.event_time, &event.cloud_trail_event) else {
        return Ok(false);
    };
    let Ok(raw) = serde_json::from_str::<&RawValue>(record) else { return Ok(false) };
    if !raw.get().starts_with('{') {
        return Ok(false);
    }
    // In JSON a line break can only stand between values, where a space means the same.
    let line = raw.get().replace(['\n', '\r'], " ");
    sorter.push(Item { group: region, time_ms: at.to_millis().unwrap_or_default(), id, raw: line.as_bytes() })?;
    Ok(true)
}

/// Writes the events, oldest first, each once.
fn write(sorter: EventSorter, file: &Path, coverage: &mut EventCoverage) -> Result<(), Gap> {
    let mut sorted = sorter.finish().map_err(|e| failed(&e))?;
    let unwritable = |e: std::io::Error| Gap::new(GapKind::Failed, format!("cannot write {}: {e}", file.display()));
    let mut out = BufWriter::new(File::create(file).map_err(unwritable)?);
    while let Some(item) = sorted.next_event().map_err(|e| failed(&e))? {
        let at = Timestamp::from_seconds(item.time_ms as f64 / 1000.0);
        coverage.oldest = coverage.oldest.or(at);
        coverage.newest = at;
        out.write_all(item.raw).and_then(|()| out.write_all(b"\n")).map_err(unwritable)?;
    }
    out.flush().map_err(unwritable)?;
    coverage.events = sorted.counts().kept;
    coverage.duplicates = sorted.counts().duplicates;
    coverage.contradictory = sorted.counts().contradictory_ids;
    Ok(())
}

fn time(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.0.timestamp())
}

fn failed(error: &SorterError) -> Gap {
    Gap::new(GapKind::Failed, error.to_string())
}
