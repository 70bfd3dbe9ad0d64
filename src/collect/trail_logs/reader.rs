//! Walks the folder, tells what each file is, and reads them all.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use super::content::peek;
use super::digest::{Digest, Sidecar, load_sidecar};
use super::logs::{LogFile, read_log};
use super::names::{self, SIDECAR_SUFFIX};
use super::table::{self, BadDigest, Evidence, Report};
use super::walk::{Found, walk};
use super::{Error, EventCounts, Options, Problem, Redact, Sink};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    Digest,
    Log,
    Sidecar,
    Other,
}

/// Reads everything in the folder: events go to `sink`, each after `redact`; what the digests prove comes back.
///
/// It uses rayon's current thread pool, and is therefore not to be called from an async task directly.
///
/// # Errors
/// The folder cannot be listed, the period is empty, or the sink refused an event. Everything that is
/// wrong with single files is in the report.
pub fn read(options: &Options<'_>, redact: &Redact<'_>, sink: &Sink<'_>) -> Result<Report, Error> {
    if options.period.from >= options.period.to {
        return Err(Error::Period(options.period));
    }
    let (files, mut problems) = walk(options.root, options.limits.depth)
        .map_err(|source| Error::Root { path: options.root.to_path_buf(), source })?;
    problems.extend(options.known_problems.iter().cloned());
    let kinds: Vec<(FileKind, Option<Problem>)> = files.par_iter().map(|f| classify(f, options.root)).collect();
    let mut sorted = Files::default();
    for (found, (kind, problem)) in files.into_iter().zip(kinds) {
        problems.extend(problem);
        match kind {
            FileKind::Digest => sorted.digests.push(found),
            FileKind::Log => sorted.logs.push(found),
            FileKind::Sidecar => sorted.sidecars.push(found),
            FileKind::Other => sorted.others.push(found.shown),
        }
    }
    let (digests, bad_digests, orphans) = load_digests(&sorted, options, &mut problems);
    // Collecting into a Result ends the reading soon after the first error.
    let outcomes: Result<Vec<(LogFile, Vec<Problem>)>, Error> = sorted
        .logs
        .into_par_iter()
        .with_max_len(1)
        .map(|found| {
            let name = names::parse_log_name(names::file_name(&found.shown));
            read_log(found, name, options, redact, sink)
        })
        .collect();
    let mut logs = Vec::new();
    let mut events = EventCounts::default();
    for (log, found) in outcomes? {
        events.add(&log.counts);
        logs.push(log);
        problems.extend(found);
    }
    let evidence = Evidence { digests, bad_digests, orphans, logs };
    Ok(table::report(options, &evidence, events, problems, sorted.others))
}

#[derive(Default)]
struct Files {
    digests: Vec<Found>,
    logs: Vec<Found>,
    sidecars: Vec<Found>,
    others: Vec<String>,
}

/// Tells by name where the name is CloudTrail's, and by content where it is not.
pub(super) fn classify(found: &Found, root: &Path) -> (FileKind, Option<Problem>) {
    let name = names::file_name(&found.shown);
    if names::parse_digest_name(name).is_some() {
        return (FileKind::Digest, None);
    }
    if names::parse_log_name(name).is_some() {
        return (FileKind::Log, None);
    }
    if let Some(of) = name.strip_suffix(SIDECAR_SUFFIX) {
        let is_of_digest = names::parse_digest_name(of).is_some();
        return (if is_of_digest { FileKind::Sidecar } else { FileKind::Other }, None);
    }
    if !names::without_gz(name).ends_with(".json") {
        return (FileKind::Other, None);
    }
    match peek(&found.path(root), 64 << 10) {
        Err(e) => {
            let problem = format!("{e}; whether it is a log file cannot be told");
            (FileKind::Other, Some(Problem { path: found.shown.clone(), events_lost: true, problem }))
        }
        Ok(start) => (by_content(&start), None),
    }
}

fn by_content(start: &[u8]) -> FileKind {
    let holds = |wanted: &[u8]| start.windows(wanted.len()).any(|w| w == wanted);
    let first = start.iter().find(|b| !b.is_ascii_whitespace());
    match first {
        Some(b'{') if holds(b"\"digestS3Object\"") && holds(b"\"digestPublicKeyFingerprint\"") => FileKind::Digest,
        Some(b'{') if holds(b"\"Records\"") => FileKind::Log,
        Some(b'[') if holds(b"\"eventTime\"") => FileKind::Log,
        _ => FileKind::Other,
    }
}

type Loaded = (Vec<Digest>, Vec<BadDigest>, Vec<String>);

/// Digests, with the signature files that lie beside them; and signature files without a digest.
fn load_digests(files: &Files, options: &Options<'_>, problems: &mut Vec<Problem>) -> Loaded {
    let limit = options.limits.digest_bytes;
    let sidecars: Vec<(&Found, Result<Sidecar, String>)> =
        files.sidecars.par_iter().map(|found| (found, load_sidecar(&found.path(options.root), limit))).collect();
    let mut by_digest: BTreeMap<&str, (&Found, Result<Sidecar, String>)> = BTreeMap::new();
    for (found, sidecar) in sidecars {
        // Only files with this suffix are taken for signature files.
        let of = found.shown.strip_suffix(SIDECAR_SUFFIX).unwrap_or(&found.shown);
        by_digest.insert(names::without_gz(of), (found, sidecar));
    }
    let loaded: Vec<(&Found, Result<Digest, String>)> = files
        .digests
        .par_iter()
        .map(|found| (found, Digest::load(&found.path(options.root), &found.shown, limit)))
        .collect();
    let (mut digests, mut bad) = (Vec::new(), Vec::new());
    for (found, outcome) in loaded {
        let sidecar = by_digest.remove(names::without_gz(&found.shown));
        match outcome {
            Err(reason) => bad.push(BadDigest { path: found.shown.clone(), reason }),
            Ok(mut digest) => {
                match sidecar {
                    Some((_, Ok(sidecar))) => digest.sidecar = Some(sidecar),
                    Some((beside, Err(problem))) => {
                        problems.push(Problem { path: beside.shown.clone(), events_lost: false, problem });
                    }
                    None => {}
                }
                digests.push(digest);
            }
        }
    }
    let orphans = by_digest.into_values().map(|(found, _)| found.shown.clone()).collect();
    (digests, bad, orphans)
}
