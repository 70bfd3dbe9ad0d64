//! Events from the log files of a trail, in place of the event history.
//!
//! Live, the folder is first taken into the recording; what is read, live and in a replay, is the recording's copy. So
//! the same rows, verdict and events come out of both. A Region's events count as collected only if its chain of
//! digests is proven over the whole period, and belongs to a trail that records all management events.

use super::trail_logs::keep::{KeepError, Wanted, keep};
use super::trail_logs::sorter::{EventSorter, Item, SortCounts};
use super::trail_logs::{
    ChainSummary, Error, ExpectedChain, Limits, Options, Original, PublicKey, PublicKeys, Verdict, read, region_of,
};
use crate::evidence::cloudtrail::{DescribeTrails, EventCoverage, EventSelectors, ListPublicKeys, LookupEvents, Trail};
use crate::evidence::recording::{Recording, private};
use crate::evidence::redaction::redact;
use crate::evidence::selectors::management_events;
use crate::evidence::trail_logs::{KeptFiles, LeftOut, TrailLogs};
use crate::evidence::{CallId, EventScope, EventSource, Evidence, Gap, GapKind, Operation, Outcome, Period, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Memory for sorting all Regions' events.
const SORT_MEMORY: usize = 48 << 20;
/// How many reasons a gap tells; the table has all.
const REASONS: usize = 4;

/// Where log files and keys lie, for a live run.
#[derive(Clone, Debug)]
pub struct TrailLogsSource {
    /// The folder that `aws s3 sync` wrote to.
    pub dir: PathBuf,
    /// Files that `aws cloudtrail list-public-keys` printed; empty to ask AWS for the keys.
    pub keys: Vec<PathBuf>,
}

/// The part of the period that the log files are to tell: until events can be believed to have been delivered.
pub(super) fn period(evidence: &Evidence) -> Period {
    let run = &evidence.run;
    Period { from: run.period.from, to: run.settled_through().max(run.period.from) }
}

/// Takes the folder into the recording, unless an interrupted run has done so already.
pub(super) fn take_in(
    source: &TrailLogsSource,
    recording: &Recording,
    account: Option<&str>,
    regions: &BTreeSet<String>,
    period: Period,
) -> Result<(), KeepError> {
    if KeptFiles::read(recording.dir())?.is_some() {
        return Ok(());
    }
    let wanted = Wanted {
        account: account.unwrap_or_default().to_owned(),
        regions: regions.clone(),
        from: period.from.0,
        limits: Limits::default(),
    };
    keep(&source.dir, &source.keys, &wanted, recording.dir()).map(drop)
}

/// Reads the recording's log files, and puts the events of all Regions, and what is proven of them, into the evidence.
pub(super) fn insert(recording: &Recording, scratch: &Path, evidence: &mut Evidence) {
    let found = read_all(recording, scratch, evidence);
    let regions = evidence.regions.clone();
    match found {
        Err(reason) => {
            for region in regions {
                let call = CallId::regional(Operation::CloudTrailLookupEvents, region);
                evidence.insert::<LookupEvents>(call, Outcome::missing(Gap::new(GapKind::Failed, reason.clone())));
            }
        }
        Ok((logs, mut events)) => {
            for region in regions {
                let document = events.remove(&region);
                let outcome = outcome(&region, document, &logs, evidence);
                evidence.insert(CallId::regional(Operation::CloudTrailLookupEvents, region), outcome);
            }
            evidence.trail_logs = Some(logs);
        }
    }
}

type Found = (TrailLogs, BTreeMap<String, LookupEvents>);

fn read_all(recording: &Recording, scratch: &Path, evidence: &Evidence) -> Result<Found, String> {
    let kept = KeptFiles::read(recording.dir()).map_err(|e| e.to_string())?;
    let kept = kept.ok_or("the recording holds no log files, or not all of them")?;
    let mut root = KeptFiles::folder(recording.dir());
    if !root.is_dir() {
        // A package has no empty folders.
        root = scratch.join("no-trail-logs");
        std::fs::create_dir_all(&root).map_err(|e| format!("cannot create {}: {e}", root.display()))?;
    }
    let mut keys = PublicKeys::default();
    for (path, _) in kept.all().filter(|(path, _)| path.contains("/keys/")) {
        let bytes = std::fs::read(recording.dir().join(&path)).map_err(|e| format!("cannot read {path}: {e}"))?;
        keys.add_listing(&bytes, None).map_err(|e| format!("{path}: {e}"))?;
    }
    add_keys(evidence, &mut keys)?;
    let mut options = options(&root, evidence, keys);
    for file in &kept.files {
        if file.redactions > 0 {
            let original = Original { sha256: from_hex(file.original_sha256.as_deref()), defect: file.defect.clone() };
            // Paths in the index begin with the folder of the copies.
            let path = file.path.split_once('/').map_or(file.path.as_str(), |(_, path)| path);
            options.redacted.insert(path.to_owned(), original);
        }
    }
    options.known_problems = kept.problems.clone();
    let (logs, events) = read_events(&options, &evidence.run.events, &evidence.regions, scratch)?;
    Ok((TrailLogs { left_out: kept.left_out, ..logs }, events))
}

/// Reads a folder that somebody supplied, without a recording. `keys` are of the files that were supplied too.
pub(super) fn options<'a>(root: &'a Path, evidence: &Evidence, keys: PublicKeys) -> Options<'a> {
    let period = period(evidence);
    // AWS's digests, and the validation, end with a moment that does not belong to them; our period with one that does.
    let span = super::trail_logs::Period { from: period.from.0, to: period.to.0 + TimeDelta::seconds(1) };
    let mut options = Options { keys, ..Options::new(root, span) };
    if let Some(account) = &evidence.account {
        options.accounts.insert(account.clone());
        options.expected = (evidence.regions.iter())
            .map(|region| ExpectedChain {
                account: account.clone(),
                region: region.clone(),
                trails: trails_of(region, evidence),
            })
            .collect();
    }
    options
}

