//! The text form of a fault rule: `kind[=value][:service[:operation[:region]]][:key=value,...]`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Fault, FaultKind, When};

/// The syntax, for `--help`.
pub const SYNTAX: &str = "\
kind[=value][:service[:operation[:region]]][:key=value,...]

Kinds: deny, throttle400, throttle429, throttle503, error500, error503, expired-token, cut
(connection closes before the answer), reset (TCP reset in mid-body), truncate (half a body,
well framed), drip=MS (sixteen pieces, MS apart), delay=MS, stall (half a body, then silence),
hang (no answer), skew (\"Signature expired\"), too-skewed (RequestTimeTooSkewed), date=SECONDS
(wrong Date header), region-disabled, opt-in-required, empty-page (nothing but a token),
last-page (a page that says it is the last), loop-pages (the last leads back to the second),
invalid-token (hits requests that carry a token), wrong-types.

Service, operation and Region may be `*` or left out. Keys: nth=N (only the N-th matching
request), after=N (not the first N), every=N, times=N (at most N hits), containing=TEXT (the
request body contains TEXT).";

/// A fault rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSyntaxError {
    rule: String,
    cause: String,
}

impl fmt::Display for FaultSyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault rule '{}': {}", self.rule, self.cause)
    }
}

impl std::error::Error for FaultSyntaxError {}

impl FromStr for Fault {
    type Err = FaultSyntaxError;

    fn from_str(rule: &str) -> Result<Self, Self::Err> {
        parse(rule).map_err(|cause| FaultSyntaxError { rule: rule.to_owned(), cause })
    }
}

fn parse(rule: &str) -> Result<Fault, String> {
    let mut parts = rule.split(':');
    let kind = parse_kind(parts.next().unwrap_or_default())?;
    let mut fault = Fault::new(kind, "*", "*");
    let mut places = 0;
    for part in parts {
        if part.contains('=') {
            for pair in part.split(',') {
                set(&mut fault, pair)?;
            }
            continue;
        }
        let value = (part != "*" && !part.is_empty()).then(|| part.to_owned());
        match places {
            0 => fault.service = value,
            1 => fault.operation = value,
            2 => fault.region = value,
            _ => return Err(format!("'{part}' is one part too many")),
        }
        places += 1;
    }
    Ok(fault)
}

fn parse_kind(text: &str) -> Result<FaultKind, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let kind = match name {
        "deny" => FaultKind::Deny,
        "throttle" | "throttle400" => FaultKind::Throttle(400),
        "throttle429" => FaultKind::Throttle(429),
        "throttle503" => FaultKind::Throttle(503),
        "error500" => FaultKind::Error(500),
        "error503" => FaultKind::Error(503),
        "expired-token" => FaultKind::ExpiredToken,
        "cut" => FaultKind::Cut,
        "reset" => FaultKind::Reset,
        "truncate" => FaultKind::Truncate,
        "drip" => FaultKind::Drip(Duration::from_millis(number(value)?)),
        "delay" => FaultKind::Delay(Duration::from_millis(number(value)?)),
        "stall" => FaultKind::Stall,
        "hang" => FaultKind::Hang,
        "skew" => FaultKind::Skew,
        "too-skewed" => FaultKind::TooSkewed,
        "date" => FaultKind::Date(number(value)?),
        "region-disabled" => FaultKind::RegionDisabled,
        "opt-in-required" => FaultKind::OptInRequired,
        "empty-page" => FaultKind::EmptyPage,
        "last-page" => FaultKind::LastPage,
        "loop-pages" => FaultKind::LoopPages,
        "invalid-token" => FaultKind::InvalidToken,
        "wrong-types" => FaultKind::WrongTypes,
        _ => return Err(format!("no fault is called '{name}'")),
    };
    if value.is_some() && !matches!(name, "drip" | "delay" | "date") {
        return Err(format!("'{name}' takes no value"));
    }
    Ok(kind)
}

fn number<T: FromStr>(value: Option<&str>) -> Result<T, String> {
    value.and_then(|v| v.parse().ok()).ok_or_else(|| "a number must follow the =".to_owned())
}

