//! The recording in itself: every line of its log has its response and every response its line, every page that AWS
//! announced was asked for and every page that is there was announced, and every redaction is declared.

use super::{Problem, Step, Verdict};
use crate::evidence::cloudtrail::LANE_NUMBERS;
use crate::evidence::digest::sha256;
use crate::evidence::recording::{CALLS_FILE, CUSTODY_FILE, Entry, RUN_FILE, Response, next_line};
use crate::evidence::trail_logs::KeptFiles;
use crate::evidence::{EventSource, Operation, Text};
use crate::package::error::PackageError;
use crate::package::manifest::CallRef;
use crate::package::open::OpenPackage;
use regex::Regex;
use serde::Deserialize;
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::sync::LazyLock;

/// What is kept of a line of the log. There can be tens of thousands.
struct Logged {
    call: CallRef,
    page: u32,
    attempt: u32,
    /// The token of the page that it asked for.
    asked: Option<Token>,
    answer: Option<Answer>,
}

/// The response that a line names.
struct Answer {
    /// Its path in the package.
    path: Text,
    /// Whether it is what was asked for, and no error.
    given: bool,
}

/// What stands for the token of a page: tokens can be long, and are only compared.
type Token = u128;

/// The log as it is read, line by line.
struct Reading {
    log: String,
    /// What the manifest says of the files: SHA-256 and size.
    recorded: BTreeMap<Text, (Text, u64)>,
    requests: u64,
    attempts: BTreeSet<(Text, u32, u32)>,
    /// The last attempt of each request.
    last: BTreeMap<(Text, u32), Logged>,
    /// The files that lines name.
    named: BTreeSet<Text>,
    /// The responses that something was taken out of: how much, and the SHA-256 as they came.
    redacted: BTreeMap<String, (u64, String)>,
    problems: Vec<Problem>,
}

