//! The recording in itself: every line of its log has its response and every response its line, every page that AWS
//! announced was asked for and every page that is there was announced, and every redaction is declared.

use super::{Problem, Step, Verdict};
use crate::evidence::cloudtrail::LANE_NUMBERS;
use crate::evidence::recording::{CALLS_FILE, Entry, RUN_FILE, Response};
use crate::evidence::trail_logs::KeptFiles;
use crate::evidence::{EventSource, Operation, Text};
use crate::package::error::PackageError;
use crate::package::manifest::CallRef;
use crate::package::open::OpenPackage;
use regex::Regex;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub(super) fn check(package: &mut OpenPackage) -> Result<Vec<Step>, PackageError> {
    let log_path = format!("raw/{CALLS_FILE}");
    let mut problems = Vec::new();
    let text = match package.bytes(&log_path) {
        Ok(text) => text,
        Err(error) => {
            return Ok(vec![Step::of("recording", "", vec![Problem::of(log_path, error.to_string())])]);
        }
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (n, line) in text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            Err(e) => problems.push(Problem::of(&log_path, format!("line {} is no request: {e}", n + 1))),
        }
    }
    let kept = trail_logs(package, &mut problems);
    bodies(package, &entries, &kept, &mut problems);
    let requests = entries.len();
    let mut steps = vec![Step::of(
        "recording",
        format!("{requests} requests are logged, and each response is the one that the log names"),
        problems,
    )];
    steps.push(pages(package, &entries)?);
    steps.push(redactions(package, &entries, &kept));
    Ok(steps)
}

/// The index of the log files that the recording holds; an empty one if it holds none.
fn trail_logs(package: &mut OpenPackage, problems: &mut Vec<Problem>) -> KeptFiles {
    let path = format!("raw/{}", KeptFiles::index_path());
    if !package.paths().any(|there| there == path) {
        return KeptFiles::default();
    }
    let read = package.bytes(&path).map_err(|e| e.to_string()).and_then(|bytes| KeptFiles::parse(bytes.as_slice()));
    read.unwrap_or_else(|reason| {
        problems.push(Problem::of(path, reason));
        KeptFiles::default()
    })
}

/// Responses and lines of the log belong together one by one.
fn bodies(package: &OpenPackage, entries: &[Entry], kept: &KeptFiles, problems: &mut Vec<Problem>) {
    let log_path = format!("raw/{CALLS_FILE}");
    let run_path = format!("raw/{RUN_FILE}");
    let custody_path = format!("raw/{}", crate::evidence::recording::CUSTODY_FILE);
    let recorded: BTreeMap<&str, (&str, u64)> =
        package.manifest().files.iter().map(|f| (f.path.as_str(), (f.sha256.as_str(), f.size))).collect();
    let mut named = BTreeSet::new();
    let index_path = format!("raw/{}", KeptFiles::index_path());
    if recorded.contains_key(index_path.as_str()) {
        named.insert(index_path);
    }
    for (path, file) in kept.all() {
        let path = format!("raw/{path}");
        if recorded.get(path.as_str()) != Some(&(file.sha256.as_str(), file.size)) {
            problems.push(Problem::of(&path, "is not the log file, digest or key that the index of the copies names"));
        }
        named.insert(path);
    }
    let mut attempts = BTreeSet::new();
    for entry in entries {
        if !attempts.insert((&entry.key, entry.sequence, entry.attempt)) {
            problems.push(Problem::of(
                &log_path,
                format!("attempt {} of request {} is there twice", entry.attempt, entry.key),
            ));
        }
        let Some(response) = &entry.response else { continue };
        let path = format!("raw/{}", response.body);
        match recorded.get(path.as_str()) {
            None => problems.push(Problem::of(&path, "is named by the log and not there")),
            Some((sha256, _)) if *sha256 != response.sha256 => {
                problems.push(Problem::of(&path, format!("has SHA-256 {sha256}, the log says {}", response.sha256)));
            }
            Some((_, size)) if *size != response.size => {
                problems.push(Problem::of(&path, format!("has {size} bytes, the log says {}", response.size)));
            }
            Some(_) => {}
        }
        if !named.insert(path.clone()) {
            problems.push(Problem::of(path, "is the response of two requests"));
        }
    }
    // The log files of a trail have an index of their own, from which the derivation takes them.
    let index = format!("raw/{}", KeptFiles::index_path());
    let logs = index.rsplit_once('/').map_or(index.as_str(), |(folder, _)| folder).to_owned() + "/";
    let below = recorded.keys().filter(|path| path.starts_with("raw/") && !path.starts_with(&logs));
    for path in below.filter(|path| **path != log_path && **path != run_path && **path != custody_path) {
        if !named.contains(*path) {
            problems.push(Problem::of(*path, "is a response that no request of the log was given"));
        }
    }
}

