//! Makes the rows: digests as they were judged, logs as the digests list them, and what is missing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Options;
use super::chain::Judged;
use super::content::Sha256;
use super::digest::{Digest, ListedLog, Previous};
use super::logs::{LogFile, stem};
use super::names::{self, DigestName, SIDECAR_SUFFIX};
use super::table::{BadDigest, Evidence, Kind, Row, Status};

/// The rows, and the chains that they are about.
pub(super) struct Judgement {
    pub(super) rows: Vec<Row>,
    /// Account, Region and trail of every digest, read or missing, with the trail's home Region.
    pub(super) homes: BTreeMap<(String, String, String), String>,
}

struct Maker<'a> {
    options: &'a Options<'a>,
    evidence: &'a Evidence,
    judged: &'a [Judged],
    rows: Vec<Row>,
    homes: BTreeMap<(String, String, String), String>,
    texts: HashSet<Arc<str>>,
}

pub(super) fn rows<'a>(options: &'a Options<'a>, evidence: &'a Evidence, judged: &'a [Judged]) -> Judgement {
    let mut maker =
        Maker { options, evidence, judged, rows: Vec::new(), homes: BTreeMap::new(), texts: HashSet::new() };
    maker.digests();
    maker.bad_digests();
    maker.missing_digests();
    maker.logs();
    Judgement { rows: maker.rows, homes: maker.homes }
}

/// The log files by name: a log may lie in the folder more than once.
struct Copies<'a> {
    by_stem: Vec<(&'a str, usize)>,
    logs: &'a [LogFile],
}

impl<'a> Copies<'a> {
    /// The files of one name, wherever they lie.
    fn of(&self, key: &str) -> &[(&'a str, usize)] {
        let wanted = stem(key);
        let from = self.by_stem.partition_point(|(stem, _)| *stem < wanted);
        let tail = self.by_stem.get(from..).unwrap_or_default();
        tail.get(..tail.partition_point(|(stem, _)| *stem == wanted)).unwrap_or_default()
    }

    /// Whether one of them lies where CloudTrail delivered it.
    fn lie_at(&self, key: &str) -> bool {
        self.of(key).iter().filter_map(|(_, n)| self.logs.get(*n)).any(|copy| names::lies_at(&copy.path, key))
    }
}

/// One mention of a log in a digest.
#[derive(Clone, Copy)]
struct Mention<'a> {
    digest: &'a Digest,
    status: Status,
    log: &'a ListedLog,
}

impl<'a> Maker<'a> {
    fn digests(&mut self) {
        for (digest, judged) in self.evidence.digests.iter().zip(self.judged) {
            let in_period = self.meets(digest.start, digest.end) || digest.logs.iter().any(|l| self.concerns(l));
            self.digest_row(&digest.name, digest.path.clone(), judged.status(), judged.reason(), in_period);
        }
    }

    fn digest_row(&mut self, name: &DigestName, path: String, status: Status, reason: String, in_period: bool) {
        let id = (name.account.clone(), name.region.clone(), name.trail.clone());
        self.homes.entry(id).or_insert_with(|| name.home_region.clone());
        let row = Row {
            account: self.share(&name.account),
            region: self.share(&name.region),
            trail: Some(self.share(&name.trail)),
            kind: Kind::Digest,
            path: path.into(),
            status,
            reason,
            in_scope: in_period && self.is_asked_for(&name.account, Some(&name.trail)),
        };
        self.rows.push(row);
    }

    fn bad_digests(&mut self) {
        for BadDigest { path, reason } in &self.evidence.bad_digests {
            match names::parse_digest_name(names::file_name(path)) {
                Some(name) => {
                    let in_period = self.hour_meets(&name);
                    self.digest_row(&name, path.clone(), Status::Invalid, reason.clone(), in_period);
                }
                // Its name does not say what it is about, so it may be about anything.
                None => self.rows.push(Row {
                    account: "".into(),
                    region: "".into(),
                    trail: None,
                    kind: Kind::Digest,
                    path: path.as_str().into(),
                    status: Status::Invalid,
                    reason: reason.clone(),
                    in_scope: true,
                }),
            }
        }
    }