pub(super) fn check(package: &mut OpenPackage) -> Result<Vec<Step>, PackageError> {
    let mut problems = Vec::new();
    let kept = trail_logs(package, &mut problems);
    let files = package.manifest().files.iter().map(|file| (file.path.clone(), (file.sha256.clone(), file.size)));
    let mut reading = Reading {
        log: format!("raw/{CALLS_FILE}"),
        recorded: files.collect(),
        requests: 0,
        attempts: BTreeSet::new(),
        last: BTreeMap::new(),
        named: BTreeSet::new(),
        redacted: BTreeMap::new(),
        problems,
    };
    reading.kept(&kept);
    let read = package.with_reader(&format!("raw/{CALLS_FILE}"), |file| reading.lines(file));
    if let Err(reason) = read.map_err(|e| e.to_string()).and_then(|read| read.map_err(|e| e.to_string())) {
        return Ok(vec![Step::of("recording", "", vec![Problem::of(reading.log, reason)])]);
    }
    reading.unnamed();
    let Reading { requests, last, redacted, problems, .. } = reading;
    let mut steps = vec![Step::of(
        "recording",
        format!("{requests} requests are logged, and each response is the one that the log names"),
        problems,
    )];
    steps.push(pages(package, last)?);
    steps.push(redactions(package, redacted, &kept));
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

impl Reading {
    /// The log files of a trail, which have an index of their own.
    fn kept(&mut self, kept: &KeptFiles) {
        let index = format!("raw/{}", KeptFiles::index_path());
        if self.recorded.contains_key(index.as_str()) {
            self.named.insert(index.into());
        }
        for (path, file) in kept.all() {
            let path: Text = format!("raw/{path}").into();
            if !self.recorded.get(&path).is_some_and(|(sha256, size)| *sha256 == file.sha256 && *size == file.size) {
                let what = "is not the log file, digest or key that the index of the copies names";
                self.problems.push(Problem::of(path.as_str(), what));
            }
            self.named.insert(path);
        }
    }

    fn lines(&mut self, file: &mut dyn Read) -> io::Result<()> {
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1.. {
            if next_line(&mut file, &mut line)? == 0 {
                break;
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            match serde_json::from_slice(text) {
                _ if text.is_empty() => {}
                Ok(entry) => self.entry(entry),
                Err(e) => self.problems.push(Problem::of(&self.log, format!("line {number} is no request: {e}"))),
            }
        }
        Ok(())
    }

    /// Responses and lines of the log belong together one by one.
    fn entry(&mut self, entry: Entry) {
        self.requests += 1;
        let key: Text = entry.key.as_str().into();
        if !self.attempts.insert((key.clone(), entry.sequence, entry.attempt)) {
            let what = format!("attempt {} of request {} is there twice", entry.attempt, entry.key);
            self.problems.push(Problem::of(&self.log, what));
        }
        let asked = asked(&entry).map(|token| short(&token));
        let (page, attempt) = (entry.page, entry.attempt);
        let call = CallRef {
            operation: entry.operation.into(),
            region: entry.region.map(Text::from),
            resource: entry.resource.map(Text::from),
        };
        let answer = entry.response.map(|response| self.response(response));
        let logged = Logged { call, page, attempt, asked, answer };
        match self.last.entry((key, entry.sequence)) {
            Slot::Vacant(slot) => {
                slot.insert(logged);
            }
            Slot::Occupied(mut slot) if attempt > slot.get().attempt => {
                slot.insert(logged);
            }
            Slot::Occupied(_) => {}
        }
    }

    fn response(&mut self, response: Response) -> Answer {
        let path: Text = format!("raw/{}", response.body).into();
        let wrong = match self.recorded.get(path.as_str()) {
            None => Some("is named by the log and not there".to_owned()),
            Some((sha256, _)) if *sha256 != response.sha256 => {
                Some(format!("has SHA-256 {sha256}, the log says {}", response.sha256))
            }
            Some((_, size)) if *size != response.size => {
                Some(format!("has {size} bytes, the log says {}", response.size))
            }
            Some(_) => None,
        };
        self.problems.extend(wrong.map(|what| Problem::of(path.as_str(), what)));
        if let Some(original) = response.original_sha256 {
            self.redacted.insert(path.to_string(), (response.redactions, original));
        }
        if !self.named.insert(path.clone()) {
            self.problems.push(Problem::of(path.as_str(), "is the response of two requests"));
        }
        Answer { path, given: (200..300).contains(&response.status) }
    }

    /// What lies in the recording, and nothing in it names.
    fn unnamed(&mut self) {
        // The log files of a trail have an index of their own, from which the derivation takes them.
        let index = format!("raw/{}", KeptFiles::index_path());
        let logs = index.rsplit_once('/').map_or(index.as_str(), |(folder, _)| folder).to_owned() + "/";
        let own = [CALLS_FILE, RUN_FILE, CUSTODY_FILE].map(|file| format!("raw/{file}"));
        let below = self.recorded.keys().filter(|path| path.starts_with("raw/") && !path.starts_with(&logs));
        for path in below.filter(|path| !own.iter().any(|own| **path == *own) && !self.named.contains(*path)) {
            self.problems.push(Problem::of(path.as_str(), "is a response that no request of the log was given"));
        }
    }
}

/// Enough of a token's SHA-256 to tell it from any other.
fn short(token: &str) -> Token {
    // Digits of a hash are hexadecimal digits.
    sha256(token.as_bytes()).get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

/// Tokens that AWS gave and tokens that were asked with, of one call.
#[derive(Default)]
struct Tokens {
    given: BTreeMap<Token, Text>,
    asked: BTreeMap<Token, Text>,
    pages: BTreeSet<u32>,
}

/// A call that is collected asked for every page that AWS announced, so that the last one announced none.
fn pages(package: &mut OpenPackage, last: BTreeMap<(Text, u32), Logged>) -> Result<Step, PackageError> {
    let mut calls: BTreeMap<CallRef, Tokens> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut count = 0;
    for Logged { call, page, asked, answer, .. } in last.into_values() {
        let tokens = calls.entry(call).or_default();
        tokens.pages.insert(page);
        if let Some(token) = asked {
            let place = answer.as_ref().map_or_else(|| Text::from(""), |answer| answer.path.clone());
            tokens.asked.insert(token, place);
        }
        let Some(Answer { path, .. }) = answer.filter(|answer| answer.given) else { continue };
        count += 1;
        // A response that is not there was told of before.
        if let Ok(body) = package.bytes(&path)
            && let Some(token) = given(&body, &path)
        {
            tokens.given.insert(short(&token), path);
        }
    }
    let none = Tokens::default();
    for call in &package.manifest().calls {
        let tokens = calls.get(&call.call).unwrap_or(&none);
        if call.outcome == "collected" {
            for (_, place) in tokens.given.iter().filter(|(token, _)| !tokens.asked.contains_key(*token)) {
                let what = format!("announces another page of {}, which was never asked for", call.call);
                problems.push(Problem::of(place.as_str(), what));
            }
            if tokens.pages.is_empty() && !from_logs(package, &call.call) {
                problems.push(Problem::of("manifest.json", format!("{} is collected and was never asked", call.call)));
            }
        }
        for (_, place) in tokens.asked.iter().filter(|(token, _)| !tokens.given.contains_key(*token)) {
            problems
                .push(Problem::of(place.as_str(), format!("is a page of {} that no other page announces", call.call)));
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
fn given(body: &[u8], path: &str) -> Option<String> {
    static TRUNCATED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"<IsTruncated>\s*true\s*</IsTruncated>").ok());
    static MARKER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"<Marker>([^<]*)</Marker>").ok());
    let token = if path.ends_with(".xml") {
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
fn redactions(package: &OpenPackage, mut logged: BTreeMap<String, (u64, String)>, kept: &KeptFiles) -> Step {
    for (path, file) in kept.all().filter(|(_, file)| file.redactions > 0) {
        let original = file.original_sha256.clone().unwrap_or_default();
        logged.insert(format!("raw/{path}"), (file.redactions, original));
    }
    let declared: BTreeMap<String, (u64, String)> = package
        .manifest()
        .redactions
        .iter()
        .map(|redaction| (redaction.file.clone(), (redaction.count, redaction.original_sha256.clone())))
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
