//! LookupEvents: <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>.
//!
//! Both ends of the window are inclusive, newest first, 90 days back, one attribute, tokens bound
//! to the parameters.

use std::fmt::Write;

use chrono::TimeDelta;
use serde_json::Value;

use super::super::{Answer, page};
use crate::events::{EventStore, Facts};
use crate::server::Context;
use crate::wire::token;
use crate::wire::{AwsError, Call};

pub(super) fn answer(context: &Context, call: &Call) -> Answer {
    let size = page::size(call, "MaxResults", 50, 50, context.pages.events, "InvalidMaxResultsException")?;
    let attribute = attribute(call)?;
    let now = context.now();
    let oldest = now - TimeDelta::days(90);
    let (start, end) = (call.time("StartTime"), call.time("EndTime"));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(AwsError::json(
            "InvalidTimeRangeException",
            "The start time occurs after the end time, or the time range is outside the range of possible values.",
        ));
    }
    let at = page::position(call)?;
    let insight = call.text("EventCategory") == Some("insight");
    let Some(store) = context.account.events.get(&call.region).filter(|_| !insight) else {
        return Ok(r#"{"Events":[]}"#.to_owned());
    };
    let start = start.unwrap_or(oldest).max(oldest);
    let first = end.map_or(0, |end| store.first_at_or_before(end));
    let last = store.first_before(start);

    let mut next = first + at.item;
    let mut out = String::from(r#"{"Events":["#);
    let mut count = 0;
    let comma = |out: &mut String| {
        if !out.ends_with('[') {
            out.push(',');
        }
    };
    let repeats = store.repeat_every().is_some_and(|k| at.page > 0 && at.page % k == 0);
    if repeats && size > 1 {
        // at-least-once: the event that ended the previous page comes again
        let before = (first..next).rev().find(|i| attribute.fits(&store.facts(*i)));
        if let Some(i) = before {
            comma(&mut out);
            write(&mut out, store, i);
            count += 1;
        }
    }
    let size = if call.empty_page { 0 } else { size };
    while next < last && count < size {
        if attribute.fits(&store.facts(next)) {
            comma(&mut out);
            write(&mut out, store, next);
            count += 1;
        }
        next += 1;
    }
    while next < last && !call.empty_page && !attribute.fits(&store.facts(next)) {
        next += 1;
    }
    out.push(']');
    let read = next - first - at.item;
    let more = next < last || call.empty_page;
    if let Some(next) = page::follows(call, at, more, size, usize::try_from(read).unwrap_or(usize::MAX)) {
        let token = token::encode(call.scope(), next);
        let _ = write!(out, r#","NextToken":"{token}""#);
    }
    out.push('}');
    Ok(out)
}

/// At most one attribute may be asked for.
enum Attribute {
    Any,
    Is(String, String),
}

fn attribute(call: &Call) -> Result<Attribute, AwsError> {
    let none = Vec::new();
    let list = call.value("LookupAttributes").and_then(Value::as_array).unwrap_or(&none);
    let refuse = |message: &str| Err(AwsError::json("InvalidLookupAttributesException", message));
    match list.as_slice() {
        [] => Ok(Attribute::Any),
        [one] => {
            let text = |name: &str| one.get(name).and_then(Value::as_str).map(str::to_owned);
            match (text("AttributeKey"), text("AttributeValue")) {
                (Some(key), Some(value)) => Ok(Attribute::Is(key, value)),
                _ => refuse("An attribute needs a key and a value."),
            }
        }
        _ => refuse("Only one lookup attribute can be specified."),
    }
}

impl Attribute {
    fn fits(&self, facts: &Facts) -> bool {
        let Attribute::Is(key, value) = self else {
            return true;
        };
        match key.as_str() {
            "EventId" => facts.id == *value,
            "EventName" => facts.name == *value,
            "ReadOnly" => facts.read_only.map(|r| r.to_string()).as_deref() == Some(value),
            "Username" => facts.username.as_deref() == Some(value),
            "EventSource" => facts.source == *value,
            "AccessKeyId" => facts.access_key.as_deref() == Some(value),
            "ResourceType" => facts.resources.iter().any(|(t, _)| t.as_deref() == Some(value)),
            "ResourceName" => facts.resources.iter().any(|(_, name)| name == value),
            _ => false,
        }
    }
}

/// One event, written by hand: this is the hot path of benchmarks.
fn write(out: &mut String, store: &EventStore, i: u64) {
    let facts = store.facts(i);
    out.push_str(r#"{"EventId":"#);
    text(out, &facts.id);
    out.push_str(r#","EventName":"#);
    text(out, &facts.name);
    if let Some(read_only) = facts.read_only {
        // a string, not a boolean
        let _ = write!(out, r#","ReadOnly":"{read_only}""#);
    }
    if let Some(key) = &facts.access_key {
        out.push_str(r#","AccessKeyId":"#);
        text(out, key);
    }
    let _ = write!(out, r#","EventTime":{}.0,"EventSource":"#, store.time(i).timestamp());
    text(out, &facts.source);
    if let Some(name) = &facts.username {
        out.push_str(r#","Username":"#);
        text(out, name);
    }
    out.push_str(r#","Resources":["#);
    for (n, (kind, name)) in facts.resources.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push('{');
        if let Some(kind) = kind {
            out.push_str(r#""ResourceType":"#);
            text(out, kind);
            out.push(',');
        }
        out.push_str(r#""ResourceName":"#);
        text(out, name);
        out.push('}');
    }
    out.push_str(r#"],"CloudTrailEvent":"#);
    text(out, &store.record(i));
    out.push('}');
}

fn text(out: &mut String, value: &str) {
    // cannot fail: a string always has a JSON form
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}