    /// Digests that others name and that are not there.
    fn missing_digests(&mut self) {
        let present: HashSet<&str> = self.evidence.digests.iter().map(|d| d.key.as_str()).collect();
        let mut bad: HashMap<&str, Vec<&str>> = HashMap::new();
        for BadDigest { path, .. } in &self.evidence.bad_digests {
            bad.entry(stem(path)).or_default().push(path);
        }
        let mut missing: BTreeMap<String, (DigestName, String, bool)> = BTreeMap::new();
        for (digest, judged) in self.evidence.digests.iter().zip(self.judged) {
            let Previous::Stated(stated) = &digest.previous else {
                continue;
            };
            // What a refuted digest says counts for nothing.
            let in_its_place = bad.get(stem(&stated.key)).map_or(&[][..], Vec::as_slice);
            let is_bad = in_its_place.iter().any(|path| names::lies_at(path, &stated.key));
            if present.contains(stated.key.as_str()) || is_bad || judged.status() == Status::Invalid {
                continue;
            }
            let name = names::parse_digest_name(names::file_name(&stated.key)).unwrap_or_else(|| digest.name.clone());
            let path = format!("s3://{}/{}", stated.bucket, stated.key);
            // What was delivered before the period is not needed, and as a rule not copied.
            let in_period = digest.start > self.options.period.from && self.hour_meets(&name);
            if digest.start <= self.options.period.from && !name.backfill {
                continue;
            }
            let reason =
                format!("{} names it as its previous digest; copy it again, or find out who deleted it", digest.path);
            missing.entry(path).or_insert((name, reason, in_period));
        }
        let named: HashSet<String> = missing.keys().map(|path| stem(path).to_owned()).collect();
        for orphan in &self.evidence.orphans {
            let digest = orphan.strip_suffix(SIDECAR_SUFFIX).unwrap_or(orphan);
            let Some(name) = names::parse_digest_name(names::file_name(digest)) else {
                continue;
            };
            if !named.contains(stem(digest)) && !bad.contains_key(stem(digest)) {
                let in_period = self.hour_meets(&name);
                let reason = format!("{orphan} holds its signature; copy the digest too, or find out who deleted it");
                missing.insert(digest.to_owned(), (name, reason, in_period));
            }
        }
        for (path, (name, reason, in_period)) in missing {
            self.digest_row(&name, path, Status::Missing, reason, in_period);
        }
    }