fn set(fault: &mut Fault, pair: &str) -> Result<(), String> {
    let (key, value) = pair.split_once('=').ok_or_else(|| format!("'{pair}' is not key=value"))?;
    match key {
        "nth" => fault.when.nth = Some(number(Some(value))?),
        "after" => fault.when.after = number(Some(value))?,
        "every" => fault.when.every = Some(number(Some(value))?),
        "times" => fault.when.times = Some(number(Some(value))?),
        "containing" => fault.containing = Some(value.to_owned()),
        _ => {
            return Err(format!("no key is called '{key}': nth, after, every, times, containing"));
        }
    }
    Ok(())
}

pub(super) fn write(fault: &Fault, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &fault.kind {
        FaultKind::Deny => f.write_str("deny")?,
        FaultKind::Throttle(status) => write!(f, "throttle{status}")?,
        FaultKind::Error(status) => write!(f, "error{status}")?,
        FaultKind::ExpiredToken => f.write_str("expired-token")?,
        FaultKind::Cut => f.write_str("cut")?,
        FaultKind::Reset => f.write_str("reset")?,
        FaultKind::Truncate => f.write_str("truncate")?,
        FaultKind::Drip(pause) => write!(f, "drip={}", pause.as_millis())?,
        FaultKind::Delay(pause) => write!(f, "delay={}", pause.as_millis())?,
        FaultKind::Stall => f.write_str("stall")?,
        FaultKind::Hang => f.write_str("hang")?,
        FaultKind::Skew => f.write_str("skew")?,
        FaultKind::TooSkewed => f.write_str("too-skewed")?,
        FaultKind::Date(seconds) => write!(f, "date={seconds}")?,
        FaultKind::RegionDisabled => f.write_str("region-disabled")?,
        FaultKind::OptInRequired => f.write_str("opt-in-required")?,
        FaultKind::EmptyPage => f.write_str("empty-page")?,
        FaultKind::LastPage => f.write_str("last-page")?,
        FaultKind::LoopPages => f.write_str("loop-pages")?,
        FaultKind::InvalidToken => f.write_str("invalid-token")?,
        FaultKind::WrongTypes => f.write_str("wrong-types")?,
    }
    for place in [&fault.service, &fault.operation, &fault.region] {
        write!(f, ":{}", place.as_deref().unwrap_or("*"))?;
    }
    let When { nth, after, every, times } = &fault.when;
    let pairs: Vec<String> = [
        ("nth", nth.map(|n| n.to_string())),
        ("after", (*after > 0).then(|| after.to_string())),
        ("every", every.map(|n| n.to_string())),
        ("times", times.map(|n| n.to_string())),
        ("containing", fault.containing.clone()),
    ]
    .into_iter()
    .filter_map(|(key, value)| value.map(|v| format!("{key}={v}")))
    .collect();
    if !pairs.is_empty() {
        write!(f, ":{}", pairs.join(","))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_reads_and_prints_itself() {
        for rule in [
            "deny:iam:GetAccountSummary:*",
            "throttle429:cloudtrail:LookupEvents:eu-west-1:every=3",
            "delay=250:*:*:*:nth=2,containing=my-rule",
            "date=-900:sts:*:*",
        ] {
            assert_eq!(rule.parse::<Fault>().unwrap().to_string(), rule);
        }
        let short: Fault = "error503:config:times=4".parse().unwrap();
        assert_eq!(short.to_string(), "error503:config:*:*:times=4");
    }

    #[test]
    fn a_wrong_rule_is_refused_with_its_cause() {
        let error = |rule: &str| rule.parse::<Fault>().unwrap_err().to_string();
        assert_eq!(error("denny:iam"), "fault rule 'denny:iam': no fault is called 'denny'");
        assert!(error("delay:iam").ends_with("a number must follow the ="));
        assert!(error("deny=3:iam").ends_with("'deny' takes no value"));
        assert!(error("deny:iam:x:y:z").ends_with("'z' is one part too many"));
        assert!(error("deny:iam:ever=3").contains("no key is called 'ever'"));
    }
}
