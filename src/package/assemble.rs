//! Putting a package's contents together: which file holds what.

use super::content::{Content, Contents, Part};
use super::describe::{describe, note};
use super::error::PackageError;
use super::manifest::{self, CallRef, Redaction};
use super::pretty::pretty;
use crate::evidence::call::file_name;
use crate::evidence::cloudtrail::LookupEvents;
use crate::evidence::custody::server_time;
use crate::evidence::digest::sha256;
use crate::evidence::iam::AuthorizationDetails;
use crate::evidence::recording::{CALLS_FILE, CUSTODY_FILE, RUN_FILE, Recording};
use crate::evidence::trail_logs::KeptFiles;
use crate::evidence::{AnyDocument, CallId, EventSource, Operation, Outcome, Text, Timestamp};
use crate::report::csv::{Cell, Table};
use crate::report::{Audit, controls_digest};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Puts together what a package will hold.
///
/// `reports` are the texts for people and programs, with their paths: README.txt, report.html, findings.csv,
/// `populations/users.csv` and so on. Without a recording (an evaluation of files that somebody supplied) there
/// is no `raw/`.
pub fn assemble<'a>(
    audit: Audit<'a>,
    recording: Option<&'a Recording>,
    reports: Vec<(String, Content<'a>)>,
) -> Result<Contents<'a>, PackageError> {
    let log = Log::of(recording)?;
    let kept = match recording {
        Some(recording) => KeptFiles::read(recording.dir())?,
        None => None,
    };
    let manifest = describe(audit, &log, kept.as_ref());
    let mut contents = Contents::new(manifest);
    for (path, content) in reports {
        contents.add(path, content)?;
    }
    evidence(&mut contents, audit, &log)?;
    trust_policies(&mut contents, audit)?;
    controls(&mut contents, audit)?;
    for evidence in &audit.controls.settings.manual {
        let Some(attached) = &evidence.attached else { continue };
        let content = Content::File { path: attached.path.clone(), sha256: Some(attached.sha256.as_str().into()) };
        contents.add(evidence.path.as_str(), content)?;
    }
    if let Some(recording) = recording {
        raw(&mut contents, recording, log)?;
        trail_logs(&mut contents, recording, kept.as_ref())?;
    }
    for population in &mut contents.manifest.populations {
        population.file = population.file.take().filter(|file| contents.parts.contains_key(file.as_str()));
    }
    Ok(contents)
}

/// What the recording's log tells, read once.
#[derive(Default)]
pub(super) struct Log<'a> {
    pub recording: Option<&'a Recording>,
    /// Requests sent, each attempt counted.
    pub requests: u64,
    /// Requests that AWS answered with an id.
    pub with_request_id: u64,
    /// The server's time of the first and of the last answer.
    pub answered: Option<(Timestamp, Timestamp)>,
    /// Responses that secrets were taken out of.
    pub redactions: Vec<Redaction>,
    /// The responses of each call, in the order of requests and attempts.
    responses: BTreeMap<CallId, Responses>,
    /// Responses to operations that this version does not know.
    others: Vec<Body>,
}

struct Responses {
    call: CallRef,
    bodies: Vec<Body>,
}

/// A recorded response: its path in the package, and the SHA-256 that it was recorded with.
struct Body {
    path: Text,
    sha256: Text,
}

impl<'a> Log<'a> {
    fn of(recording: Option<&'a Recording>) -> Result<Self, PackageError> {
        let mut log = Self { recording, ..Self::default() };
        for entry in recording.iter().flat_map(|recording| recording.entries()) {
            let entry = entry?;
            log.requests += 1;
            log.with_request_id += u64::from(entry.request_id().is_some());
            if let Some(time) = server_time(&entry) {
                let (first, last) = log.answered.unwrap_or((time, time));
                log.answered = Some((first.min(time), last.max(time)));
            }
            let call = entry.call();
            let Some(response) = entry.response else { continue };
            let path: Text = format!("raw/{}", response.body).into();
            if let Some(original_sha256) = response.original_sha256 {
                let file = path.to_string();
                log.redactions.push(Redaction { file, count: response.redactions, original_sha256 });
            }
            let body = Body { path, sha256: response.sha256.into() };
            match call {
                Some(call) => {
                    let new = |call: &CallId| Responses { call: CallRef::from(call), bodies: Vec::new() };
                    log.responses.entry(call).or_insert_with_key(new).bodies.push(body);
                }
                None => log.others.push(body),
            }
        }
        Ok(log)
    }

