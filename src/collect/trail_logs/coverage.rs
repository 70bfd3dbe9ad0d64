//! For each chain: over which time it is unbroken and proven, and why not over the rest of the period.
//!
//! A digest covers the log files that were *delivered* between its start and its end. The chain is unbroken where
//! each digest names the one before it, states its hash, and starts when that one ended.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::Period;
use super::chain::Judged;
use super::digest::{Digest, Previous};
use super::table::{Interval, Status};

/// Account, Region, trail and home Region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChainId {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) trail: String,
    pub(super) home_region: String,
}

/// The cover of one chain.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// In order of time.
    pub(super) proven: Vec<Interval>,
    /// What of the period is not covered, each with its reason; empty if one interval holds the period.
    pub(super) gaps: Vec<String>,
}

/// The cover of each chain that has a digest, be it proven or not. `period` is that of delivery.
pub(super) fn covers(digests: &[Digest], judged: &[Judged], period: Period) -> BTreeMap<ChainId, Cover> {
    let mut chains: BTreeMap<ChainId, Vec<(&Digest, Status)>> = BTreeMap::new();
    for (digest, judged) in digests.iter().zip(judged) {
        chains.entry(chain_id(digest)).or_default().push((digest, judged.status()));
    }
    chains.into_iter().map(|(id, members)| (id, cover(&members, period))).collect()
}

pub(super) fn chain_id(digest: &Digest) -> ChainId {
    let name = &digest.name;
    ChainId {
        account: name.account.clone(),
        region: name.region.clone(),
        trail: name.trail.clone(),
        home_region: name.home_region.clone(),
    }
}

fn cover(members: &[(&Digest, Status)], period: Period) -> Cover {
    // A backfill digest lists what was left out of an hour; it does not speak for the hour.
    let mut proven: Vec<&Digest> =
        members.iter().filter(|(d, status)| *status == Status::Valid && !d.name.backfill).map(|(d, _)| *d).collect();
    proven.sort_by_key(|d| (d.start, d.end, d.key.as_str()));
    proven.dedup_by(|a, b| a.key == b.key);
    let statuses: HashMap<&str, Status> = members.iter().map(|(d, status)| (d.key.as_str(), *status)).collect();
    let mut intervals: Vec<Interval> = Vec::new();
    let mut seams: Vec<(DateTime<Utc>, DateTime<Utc>, String)> = Vec::new();
    let mut last: Option<&Digest> = None;
    for digest in &proven {
        let broken = match last {
            Some(last) => why_broken(last, digest, &statuses),
            None => None,
        };
        match (intervals.last_mut(), broken) {
            (Some(interval), None) => interval.to = interval.to.max(digest.end),
            (Some(interval), Some(why)) => {
                seams.push((interval.to, digest.start, why));
                intervals.push(Interval { from: digest.start, to: digest.end });
            }
            (None, _) => intervals.push(Interval { from: digest.start, to: digest.end }),
        }
        last = Some(digest);
    }
    let is_covered = intervals.iter().any(|i| i.from <= period.from && i.to >= period.to);
    let gaps = if is_covered { Vec::new() } else { gaps(&proven, &intervals, &seams, &statuses, period) };
    Cover { proven: intervals, gaps }
}

/// Why `next` does not continue `last`, which is the proven digest before it.
fn why_broken(last: &Digest, next: &Digest, statuses: &HashMap<&str, Status>) -> Option<String> {
    match &next.previous {
        Previous::Stated(stated) if stated.key == last.key => match next.start.cmp(&last.end) {
            Ordering::Equal => None,
            Ordering::Greater => Some("the digests do not adjoin".to_owned()),
            Ordering::Less => Some("the digests overlap".to_owned()),
        },
        _ => Some(why_open(next, statuses)),
    }
}

/// Why nothing proven comes before a digest.
fn why_open(digest: &Digest, statuses: &HashMap<&str, Status>) -> String {
    match &digest.previous {
        Previous::None => "the chain starts anew there: log file validation or logging was off, or the trail was \
                           created again"
            .to_owned(),
        Previous::Inconsistent(what) => what.clone(),
        Previous::Stated(stated) => match statuses.get(stated.key.as_str()) {
            None => format!("the digest {} is missing", stated.key),
            Some(Status::Valid) => format!("another digest comes between it and its previous one, {}", stated.key),
            Some(status) => format!("the digest {} is {status}", stated.key),
        },
    }
}

fn gaps(
    proven: &[&Digest],
    intervals: &[Interval],
    seams: &[(DateTime<Utc>, DateTime<Utc>, String)],
    statuses: &HashMap<&str, Status>,
    period: Period,
) -> Vec<String> {
    let (Some(first), Some(start), Some(end)) = (proven.first(), intervals.first(), intervals.last()) else {
        return vec!["no digest of this chain is proven".to_owned()];
    };
    let mut gaps = Vec::new();
    if start.from > period.from {
        let until = start.from.min(period.to);
        let why = match &first.previous {
            Previous::None => "the chain starts there".to_owned(),
            _ => why_open(first, statuses),
        };
        gaps.push(format!("{} to {} is not covered: {why}", show(period.from), show(until)));
    }
    for (from, to, why) in seams {
        if *from < period.to && *to >= period.from {
            let (from, to) = ((*from).max(period.from), (*to).min(period.to));
            gaps.push(if from < to {
                format!("{} to {} is not covered: {why}", show(from), show(to))
            } else {
                format!("the chain is broken at {}: {why}", show(to))
            });
        }
    }
    if end.to < period.to {
        gaps.push(format!(
            "{} to {} is not covered: no later digest is proven; it was deleted, not copied, not delivered yet, or its \
             own row says what it lacks",
            show(end.to.max(period.from)),
            show(period.to)
        ));
    }
    if gaps.is_empty() {
        // Intervals that overlap cannot be told apart from a broken chain, so this is one.
        gaps.push("the chain is broken within the period".to_owned());
    }
    gaps
}

pub(super) fn show(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
