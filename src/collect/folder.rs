//! A folder of files that the AWS CLI printed, read as evidence.
//!
//! The folder may be laid out as `evidence/` of a package is, or hold all files side by side. A file is recognised by
//! its name (the CLI's command, with or without its verb) or by what is in it. Nothing is taken for granted: what was
//! planned and is not among the files is "not collected", a file that cannot be read makes the evidence incomplete, a
//! page that says that there are more is not the whole.
//!
//! It judges nothing, sends nothing and trusts no file: links are not followed, sizes are bounded, and names from
//! files are only ever compared.

mod account;
mod events;
mod place;
mod recognise;
mod shapes;
mod text;
mod walk;

use super::failure::judge_answer;
use crate::evidence::{AnyDocument, Evidence, Gap, GapKind, Note, Operation, Outcome, Run};
use events::{Events, EventsError, Form};
use place::Placing;
use recognise::{Named, by_content, by_name, is_region, take_region};
use serde_json::value::RawValue;
use shapes::Shape;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use text::{AwsError, Text, classify, decode};
use walk::{Found, walk};

/// The largest file that is read into memory. The authorization details of 10,000 roles have about 100 MB.
const LARGEST: u64 = 1 << 30;
/// How many files that are of no use are named one by one.
const NAMED_STRANGERS: usize = 20;
/// Endings of files that can hold what the AWS CLI printed.
const ENDINGS: [&str; 9] = ["json", "jsonl", "ndjson", "csv", "txt", "out", "err", "error", "log"];

/// A folder cannot be read at all. Single files that cannot be read are notes of the evidence.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system refused.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is far too much in it.
    #[error("{} holds more than {limit} files: name the folder that holds the output of the AWS CLI", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// There is nothing in it that could be of use.
    #[error("{} holds nothing that the AWS CLI prints: name the folder with files such as get-account-authorization-details.json", .0.display())]
    Nothing(PathBuf),
    /// Events cannot be converted for want of space, or of permission.
    #[error("cannot convert the events of {file}: {reason}")]
    Work {
        /// The file with the events.
        file: String,
        /// Why not.
        reason: String,
    },
}

/// Reads a folder, or a single file, as the evidence of a run.
///
/// The run says what was planned, the as-of time and the period, the Regions in scope (if the user named any), and in
/// `home_region` the Region of files that do not say theirs. Events are converted to files in `scratch`, which must
/// outlive the evidence.
pub fn read(path: &Path, run: Run, scratch: &Path) -> Result<Evidence, FolderError> {
    let planned: BTreeSet<Operation> = run.operations.iter().filter_map(|text| text.parse().ok()).collect();
    let mut reading = Reading { run, planned, scratch, answers: Vec::new(), notes: Vec::new(), strangers: Vec::new() };
    for found in walk(path)? {
        reading.file(&found)?;
    }
    if reading.answers.is_empty() {
        return Err(FolderError::Nothing(path.to_owned()));
    }
    reading.count_strangers();
    let Reading { run, planned, answers, notes, .. } = reading;
    let mut evidence = Evidence::new(run);
    evidence.notes = notes;
    Placing { evidence: &mut evidence, planned: &planned, told: BTreeMap::new() }.place(answers);
    account::find(&mut evidence);
    evidence.notes.sort();
    evidence.notes.dedup();
    Ok(evidence)
}

/// What one file tells.
#[derive(Debug)]
struct Answer {
    /// The file, below the folder.
    file: String,
    operation: Operation,
    outcome: Outcome<AnyDocument>,
    /// The Region that the path names.
    region: Option<String>,
    /// The Region that the events name.
    region_inside: Option<String>,
    /// What the path says about the resource: the rest of the file's name, the folder's name.
    resource_hints: Vec<String>,
}

struct Reading<'a> {
    run: Run,
    planned: BTreeSet<Operation>,
    scratch: &'a Path,
    answers: Vec<Answer>,
    notes: Vec<Note>,
    strangers: Vec<(String, String)>,
}

/// What the path of a file says.
struct Hints {
    named: Option<Named>,
    region: Option<String>,
    resources: Vec<String>,
    lines: bool,
}