/// Tokens that AWS gave and tokens that were asked with, of one call.
#[derive(Default)]
struct Tokens {
    given: BTreeMap<String, String>,
    asked: BTreeMap<String, String>,
    pages: BTreeSet<u32>,
}

/// A call that is collected asked for every page that AWS announced, so that the last one announced none.
fn pages(package: &mut OpenPackage, entries: &[Entry]) -> Result<Step, PackageError> {
    let mut calls: BTreeMap<CallRef, Tokens> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut last: BTreeMap<(&str, u32), &Entry> = BTreeMap::new();
    for entry in entries {
        let kept = last.entry((&entry.key, entry.sequence)).or_insert(entry);
        if entry.attempt > kept.attempt {
            *kept = entry;
        }
    }
    let mut count = 0;
    for entry in last.values() {
        let call = CallRef {
            operation: entry.operation.as_str().into(),
            region: entry.region.as_deref().map(Text::from),
            resource: entry.resource.as_deref().map(Text::from),
        };
        let tokens = calls.entry(call).or_default();
        tokens.pages.insert(entry.page);
        let place = entry.response.as_ref().map_or_else(String::new, |response| format!("raw/{}", response.body));
        if let Some(token) = asked(entry) {
            tokens.asked.insert(token, place.clone());
        }
        let Some(response) = entry.response.as_ref().filter(|response| (200..300).contains(&response.status)) else {
            continue;
        };
        count += 1;
        // A response that is not there was told of before.
        if let Ok(body) = package.bytes(&place)
            && let Some(token) = given(&body, response)
        {
            tokens.given.insert(token, place);
        }
    }
    let none = Tokens::default();
    for call in &package.manifest().calls {
        let tokens = calls.get(&call.call).unwrap_or(&none);
        if call.outcome == "collected" {
            for (_, place) in tokens.given.iter().filter(|(token, _)| !tokens.asked.contains_key(*token)) {
                let what = format!("announces another page of {}, which was never asked for", call.call);
                problems.push(Problem::of(place, what));
            }
            if tokens.pages.is_empty() && !from_logs(package, &call.call) {
                problems.push(Problem::of("manifest.json", format!("{} is collected and was never asked", call.call)));
            }
        }
        for (_, place) in tokens.asked.iter().filter(|(token, _)| !tokens.given.contains_key(*token)) {
            problems.push(Problem::of(place, format!("is a page of {} that no other page announces", call.call)));
        }
        // Lanes that are read side by side are numbered apart.
        let follows = |page: u32| (page - 1).is_multiple_of(LANE_NUMBERS) || tokens.pages.contains(&(page - 1));
        let gap = tokens.pages.iter().find(|page| **page == 0 || !follows(**page));
        if let Some(expected) = gap.map(|page| page.saturating_sub(1)) {
            problems
                .push(Problem::of(format!("raw/{CALLS_FILE}"), format!("page {expected} of {} is missing", call.call)));
        }
    }
    let known: BTreeSet<&CallRef> = package.manifest().calls.iter().map(|call| &call.call).collect();
    let unused: Vec<Problem> = (calls.keys().filter(|call| !known.contains(call)))
        .map(|call| {
            Problem::of(format!("raw/{CALLS_FILE}"), format!("{call} was recorded, and nothing is made from it"))
        })
        .collect();
    let says =
        format!("{count} pages of {} calls; each collected call ends with a page that announces no other", calls.len());
    if problems.is_empty() && !unused.is_empty() {
        return Ok(Step { step: "pages", verdict: Verdict::InPart, says, problems: unused });
    }
    problems.extend(unused);
    Ok(Step::of("pages", says, problems))
}