    /// The recorded responses of a call, in the order of requests and attempts.
    pub fn responses(&self, call: &CallId) -> Vec<Text> {
        let bodies = self.responses.get(call).map_or(&[][..], |responses| &responses.bodies);
        bodies.iter().map(|body| body.path.clone()).collect()
    }
}

/// The documents of all calls that gave one, whole or in part. What the calls gave stands in the manifest.
fn evidence<'a>(contents: &mut Contents<'a>, audit: Audit<'a>, log: &Log<'_>) -> Result<(), PackageError> {
    let mut paths = Vec::new();
    for (call, outcome) in audit.evidence.calls() {
        let Some(document) = outcome.arrived() else {
            paths.push(None);
            continue;
        };
        let path = format!("evidence/{}", call.document_path());
        let path = free_path(contents, path, &call.to_string());
        let part = Part {
            content: document_content(document),
            call: Some(CallRef::from(call)),
            sources: sources(document, log.responses(call)),
            partial: matches!(outcome, Outcome::Missing { .. }),
        };
        contents.put(path.as_str().into(), part)?;
        paths.push(Some(path));
    }
    for (record, path) in contents.manifest.calls.iter_mut().zip(paths) {
        record.document = path;
    }
    Ok(())
}

/// A path that is not taken. Two resources can have the same name in one folder (a trail of the account and one of
/// its organisation), or names that differ in case only, which Windows and macOS cannot keep apart: the later one then
/// carries a hash of what it is, and the manifest says so.
fn free_path(contents: &mut Contents<'_>, path: String, what: &str) -> String {
    if !contents.has(&path) {
        return path;
    }
    let (stem, ending) = path.rsplit_once('.').unwrap_or((&path, ""));
    let mut free = format!("{stem}~{}.{ending}", &sha256(what.as_bytes())[..16]);
    let mut count = 1;
    while contents.has(&free) {
        count += 1;
        free = format!("{stem}~{}-{count}.{ending}", &sha256(what.as_bytes())[..16]);
    }
    contents.manifest.notes.push(note(&free, format!("{what}: {path} is taken by another one of the same name")));
    free
}

fn document_content<'a>(document: &AnyDocument) -> Content<'a> {
    // Events stay on disk, and are copied without being written twice to be measured.
    if let Some(events) = document.downcast::<LookupEvents>() {
        return Content::File { path: events.file.clone(), sha256: None };
    }
    let document = document.clone();
    Content::stream(move |out| document.write(out))
}

/// The trust policy of each role, decoded and on several lines.
fn trust_policies<'a>(contents: &mut Contents<'a>, audit: Audit<'a>) -> Result<(), PackageError> {
    let call = CallId::global(Operation::IamGetAccountAuthorizationDetails);
    let outcome = audit.evidence.get::<AuthorizationDetails>(&call);
    let Some(details) = outcome.arrived() else { return Ok(()) };
    let reference = CallRef::from(&call);
    // The document, and not the many responses that it was made from: these stand with it.
    let document = contents.manifest.calls.iter().find(|record| record.call == reference);
    let document: Option<Text> = document.and_then(|record| record.document.as_deref()).map(Text::from);
    for role in &details.role_detail_list {
        let (Some(name), Some(policy)) = (&role.role_name, &role.assume_role_policy_document) else { continue };
        let path = format!("evidence/iam/trust-policies/{}.json", file_name(name));
        let path = free_path(contents, path, role.arn.as_deref().unwrap_or(name));
        let part = Part {
            content: Content::text(pretty(policy.as_str())),
            call: Some(reference.clone()),
            sources: document.iter().cloned().collect(),
            partial: outcome.gap().is_some(),
        };
        contents.put(path.into(), part)?;
    }
    Ok(())
}