impl Hints {
    fn of(relative: &str) -> Option<Self> {
        let mut folders: Vec<&str> = relative.split('/').collect();
        let mut stem = folders.pop()?;
        let mut lines = false;
        while let Some((rest, ending)) = stem.rsplit_once('.') {
            let ending = ending.to_ascii_lowercase();
            if rest.is_empty() || !ENDINGS.contains(&ending.as_str()) {
                break;
            }
            lines |= ending == "jsonl" || ending == "ndjson";
            stem = rest;
        }
        let in_folder = folders.iter().find(|folder| is_region(folder)).map(|folder| (*folder).to_owned());
        let (in_name, stem) = match take_region(stem) {
            Some((region, rest)) => (Some(region), rest),
            None => (None, stem.to_owned()),
        };
        let named = by_name(&stem);
        let rest = named.iter().map(|named| named.rest.clone()).filter(|rest| !rest.is_empty());
        let folder = folders.last().map(|folder| (*folder).to_owned());
        let resources = folder.into_iter().chain(rest).collect();
        Some(Self { named, region: in_folder.or(in_name), resources, lines })
    }

    /// The operation, if the name leaves no doubt.
    fn certain(&self) -> Option<Operation> {
        self.named.as_ref().filter(|named| named.certain).map(|named| named.operation)
    }
}

fn gap(kind: GapKind, file: &str, reason: &str) -> Outcome<AnyDocument> {
    Outcome::missing(Gap::new(kind, format!("{file}: {reason}")))
}