    fn logs(&mut self) {
        let evidence = self.evidence;
        // Sorted lists rather than maps of lists: there can be millions of logs.
        let mut by_stem: Vec<(&str, usize)> =
            evidence.logs.iter().enumerate().map(|(number, log)| (stem(&log.path), number)).collect();
        by_stem.sort_unstable();
        let copies = Copies { by_stem, logs: &evidence.logs };
        let mut mentions: Vec<(usize, Mention<'a>)> = Vec::new();
        let mut absent: BTreeMap<(&str, &str), Vec<Mention<'a>>> = BTreeMap::new();
        for (digest, judged) in evidence.digests.iter().zip(self.judged) {
            for log in &digest.logs {
                let mention = Mention { digest, status: judged.status(), log };
                let here = copies.of(&log.key);
                mentions.extend(here.iter().map(|(_, number)| (*number, mention)));
                if here.is_empty() {
                    absent.entry((digest.bucket_of(log), &log.key)).or_default().push(mention);
                }
            }
        }
        // Stable, so that the mentions of a log keep the order of the digests.
        mentions.sort_by_key(|(number, _)| *number);
        let absent_hashes: HashMap<Sha256, &str> =
            absent.iter().flat_map(|((_, key), list)| list.iter().filter_map(|m| Some((m.log.hash?, *key)))).collect();
        let spans = self.spans();
        let mut rest = mentions.as_slice();
        for (number, log) in evidence.logs.iter().enumerate() {
            let (its, others) = rest.split_at(rest.iter().take_while(|(n, _)| *n == number).count());
            rest = others;
            let its: Vec<Mention<'_>> = its.iter().map(|(_, mention)| *mention).collect();
            let home = log.home();
            let (status, reason) = if its.is_empty() {
                let twin = log.sha256.and_then(|hash| absent_hashes.get(&hash));
                (Status::NotCovered, unlisted(log, &home, twin.copied(), &spans))
            } else {
                judge_log(log, &its, &copies)
            };
            self.log_row(log, home, &its, status, reason, copies.of(&log.path).len());
        }
        if absent.is_empty() {
            return;
        }
        let by_hash: HashMap<Sha256, &str> =
            evidence.logs.iter().rev().filter_map(|log| Some((log.sha256?, &*log.path))).collect();
        for ((bucket, key), mentions) in absent {
            self.absent_row(bucket, key, &mentions, &by_hash);
        }
    }

    /// The same text is stored once.
    fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&shared));
        shared
    }

    fn log_row(
        &mut self,
        log: &LogFile,
        (account, region): (String, String),
        mentions: &[Mention<'_>],
        status: Status,
        mut reason: String,
        copies: usize,
    ) {
        if copies > 1 {
            reason.push_str(&format!("; there are {copies} files of this name"));
        }
        if status == Status::Valid && log.counts.records == 0 && log.defect.is_none() {
            reason.push_str("; it holds no records");
        }
        let trail = mentions.iter().min_by_key(|m| m.status == Status::Invalid).map(|m| m.digest.name.trail.as_str());
        let is_asked_for = match mentions {
            [] => self.is_asked_for(&account, None),
            _ => mentions.iter().any(|m| self.is_asked_for(&account, Some(&m.digest.name.trail))),
        };
        let concerns = log.counts.taken > 0
            || log.delivered.is_none_or(|at| self.meets(at, at + TimeDelta::minutes(1)))
            || mentions.iter().any(|m| self.concerns(m.log));
        let row = Row {
            account: self.share(&account),
            region: self.share(&region),
            trail: trail.map(|trail| self.share(trail)),
            kind: Kind::Log,
            path: Arc::clone(&log.path),
            status,
            reason,
            in_scope: concerns && (is_asked_for || log.counts.taken > 0 && mentions.is_empty()),
        };
        self.rows.push(row);
    }

    fn absent_row(&mut self, bucket: &str, key: &str, mentions: &[Mention<'_>], by_hash: &HashMap<Sha256, &str>) {
        let Some(mention) = mentions.iter().min_by_key(|m| m.status == Status::Invalid) else {
            return;
        };
        let name = &mention.digest.name;
        let (status, mut reason) = if mention.status == Status::Invalid {
            (
                Status::NotProven,
                format!("only {} lists it, which is itself invalid; the file is not here", mention.digest.path),
            )
        } else if names::is_sound_key(key) {
            let why = "lists it; copy it again, or find out who deleted it";
            (Status::Missing, format!("{} {why}", mention.digest.path))
        } else {
            (Status::Missing, format!("{} lists it under a key that CloudTrail would not write", mention.digest.path))
        };
        if let Some(twin) = mentions.iter().find_map(|m| by_hash.get(&m.log.hash?)) {
            reason.push_str(&format!("; {twin} has its content: it was renamed"));
        }
        let concerns = mentions.iter().any(|m| self.concerns(m.log) || self.meets(m.digest.start, m.digest.end));
        let row = Row {
            account: self.share(&name.account),
            region: self.share(&name.region),
            trail: Some(self.share(&name.trail)),
            kind: Kind::Log,
            path: format!("s3://{bucket}/{key}").into(),
            status,
            reason,
            in_scope: concerns && mentions.iter().any(|m| self.is_asked_for(&name.account, Some(&m.digest.name.trail))),
        };
        self.rows.push(row);
    }

    /// From the first to the last moment for which there is a digest, by account and Region.
    fn spans(&self) -> Spans<'a> {
        let mut spans = Spans::new();
        for (digest, judged) in self.evidence.digests.iter().zip(self.judged) {
            if judged.status() == Status::Invalid || digest.name.backfill {
                continue;
            }
            let span = spans
                .entry((digest.name.account.as_str(), digest.name.region.as_str()))
                .or_insert((digest.start, digest.end));
            *span = (span.0.min(digest.start), span.1.max(digest.end));
        }
        spans
    }

    /// Whether an hour of deliveries touches the time in which the period's events are delivered.
    fn meets(&self, start: DateTime<Utc>, end: DateTime<Utc>) -> bool {
        let delivered = self.options.period.delivered();
        start < delivered.to && end > delivered.from
    }

    /// The same for a digest of which only the name is known.
    fn hour_meets(&self, name: &DigestName) -> bool {
        self.meets(name.end - TimeDelta::hours(1), name.end)
    }

    /// Whether a log may hold events of the period, as the digest states their times.
    fn concerns(&self, log: &ListedLog) -> bool {
        match (log.oldest, log.newest) {
            (Some(oldest), Some(newest)) => self.options.period.meets(oldest, newest),
            _ => true,
        }
    }

    fn is_asked_for(&self, account: &str, trail: Option<&str>) -> bool {
        let Options { accounts, trails, .. } = self.options;
        (accounts.is_empty() || account.is_empty() || accounts.contains(account))
            && (trails.is_empty() || trail.is_none_or(|t| trails.contains(t)))
    }
}