/// The names of the trails that record a Region, as far as AWS told.
fn trails_of(region: &str, evidence: &Evidence) -> BTreeSet<String> {
    trails(evidence)
        .filter(|trail| trail.is_multi_region_trail == Some(true) || trail.home_region.as_deref() == Some(region))
        .filter_map(|trail| trail.name.clone())
        .collect()
}

/// Every trail that AWS described in any Region; one that records several may come several times.
fn trails(evidence: &Evidence) -> impl Iterator<Item = &Trail> {
    let described = evidence.calls_of(Operation::CloudTrailDescribeTrails);
    described
        .filter_map(|(_, outcome)| outcome.arrived()?.downcast::<DescribeTrails>())
        .flat_map(|described| &described.trail_list)
}

/// Adds the keys that AWS listed, Region by Region.
fn add_keys(evidence: &Evidence, keys: &mut PublicKeys) -> Result<(), String> {
    for (call, outcome) in evidence.calls_of(Operation::CloudTrailListPublicKeys) {
        let listed = outcome.arrived().and_then(|document| document.downcast::<ListPublicKeys>());
        for key in listed.into_iter().flat_map(|listed| &listed.public_key_list) {
            let (Some(value), Some(fingerprint)) = (&key.value, &key.fingerprint) else { continue };
            let der =
                STANDARD.decode(value).map_err(|e| format!("{call}: the key {fingerprint} is not base64: {e}"))?;
            let key = PublicKey {
                fingerprint: fingerprint.clone(),
                der,
                valid_from: key.validity_start_time.map(|time| time.0),
                valid_to: key.validity_end_time.map(|time| time.0),
                region: call.region.clone(),
            };
            keys.add(key).map_err(|e| format!("{call}: {e}"))?;
        }
    }
    Ok(())
}

/// Reads and sorts the events, each Region's into a file of its own.
pub(super) fn read_events(
    options: &Options<'_>,
    scope: &EventScope,
    regions: &BTreeSet<String>,
    scratch: &Path,
) -> Result<Found, String> {
    let sorter = EventSorter::new(scratch, SORT_MEMORY).map_err(|e| e.to_string())?;
    let elsewhere = AtomicU64::new(0);
    let report = read(options, &|record| redact(record).0, &|event| {
        let region = event.region.map_or_else(|| region_of(event.file).unwrap_or_default(), str::to_owned);
        if !regions.contains(&region) {
            elsewhere.fetch_add(1, Ordering::Relaxed);
        } else if scope.takes(event.name, event.read_only) {
            sorter.push(Item { group: &region, time_ms: event.time_ms, id: event.id, raw: event.raw })?;
        }
        Ok(())
    })
    .map_err(|e: Error| e.to_string())?;
    let (events, counts) = write(sorter, regions, options, scratch).map_err(|e| e.to_string())?;
    let logs = TrailLogs {
        report,
        left_out: LeftOut::default(),
        duplicates: counts.duplicates,
        contradictory_ids: counts.contradictory_ids,
        other_regions: elsewhere.into_inner(),
    };
    Ok((logs, events))
}