impl Reading<'_> {
    fn file(&mut self, found: &Found) -> Result<(), FolderError> {
        let file = found.relative.as_str();
        // Made from the authorization details, which tell the same.
        if file.contains("trust-policies/") {
            return Ok(());
        }
        let Some(hints) = Hints::of(file) else { return Ok(()) };
        let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        if let Some(reason) = found.refused {
            self.unusable(file, &hints, reason);
            return Ok(());
        }
        if ending.is_some_and(|ending| !ENDINGS.contains(&ending.as_str())) && hints.certain().is_none() {
            self.strangers.push((file.to_owned(), "is nothing that the AWS CLI prints".to_owned()));
            return Ok(());
        }
        if hints.lines {
            return self.events_of_file(found, &hints);
        }
        let bytes = match read_file(&found.path) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.unusable(file, &hints, &reason);
                return Ok(());
            }
        };
        match decode(&bytes) {
            Ok(text) => self.text(file, &text, &hints),
            Err(reason) => {
                self.unusable(file, &hints, &reason);
                Ok(())
            }
        }
    }

    /// A file that cannot be read. If its name says what it should hold, that is a gap.
    fn unusable(&mut self, file: &str, hints: &Hints, reason: &str) {
        match hints.certain() {
            Some(operation) => self.answer(file, operation, gap(GapKind::Failed, file, reason), hints),
            None => self.strangers.push((file.to_owned(), reason.to_owned())),
        }
    }

    fn answer(&mut self, file: &str, operation: Operation, outcome: Outcome<AnyDocument>, hints: &Hints) {
        self.answers.push(Answer {
            file: file.to_owned(),
            operation,
            outcome,
            region: hints.region.clone(),
            region_inside: None,
            resource_hints: hints.resources.clone(),
        });
    }

    fn text(&mut self, file: &str, text: &str, hints: &Hints) -> Result<(), FolderError> {
        match classify(text) {
            Text::Error(error) => self.error(file, &error, hints),
            Text::CredentialReport => self.document(file, text, Operation::IamGetCredentialReport, None, hints),
            Text::Empty => self.unusable(file, hints, "it is empty: the command printed nothing"),
            Text::Other(reason) => self.unusable(file, hints, &reason),
            Text::Array if text.contains("\"eventID\"") => {
                return self.events(file, text.as_bytes(), Form::Json, hints);
            }
            Text::Array => self.unusable(file, hints, "it is a JSON array, which no command prints"),
            Text::Object(members) => {
                let named = hints.named.as_ref().filter(|named| fits(named.operation, &members));
                let inside = by_content(&members);
                match named.map(|named| named.operation).or(inside).or(hints.certain()) {
                    Some(Operation::CloudTrailLookupEvents) => {
                        return self.events(file, text.as_bytes(), Form::Json, hints);
                    }
                    Some(operation) => self.document(file, text, operation, Some(&members), hints),
                    None => {
                        self.strangers.push((file.to_owned(), "is not the answer to a call that is used".to_owned()))
                    }
                }
            }
        }
        Ok(())
    }

    /// The AWS CLI printed an error: that is an outcome like any other.
    fn error(&mut self, file: &str, error: &AwsError, hints: &Hints) {
        let named = error.operation.as_deref();
        let told = Operation::ALL.iter().copied().find(|operation| Some(operation.name()) == named);
        let Some(operation) = told.or_else(|| hints.named.as_ref().map(|named| named.operation)) else {
            self.strangers
                .push((file.to_owned(), format!("holds the error {} of a call that is not used", error.code)));
            return;
        };
        let message = Some(error.message.as_str()).filter(|message| !message.is_empty());
        let outcome = match judge_answer(operation, 0, Some(&error.code), message).outcome(None) {
            Outcome::Missing { gap, partial } => {
                let reason = format!("{} (in {file})", gap.reason.replace(" and run with --resume", ""));
                Outcome::Missing { gap: Gap::new(gap.kind, reason), partial }
            }
            other => other,
        };
        self.answer(file, operation, outcome, hints);
    }

    fn document(
        &mut self,
        file: &str,
        text: &str,
        operation: Operation,
        members: Option<&BTreeMap<String, &RawValue>>,
        hints: &Hints,
    ) {
        let Some(shape) = Shape::find(operation) else {
            self.unusable(file, hints, "it is not a list of events");
            return;
        };
        let outcome = match (shape.read)(text.as_bytes()) {
            Err(reason) => gap(GapKind::Failed, file, &format!("it cannot be read: {reason}")),
            Ok(document) => match members.and_then(|members| incomplete(shape, members)) {
                Some(reason) => {
                    let gap = Gap::not_collected(format!("{file}: {reason}"));
                    Outcome::Missing { gap, partial: Some(document) }
                }
                None => Outcome::Collected(document),
            },
        };
        self.answer(file, operation, outcome, hints);
    }

    fn events_of_file(&mut self, found: &Found, hints: &Hints) -> Result<(), FolderError> {
        let file = found.relative.as_str();
        match open_lines(&found.path) {
            Ok(Lines::Streamed(input)) => self.events(file, input, Form::Lines, hints),
            Ok(Lines::Decoded(text)) => self.events(file, text.as_bytes(), Form::Lines, hints),
            Err(reason) => {
                self.unusable(file, hints, &reason);
                Ok(())
            }
        }
    }

    fn events(&mut self, file: &str, input: impl io::BufRead, form: Form, hints: &Hints) -> Result<(), FolderError> {
        let operation = Operation::CloudTrailLookupEvents;
        let target = self.scratch.join(format!("events-of-file-{}.jsonl", self.answers.len()));
        let events = match events::convert(input, form, self.run.period, &target) {
            Ok(events) => events,
            Err(EventsError::File(reason)) => {
                self.answer(file, operation, gap(GapKind::Failed, file, &reason), hints);
                return Ok(());
            }
            Err(EventsError::Work(reason)) => return Err(FolderError::Work { file: file.to_owned(), reason }),
        };
        self.note_events(file, &events);
        let mut regions = events.regions.iter();
        let region_inside = regions.next().filter(|_| regions.next().is_none()).cloned();
        let outcome = match not_whole(&events) {
            Some(reason) => Outcome::Missing {
                gap: Gap::not_collected(format!("{file}: {reason}")),
                partial: Some(AnyDocument::new(events.document)),
            },
            None => Outcome::Collected(AnyDocument::new(events.document)),
        };
        self.answer(file, operation, outcome, hints);
        if let Some(answer) = self.answers.last_mut() {
            answer.region_inside = region_inside;
        }
        Ok(())
    }

    fn note_events(&mut self, file: &str, events: &Events) {
        let mut note = |text: String| self.notes.push(Note { place: file.to_owned(), text, incomplete: false });
        if events.redactions > 0 {
            note(format!("{} session tokens were taken out of its events", events.redactions));
        }
        if events.outside > 0 {
            note(format!("{} of its events lie outside of the period, and were left out", events.outside));
        }
        if events.is_answer {
            note("it does not say which period its events were asked for; taken for the period of this run".to_owned());
        }
    }

    /// Notes about files that are of no use; only the first of many are named.
    fn count_strangers(&mut self) {
        let planned = &self.planned;
        let strangers = &mut self.strangers;
        self.answers.retain(|answer| {
            let needed = planned.contains(&answer.operation);
            if !needed {
                let reason = format!("answers {}, which nothing that was selected needs", answer.operation);
                strangers.push((answer.file.clone(), reason));
            }
            needed
        });
        strangers.sort();
        let more = strangers.len().saturating_sub(NAMED_STRANGERS);
        let named = strangers.iter().take(NAMED_STRANGERS);
        let notes = named.map(|(file, reason)| Note { place: file.clone(), text: reason.clone(), incomplete: false });
        self.notes.extend(notes);
        if more > 0 {
            let text = format!("{more} more files are of no use");
            self.notes.push(Note { place: "the folder".to_owned(), text, incomplete: false });
        }
    }
}