/// Whether the events of a Region come from log files of a trail, so that AWS was not asked for them.
fn from_logs(package: &OpenPackage, call: &CallRef) -> bool {
    call.operation.as_str() == Operation::CloudTrailLookupEvents.to_string()
        && (package.manifest().period.covered.iter()).any(|covered| {
            Some(covered.region.as_str()) == call.region.as_deref() && covered.source == EventSource::TrailLogs.word()
        })
}

#[derive(Deserialize)]
struct JsonToken {
    #[serde(rename = "NextToken", alias = "nextToken", default)]
    token: Option<String>,
}

/// The token of the next page, if a response announces one.
fn given(body: &[u8], response: &Response) -> Option<String> {
    static TRUNCATED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"<IsTruncated>\s*true\s*</IsTruncated>").ok());
    static MARKER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<Marker>([^<]*)</Marker>").ok());
    let token = if response.body.ends_with(".xml") {
        let text = String::from_utf8_lossy(body);
        TRUNCATED.as_ref()?.find(&text)?;
        let marker = MARKER.as_ref()?.captures(&text)?.get(1)?.as_str().to_owned();
        ["&lt;<", "&gt;>", "&quot;\"", "&apos;'", "&amp;&"].iter().fold(marker, |text, pair| {
            let (entity, character) = pair.split_at(pair.len() - 1);
            text.replace(entity, character)
        })
    } else {
        serde_json::from_slice::<JsonToken>(body).ok()?.token?
    };
    Some(token).filter(|token| !token.is_empty())
}

/// The token that a request was asked with.
fn asked(entry: &Entry) -> Option<String> {
    let parameters = &entry.request.parameters;
    if let Ok(json) = serde_json::from_str::<JsonToken>(parameters) {
        return json.token;
    }
    parameters.split('&').chain(entry.request.query.split('&')).find_map(|parameter| {
        let value = parameter.strip_prefix("Marker=")?;
        Some(percent_encoding::percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
    })
}

/// What was taken out is declared, with the digest of the response as it came.
fn redactions(package: &OpenPackage, entries: &[Entry], kept: &KeptFiles) -> Step {
    let mut logged: BTreeMap<String, (u64, &str)> = entries
        .iter()
        .filter_map(|entry| entry.response.as_ref())
        .filter_map(|response| {
            let original = response.original_sha256.as_deref()?;
            Some((format!("raw/{}", response.body), (response.redactions, original)))
        })
        .collect();
    for (path, file) in kept.all().filter(|(_, file)| file.redactions > 0) {
        let original = file.original_sha256.as_deref().unwrap_or_default();
        logged.insert(format!("raw/{path}"), (file.redactions, original));
    }
    let declared: BTreeMap<String, (u64, &str)> = package
        .manifest()
        .redactions
        .iter()
        .map(|redaction| (redaction.file.clone(), (redaction.count, redaction.original_sha256.as_str())))
        .collect();
    let mut problems = Vec::new();
    for (file, redaction) in &logged {
        if declared.get(file) != Some(redaction) {
            problems.push(Problem::of(file, "was redacted, and the manifest does not declare it so"));
        }
    }
    for file in declared.keys().filter(|file| !logged.contains_key(*file)) {
        problems.push(Problem::of(file, "is declared as redacted, and the log does not say so"));
    }
    let values: u64 = declared.values().map(|(count, _)| count).sum();
    let says = match declared.len() {
        0 => "nothing was taken out of any response".to_owned(),
        n => format!("{values} session tokens were taken out of {n} responses, each declared"),
    };
    Step::of("redactions", says, problems)
}