fn write(
    sorter: EventSorter,
    regions: &BTreeSet<String>,
    options: &Options<'_>,
    scratch: &Path,
) -> Result<(BTreeMap<String, LookupEvents>, SortCounts), Box<dyn std::error::Error>> {
    let asked =
        Period { from: Timestamp(options.period.from), to: Timestamp(options.period.to - TimeDelta::seconds(1)) };
    let mut events = BTreeMap::new();
    let mut sorted = sorter.finish()?;
    let mut out: Option<(String, BufWriter<std::fs::File>)> = None;
    for region in regions {
        let file = scratch.join(format!("events-{}.jsonl", crate::evidence::call::file_name(region)));
        private().write(true).create(true).truncate(true).open(&file)?;
        let coverage = EventCoverage { source: EventSource::TrailLogs, asked: Some(asked), ..EventCoverage::default() };
        events.insert(region.clone(), LookupEvents { file, coverage });
    }
    while let Some(item) = sorted.next_event()? {
        let Some(document) = events.get_mut(item.group) else { continue };
        if out.as_ref().is_none_or(|(region, _)| region != item.group) {
            if let Some((_, mut done)) = out.take() {
                done.flush()?;
            }
            out = Some((item.group.to_owned(), BufWriter::new(private().append(true).open(&document.file)?)));
        }
        let at = Timestamp::from_seconds(item.time_ms as f64 / 1000.0);
        document.coverage.oldest = document.coverage.oldest.or(at);
        document.coverage.newest = at;
        document.coverage.events += 1;
        if let Some((_, out)) = &mut out {
            out.write_all(item.raw)?;
            out.write_all(b"\n")?;
        }
    }
    if let Some((_, mut done)) = out.take() {
        done.flush()?;
    }
    Ok((events, sorted.counts().clone()))
}

/// Whether a Region's events are all that AWS delivered of the period, and all that happened.
fn outcome(
    region: &str,
    document: Option<LookupEvents>,
    logs: &TrailLogs,
    evidence: &Evidence,
) -> Outcome<LookupEvents> {
    let TrailLogs { report, left_out, .. } = logs;
    let mut reasons: Vec<String> = Vec::new();
    let account = evidence.account.as_deref().unwrap_or_default();
    let of_region: Vec<&ChainSummary> =
        (report.chains.iter()).filter(|chain| chain.region == region || chain.region.is_empty()).collect();
    let trails: Vec<&ChainSummary> =
        of_region.iter().copied().filter(|chain| chain.trail.is_some() && chain.region == region).collect();
    if account.is_empty() {
        reasons.push("it is not known which account this is".to_owned());
    }
    if trails.is_empty() {
        reasons.push(format!("there is no digest for account {account} in {region}{}", elsewhere(left_out)));
    }
    for chain in of_region.iter().filter(|chain| chain.verdict != Verdict::Proven) {
        let trail = chain.trail.as_deref().map_or_else(|| "no trail".to_owned(), |name| format!("trail {name}"));
        reasons.extend(chain.reasons.iter().map(|reason| format!("{trail}: {reason}")));
    }
    for problem in report.problems.iter().filter(|problem| problem.events_lost) {
        if region_of(&problem.path).is_none_or(|of| of == region) {
            reasons.push(format!("{} {}", problem.path, problem.problem));
        }
    }
    if !trails.is_empty() {
        let incomplete: Vec<String> = trails.iter().filter_map(|chain| why_incomplete(chain, evidence)).collect();
        if incomplete.len() == trails.len() {
            reasons.extend(incomplete);
        }
    }
    let document = document.map(|mut document| {
        if reasons.is_empty() {
            document.coverage.covered = document.coverage.asked.into_iter().collect();
        }
        document
    });
    match document {
        Some(document) if reasons.is_empty() => Outcome::Collected(document),
        partial => {
            let more = reasons.len().saturating_sub(REASONS);
            reasons.truncate(REASONS);
            if more > 0 {
                reasons.push(format!("and {more} more reasons, in trail-logs.json"));
            }
            let reason =
                format!("the trail's log files do not prove that these are all events: {}", reasons.join("; "));
            Outcome::Missing { gap: Gap::new(GapKind::Failed, reason), partial }
        }
    }
}

fn elsewhere(left_out: &LeftOut) -> String {
    match left_out.other_accounts {
        0 => String::new(),
        count => format!("; {count} files of other accounts were left out"),
    }
}

/// Why a trail is not known to record all management events.
fn why_incomplete(chain: &ChainSummary, evidence: &Evidence) -> Option<String> {
    let name = chain.trail.as_deref()?;
    let home = chain.home_region.as_deref();
    let mut found = false;
    for trail in trails(evidence) {
        let (Some(arn), Some(of)) = (&trail.trail_arn, &trail.home_region) else { continue };
        if trail.name.as_deref() != Some(name) || home.is_some_and(|home| home != of) {
            continue;
        }
        found = true;
        let call = CallId::regional(Operation::CloudTrailGetEventSelectors, of.as_str()).about(arn.as_str());
        let selectors = evidence.get::<EventSelectors>(&call);
        let Some(told) = selectors.collected() else { continue };
        let basic = told.event_selectors.as_deref().unwrap_or_default();
        let advanced = told.advanced_event_selectors.as_deref().unwrap_or_default();
        if management_events(basic, advanced) == "all" {
            return None;
        }
        return Some(format!("trail {name} does not record all management events"));
    }
    Some(match found {
        true => format!("what trail {name} records is not known: its event selectors were not collected"),
        false => format!("what trail {name} records is not known: the account lists no trail of this name"),
    })
}

fn from_hex(text: Option<&str>) -> Option<[u8; 32]> {
    let text = text?;
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