/// Whether an object has anything of an operation's document.
fn fits(operation: Operation, members: &BTreeMap<String, &RawValue>) -> bool {
    match operation {
        // These share their members' names with others.
        Operation::AccountListRegions
        | Operation::CloudTrailGetEventSelectors
        | Operation::CloudTrailLookupEvents
        | Operation::IamGetCredentialReport => by_content(members) == Some(operation),
        _ => Shape::find(operation).is_some_and(|shape| shape.members.iter().any(|name| members.contains_key(*name))),
    }
}

/// Why an object is not the whole answer, if it says so.
fn incomplete(shape: &Shape, members: &BTreeMap<String, &RawValue>) -> Option<String> {
    let has = |name: &&&str| members.contains_key(**name);
    let missing: Vec<&str> = shape.members.iter().filter(|name| !has(name)).copied().collect();
    if !missing.is_empty() {
        return Some(format!("it has no {}, so that it is not the whole answer", missing.join(", no ")));
    }
    if shape.operation == Operation::CloudTrailGetEventSelectors
        && !["EventSelectors", "AdvancedEventSelectors"].iter().any(|name| members.contains_key(*name))
    {
        return Some("it has neither EventSelectors nor AdvancedEventSelectors".to_owned());
    }
    let text = |name: &str| members.get(name).map(|raw| raw.get());
    let filled = |name: &str| text(name).is_some_and(|text| text != "null" && text != "\"\"");
    if text("IsTruncated") == Some("true") {
        return Some("it holds one page of several: IsTruncated is true".to_owned());
    }
    let marker = filled("Marker") && text("IsTruncated") != Some("false");
    (marker || filled("NextToken") || filled("nextToken"))
        .then(|| "it holds one page of several: it names a token for the next".to_owned())
}

/// Why events are not the whole history of the period, if that can be told.
fn not_whole(events: &Events) -> Option<String> {
    let coverage = &events.document.coverage;
    if !events.is_answer {
        return Some("a list of records does not say that it is all of the event history".to_owned());
    }
    if events.continues {
        return Some("it holds one page of several: it names a token for the next".to_owned());
    }
    if coverage.unreadable > 0 {
        return Some(format!("{} of its events cannot be read", coverage.unreadable));
    }
    (coverage.events == 0 && events.outside > 0).then(|| "none of its events lies in the period".to_owned())
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| format!("it cannot be read: {e}"))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| format!("it cannot be read: {e}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    Ok(bytes)
}

enum Lines {
    Streamed(BufReader<File>),
    Decoded(String),
}

/// A file with one record a line. It is read piece by piece, unless PowerShell wrote it.
fn open_lines(path: &Path) -> Result<Lines, String> {
    let cannot_read = |e: io::Error| format!("it cannot be read: {e}");
    let mut mark = [0; 2];
    let mut file = File::open(path).map_err(cannot_read)?;
    let marked = file.read(&mut mark).map_err(cannot_read)? == 2 && matches!(mark, [0xFF, 0xFE] | [0xFE, 0xFF]);
    if marked {
        let text = decode(&read_file(path)?)?.into_owned();
        return Ok(Lines::Decoded(text));
    }
    let file = File::open(path).map_err(cannot_read)?;
    Ok(Lines::Streamed(BufReader::with_capacity(1 << 16, file)))
}

#[cfg(test)]
mod tests;