type Spans<'a> = HashMap<(&'a str, &'a str), (DateTime<Utc>, DateTime<Utc>)>;

/// Judges a log that some digest lists.
fn judge_log(log: &LogFile, mentions: &[Mention<'_>], copies: &Copies<'_>) -> (Status, String) {
    // What a refuted digest says counts for nothing.
    let usable: Vec<&Mention<'_>> = mentions.iter().filter(|m| m.status != Status::Invalid).collect();
    let Some(first) = usable.first() else {
        let path = mentions.first().map_or("", |m| m.digest.path.as_str());
        return (Status::NotProven, format!("only {path} lists it, which is itself invalid"));
    };
    let Some(hash) = log.sha256 else {
        return (Status::Invalid, log.defect.clone().unwrap_or_default());
    };
    let key = &first.log.key;
    if !names::lies_at(&log.path, key) && !copies.lie_at(key) {
        return (Status::Invalid, format!("has been moved: {} lists it as {key}", first.digest.path));
    }
    let fits = |m: &&&Mention<'_>| m.log.hash == Some(hash);
    let differs = |m: &&&Mention<'_>| m.log.hash.is_some_and(|h| h != hash);
    if let Some(other) = usable.iter().find(differs) {
        return match usable.iter().find(fits) {
            Some(one) => {
                (Status::Invalid, format!("{} and {} list different hashes for it", one.digest.path, other.digest.path))
            }
            None => (Status::Invalid, format!("altered: its hash is not the one that {} lists", other.digest.path)),
        };
    }
    let Some(listing) = usable.iter().filter(fits).min_by_key(|m| m.status != Status::Valid) else {
        let why = "lists no SHA-256 for it that could be compared";
        return (Status::NotProven, format!("{} {why}", first.digest.path));
    };
    if listing.status != Status::Valid {
        return (
            Status::NotProven,
            format!("its hash is the one that {} lists, which is not proven", listing.digest.path),
        );
    }
    let end = super::coverage::show(listing.digest.end);
    let mut reason = format!("listed in the digest that ends {end}");
    if usable.len() > 1 {
        reason.push_str(&format!("; it is listed {} times", usable.len()));
    }
    if let Some(defect) = &log.defect {
        // AWS's hash says so: whatever is odd about it, it was delivered like this.
        reason.push_str(&format!("; but it {defect}"));
    }
    (Status::Valid, reason)
}

/// Why no digest lists a log.
fn unlisted(log: &LogFile, (account, region): &(String, String), twin: Option<&str>, spans: &Spans<'_>) -> String {
    let mut reason = match (spans.get(&(account.as_str(), region.as_str())), log.delivered) {
        (None, _) => "there is no digest of this account and Region".to_owned(),
        (Some((_, end)), Some(at)) if at >= *end => {
            format!(
                "delivered after the newest digest here, which ends {}; copy the digests that follow",
                super::coverage::show(*end)
            )
        }
        (Some((start, _)), Some(at)) if at + TimeDelta::minutes(1) <= *start => {
            format!("delivered before the oldest digest here, which starts {}", super::coverage::show(*start))
        }
        _ => "no digest lists it".to_owned(),
    };
    if let Some(key) = twin {
        reason.push_str(&format!("; it has the content of {key}, which is missing: it was renamed"));
    }
    if let Some(defect) = &log.defect {
        reason.push_str(&format!("; it {defect}"));
    }
    reason
}