/// The files that the controls were read from, and their digest.
fn controls<'a>(contents: &mut Contents<'a>, audit: Audit<'a>) -> Result<(), PackageError> {
    for (path, text) in &audit.controls.files {
        // Whoever wrote the controls named the files: each name is made harmless, as names from AWS are.
        let names: Vec<String> = path.split('/').map(file_name).collect();
        let path = format!("controls/{}", names.join("/"));
        contents.add(path, Content::text(text.as_str()))?;
    }
    contents.manifest.controls = manifest::Controls {
        sha256: controls_digest(audit.controls),
        files: audit.controls.files.len() as u64,
        checks: audit.controls.checks.len() as u64,
        exceptions: audit.controls.settings.exceptions.len() as u64,
    };
    Ok(())
}

/// What a document was made from: responses, or the log files of a trail.
fn sources(document: &AnyDocument, responses: Vec<Text>) -> Vec<Text> {
    match document.downcast::<LookupEvents>() {
        Some(events) if events.coverage.source == EventSource::TrailLogs => {
            vec![format!("raw/{}", KeptFiles::index_path()).into()]
        }
        _ => responses,
    }
}

/// The log files of a trail that the recording holds, with their index.
fn trail_logs<'a>(
    contents: &mut Contents<'a>,
    recording: &'a Recording,
    kept: Option<&KeptFiles>,
) -> Result<(), PackageError> {
    let Some(kept) = kept else { return Ok(()) };
    let index = KeptFiles::index_path();
    contents.add(format!("raw/{index}"), Content::File { path: recording.dir().join(&index), sha256: None })?;
    for (path, file) in kept.all() {
        let content = Content::File { path: recording.dir().join(&path), sha256: Some(file.sha256.as_str().into()) };
        contents.add(format!("raw/{path}"), content)?;
    }
    Ok(())
}

/// calls.csv: one row for each attempt of each request, with the id that AWS gave it and the time of AWS's clock.
fn write_calls_csv(recording: &Recording, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&[
        "operation",
        "region",
        "resource",
        "page",
        "attempt",
        "server_time",
        "request_id",
        "status",
        "failure",
        "response",
        "sha256",
        "size",
    ]);
    for entry in recording.entries() {
        let entry = entry.map_err(io::Error::other)?;
        let response = entry.response.as_ref();
        table.row([
            entry.operation.as_str().into(),
            entry.region.clone().into(),
            entry.resource.clone().into(),
            u64::from(entry.page).into(),
            u64::from(entry.attempt).into(),
            server_time(&entry).map(|time| time.zulu()).into(),
            entry.request_id().map(str::to_owned).into(),
            response.map_or(Cell::Empty, |response| u64::from(response.status).into()),
            entry.failure.clone().into(),
            response.map(|response| format!("raw/{}", response.body)).into(),
            response.map(|response| response.sha256.clone()).into(),
            response.map_or(Cell::Empty, |response| response.size.into()),
        ]);
        table.drain(out)?;
    }
    table.drain(out)
}

/// The recording: its log sorted, and the responses as they are.
fn raw<'a>(contents: &mut Contents<'a>, recording: &'a Recording, log: Log<'_>) -> Result<(), PackageError> {
    let run = recording.dir().join(RUN_FILE);
    contents.add(format!("raw/{RUN_FILE}"), Content::File { path: run, sha256: None })?;
    let custody = recording.dir().join(CUSTODY_FILE);
    if custody.is_file() {
        contents.add(format!("raw/{CUSTODY_FILE}"), Content::File { path: custody, sha256: None })?;
    }
    contents.add(super::CALLS, Content::stream(move |out| write_calls_csv(recording, out)))?;
    let lines = Content::stream(move |out| {
        for entry in recording.entries() {
            serde_json::to_writer(&mut *out, &entry.map_err(io::Error::other)?)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    });
    contents.add(format!("raw/{CALLS_FILE}"), lines)?;
    let known = log
        .responses
        .into_values()
        .flat_map(|Responses { call, bodies }| bodies.into_iter().map(move |body| (Some(call.clone()), body)));
    for (call, Body { path, sha256 }) in known.chain(log.others.into_iter().map(|body| (None, body))) {
        let file = recording.dir().join(path.strip_prefix("raw/").unwrap_or(&path));
        let content = Content::File { path: file, sha256: Some(sha256) };
        contents.put(path, Part { content, call, sources: Vec::new(), partial: false })?;
    }
    Ok(())
}
