//! LookupEvents: the event history of one Region over the period.
//!
//! The period is asked for in slices, newest first. A slice is as long as makes some dozens of pages, so that
//! a page token that expires costs a slice and not the whole; quiet Regions take few slices, busy ones many.
//! CloudTrail keeps 90 days, gives 50 events a page, newest first, both ends of the span included
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>).

use super::caller::Caller;
use super::failure::Verdict;
use super::trail_logs::sorter::{EventSorter, Item, SorterError};
use crate::evidence::cloudtrail::{EventCoverage, LookupEvents, Slice};
use crate::evidence::{CallId, Gap, GapKind, Operation, Outcome, Period, Timestamp};
use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::Event;
use aws_smithy_types::DateTime;
use chrono::TimeDelta;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// How long the first slice is. Most Regions of most accounts are quiet.
const FIRST_SLICE: TimeDelta = TimeDelta::days(2);
/// No slice is shorter.
const SHORTEST_SLICE: TimeDelta = TimeDelta::minutes(15);
/// How many pages a slice should have.
const PAGES_A_SLICE: i64 = 40;
/// How much longer or shorter a slice may be than the one before.
const STRETCH: i64 = 16;
/// How often a slice is started again because its token expired.
const RESTARTS: u32 = 3;
/// Memory for sorting, per Region.
const SORT_MEMORY: usize = 8 << 20;

/// Reads the Region's events of the period into a file below `scratch`.
pub(super) async fn lookup(
    caller: &Caller,
    client: &Client,
    region: &str,
    asked: Period,
    scratch: &Path,
) -> Outcome<LookupEvents> {
    let call = CallId::regional(Operation::CloudTrailLookupEvents, region);
    caller.progress().started(&call);
    let outcome = Lookup { caller, client, call: call.clone(), asked }.run(scratch).await;
    caller.progress().ended(&call, &outcome.word());
    outcome
}

struct Lookup<'a> {
    caller: &'a Caller,
    client: &'a Client,
    call: CallId,
    asked: Period,
}

impl Lookup<'_> {
    async fn run(&self, scratch: &Path) -> Outcome<LookupEvents> {
        let sorter = match EventSorter::new(scratch, SORT_MEMORY) {
            Ok(sorter) => sorter,
            Err(error) => return Outcome::missing(failed(&error)),
        };
        let mut coverage = EventCoverage { asked: Some(self.asked), ..EventCoverage::default() };
        let mut gap = None;
        let mut to = self.asked.to;
        let mut length = FIRST_SLICE;
        let mut page = 0;
        while to >= self.asked.from {
            let from = Timestamp((to.0 - length).max(self.asked.from.0));
            let (slice, ended) = self.slice(Period { from, to }, &mut page, &sorter, &mut coverage).await;
            let pages = i64::from(u32::try_from(slice.pages).unwrap_or(u32::MAX)).max(1);
            coverage.slices.push(slice);
            if let Err(broken) = ended {
                gap = Some(broken);
                break;
            }
            // Both ends are included, and times have whole seconds: the next slice ends a second earlier.
            to = Timestamp(from.0 - TimeDelta::seconds(1));
            let seconds = length.num_seconds().max(1);
            let wanted = (seconds * PAGES_A_SLICE / pages).clamp(seconds / STRETCH, seconds * STRETCH);
            length = TimeDelta::seconds(wanted).max(SHORTEST_SLICE);
        }
        let file = scratch.join(format!("events-{}.jsonl", crate::evidence::call::file_name(self.region())));
        match write(sorter, &file, &mut coverage) {
            Err(error) => Outcome::missing(error),
            Ok(()) => {
                if coverage.unreadable > 0 && gap.is_none() {
                    let reason = format!(
                        "{} events are not records that can be read; they are in raw/ only",
                        coverage.unreadable
                    );
                    gap = Some(Gap::new(GapKind::Failed, reason));
                }
                let events = LookupEvents { file, coverage };
                match gap {
                    None => Outcome::Collected(events),
                    Some(gap) if events.coverage.pages == 0 => Outcome::missing(gap),
                    Some(gap) => Outcome::Missing { gap, partial: Some(events) },
                }
            }
        }
    }

    fn region(&self) -> &str {
        self.call.region.as_deref().unwrap_or_default()
    }

    /// Reads one slice, all of its pages. If its token expires, it is read again from its start.
    async fn slice(
        &self,
        span: Period,
        page: &mut u32,
        sorter: &EventSorter,
        coverage: &mut EventCoverage,
    ) -> (Slice, Result<(), Gap>) {
        let mut slice = Slice { from: span.from, to: span.to, pages: 0, events: 0, restarts: 0 };
        let mut token: Option<String> = None;
        loop {
            *page += 1;
            let send = || {
                let request = self.client.lookup_events().max_results(50);
                let request = request.start_time(time(span.from)).end_time(time(span.to));
                request.set_next_token(token.clone()).send()
            };
            let answer = match self.caller.request_page(&self.call, *page, send).await {
                Ok(answer) => answer,
                Err(Verdict::TokenExpired(_)) if token.is_some() && slice.restarts < RESTARTS => {
                    token = None;
                    slice = Slice { pages: 0, events: 0, restarts: slice.restarts + 1, ..slice };
                    continue;
                }
                Err(verdict) => {
                    let gap = match verdict.outcome::<()>(None) {
                        Outcome::Missing { gap, .. } => gap,
                        _ => Gap::new(GapKind::Failed, "AWS says that there is no event history"),
                    };
                    return (slice, Err(gap));
                }
            };
            let events = answer.events.unwrap_or_default();
            slice.pages += 1;
            slice.events += events.len() as u64;
            coverage.pages += 1;
            self.caller.progress().page(&self.call, events.len());
            for event in &events {
                match keep(event, sorter, self.region()) {
                    Ok(true) => {}
                    Ok(false) => coverage.unreadable += 1,
                    Err(error) => return (slice, Err(failed(&error))),
                }
            }
            match answer.next_token.filter(|next| !next.is_empty()) {
                None => return (slice, Ok(())),
                same if same == token => {
                    return (slice, Err(Gap::new(GapKind::Failed, format!("AWS gave the token of page {page} again"))));
                }
                // A page without events can be followed by others.
                next => token = next,
            }
        }
    }
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
