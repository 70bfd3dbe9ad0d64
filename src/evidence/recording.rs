//! The recording: every response as it was received, with the log of the calls.
//!
//! A folder of `run.json`, `calls.jsonl` (one line for each attempt of each request) and one file for each
//! response body. While a run goes on, lines are appended as answers arrive, and a body is complete
//! before its line is: whatever moment a run is killed at, at most the answer in flight is lost. In a
//! package the lines are sorted, so that the order of arrival leaves no trace.

mod log;
mod resume;

pub(crate) use log::next_line;
pub use resume::Resumed;

use super::call::{CallId, file_name};
use super::custody::{Custody, Start};
use super::digest::sha256;
use super::operation::Operation;
use super::redaction::redact;
use super::run::Run;
use log::Log;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file with the run's facts.
pub const RUN_FILE: &str = "run.json";
/// The file with the chain of custody. Recordings of the first days have none.
pub const CUSTODY_FILE: &str = "custody.json";
/// The file with the log of the calls.
pub const CALLS_FILE: &str = "calls.jsonl";
/// The largest response body that is read back; AWS's largest are a few megabytes.
const LARGEST_BODY: u64 = 256 << 20;

/// One attempt of one request: a line of `calls.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The operation, as `service:Operation`.
    pub operation: String,
    /// The Region asked, for a regional service.
    pub region: Option<String>,
    /// The resource asked about, where the operation asks about one.
    pub resource: Option<String>,
    /// Which request of the call, from 1: the page.
    pub page: u32,
    /// The request's identity: the hash of all of it that does not differ between runs.
    pub key: String,
    /// Which request with this identity, from 0: polling asks the same again.
    pub sequence: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The request.
    pub request: Request,
    /// The answer, if one came.
    pub response: Option<Response>,
    /// Why no answer came.
    pub failure: Option<String>,
}

/// What was sent, without authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The host that was asked.
    pub host: String,
    /// The path.
    pub path: String,
    /// The query.
    pub query: String,
    /// The body: all parameters of the operation.
    pub parameters: String,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers that matter: request id, server date, content type, error type.
    pub headers: BTreeMap<String, String>,
    /// The body's file, below the recording's folder.
    pub body: String,
    /// The SHA-256 of that file.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// How many session tokens were taken out of it.
    #[serde(default, skip_serializing_if = "crate::evidence::is_default")]
    pub redactions: u64,
    /// The SHA-256 of the body as it came, if it was redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_sha256: Option<String>,
}

impl Entry {
    /// The call that the request belongs to, if this version of auditpack knows its operation.
    pub fn call(&self) -> Option<CallId> {
        let operation: Operation = self.operation.parse().ok()?;
        Some(CallId { operation, region: self.region.clone(), resource: self.resource.clone() })
    }

    /// The id that AWS gave the request, for support cases and for finding the call in CloudTrail.
    pub fn request_id(&self) -> Option<&str> {
        let headers = &self.response.as_ref()?.headers;
        ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| headers.get(*name)).map(String::as_str)
    }
}

/// A recording cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}{}", path.display(), remedy(action, source))]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{} is not part of a recording: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A response body is not the one that was recorded.
    #[error("the recorded response {file} was altered: its SHA-256 is {found}, recorded was {recorded}")]
    Altered {
        /// The body's file.
        file: String,
        /// The SHA-256 in the log.
        recorded: String,
        /// The SHA-256 of the file.
        found: String,
    },
}

/// What can be done about an error of the file system.
fn remedy(action: &str, error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => " (free some space)",
        io::ErrorKind::NotFound if action == "write" => " (was the work folder removed or moved?)",
        _ => "",
    }
}

/// A recording in a folder.
#[derive(Debug)]
pub struct Recording {
    dir: PathBuf,
    /// What the run was asked to do.
    pub run: Run,
    /// Who ran what, where and when.
    pub custody: Custody,
    log: Mutex<Log>,
}

impl Recording {
    /// Starts a recording in a folder that holds none.
    pub fn create(dir: &Path, run: Run) -> Result<Self, RecordingError> {
        let run_file = dir.join(RUN_FILE);
        let mut text = serde_json::to_vec_pretty(&run).map_err(|e| malformed(&run_file, e.to_string()))?;
        text.push(b'\n');
        write_new(&run_file, &text)?;
        let log = Mutex::new(Log::create(dir.join(CALLS_FILE))?);
        Ok(Self { dir: dir.to_owned(), run, custody: Custody::default(), log })
    }

    /// Opens a finished recording for replay.
    pub fn open(dir: &Path) -> Result<Self, RecordingError> {
        Self::with(dir, Log::open(dir.join(CALLS_FILE))?)
    }

    fn with(dir: &Path, log: Log) -> Result<Self, RecordingError> {
        Ok(Self { run: read_run(dir)?, custody: read_custody(dir)?, dir: dir.to_owned(), log: Mutex::new(log) })
    }

    /// Adds a start to the chain of custody.
    pub fn add_start(&mut self, start: Start) -> Result<(), RecordingError> {
        self.custody.runs.push(start);
        self.write_custody(&self.custody)
    }

    /// Writes a chain of custody in place of the one that is there.
    pub fn write_custody(&self, custody: &Custody) -> Result<(), RecordingError> {
        let path = self.dir.join(CUSTODY_FILE);
        let mut text = serde_json::to_vec_pretty(custody).map_err(|e| malformed(&path, e.to_string()))?;
        text.push(b'\n');
        write_new(&path, &text)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The last attempt of a request, if it was recorded.
    pub fn last_attempt(&self, key: &str, sequence: u32) -> Result<Option<Entry>, RecordingError> {
        self.log().last_attempt(key, sequence)
    }

    /// The failure that a call met without a request being sent, or without an answer that could be recorded.
    pub fn unsent(&self, call: &CallId, page: u32) -> Result<Option<String>, RecordingError> {
        Ok(self.last_attempt(&unsent_key(call, page), 0)?.and_then(|entry| entry.failure))
    }

    /// Whether nothing was recorded yet.
    pub fn is_empty(&self) -> bool {
        self.log().is_empty()
    }

    /// All attempts, in the order of a package. Each is read from the log when it is its turn.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, RecordingError>> {
        let places = self.log().places();
        places.into_iter().map(|(at, length)| self.log().entry(at, length))
    }

    /// Appends an attempt that was answered: first the body, then the line. Session tokens are taken out of
    /// the body; what is returned is the body as it was written, so that a run sees what its replay will see.
    pub fn append_response(
        &self,
        mut entry: Entry,
        status: u16,
        headers: BTreeMap<String, String>,
        body: Vec<u8>,
    ) -> Result<Vec<u8>, RecordingError> {
        let (written, redactions) = redact(&body);
        let original_sha256 = (redactions > 0).then(|| sha256(&body));
        let written = written.into_owned();
        entry.attempt = self.log().attempts(&entry.key, entry.sequence) + 1;
        let body_file = body_path(&entry, &headers);
        let path = self.dir.join(&body_file);
        // A work folder that was removed is not made again.
        let log = self.dir.join(CALLS_FILE);
        log.metadata().map_err(io_error("write", &log))?;
        if let Some(parent) = path.parent() {
            create_private_dir(parent).map_err(io_error("create", parent))?;
        }
        write_new(&path, &written)?;
        entry.response = Some(Response {
            status,
            headers,
            body: body_file,
            sha256: sha256(&written),
            size: written.len() as u64,
            redactions,
            original_sha256,
        });
        self.log().append(&entry)?;
        Ok(written)
    }

    /// Appends an attempt that was not answered.
    pub fn append_failure(&self, mut entry: Entry, failure: String) -> Result<(), RecordingError> {
        entry.attempt = self.log().attempts(&entry.key, entry.sequence) + 1;
        entry.failure = Some(failure);
        self.log().append(&entry)
    }

    /// Appends a failure that happened before a request was sent: no credentials, a deadline.
    pub fn append_unsent(&self, call: &CallId, page: u32, failure: String) -> Result<(), RecordingError> {
        let entry = Entry {
            operation: call.operation.to_string(),
            region: call.region.clone(),
            resource: call.resource.clone(),
            page,
            key: unsent_key(call, page),
            sequence: 0,
            attempt: 0,
            request: Request::default(),
            response: None,
            failure: None,
        };
        self.append_failure(entry, failure)
    }

    /// The body of a recorded response, if it is the one that was recorded.
    pub fn body(&self, response: &Response) -> Result<Vec<u8>, RecordingError> {
        let path = self.dir.join(&response.body);
        if !is_inside(&response.body) {
            return Err(malformed(&path, "it lies outside the recording".to_owned()));
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(io_error("read", &path))?;
        file.take(LARGEST_BODY).read_to_end(&mut bytes).map_err(io_error("read", &path))?;
        let found = sha256(&bytes);
        if found != response.sha256 {
            return Err(RecordingError::Altered {
                file: response.body.clone(),
                recorded: response.sha256.clone(),
                found,
            });
        }
        Ok(bytes)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // The log is changed by single insertions, so that a thread that panicked cannot have left it half-changed.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unsent_key(call: &CallId, page: u32) -> String {
    format!("unsent-{}-{page}", &sha256(call.to_string().as_bytes())[..24])
}

/// `<service>/<Region or global>/<Operation>/<key>-<sequence>.<attempt>.<xml or json>`
fn body_path(entry: &Entry, headers: &BTreeMap<String, String>) -> String {
    let (service, operation) = entry.operation.split_once(':').unwrap_or(("other", &entry.operation));
    let xml = headers.get("content-type").is_some_and(|kind| kind.contains("xml"));
    format!(
        "{}/{}/{}/{}-{:03}.{}.{}",
        file_name(service),
        entry.region.as_deref().map_or_else(|| "global".to_owned(), file_name),
        file_name(operation),
        entry.key,
        entry.sequence,
        entry.attempt,
        if xml { "xml" } else { "json" }
    )
}

/// Whether a relative path stays below where it starts.
fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn read_run(dir: &Path) -> Result<Run, RecordingError> {
    let path = dir.join(RUN_FILE);
    let bytes = fs::read(&path).map_err(io_error("read", &path))?;
    let run: Run = serde_json::from_slice(&bytes).map_err(|e| malformed(&path, e.to_string()))?;
    if run.format != Run::FORMAT {
        let reason = format!("it has format {}, this version of auditpack reads format {}", run.format, Run::FORMAT);
        return Err(malformed(&path, reason));
    }
    Ok(run)
}

fn read_custody(dir: &Path) -> Result<Custody, RecordingError> {
    let path = dir.join(CUSTODY_FILE);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| malformed(&path, e.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Custody::default()),
        Err(error) => Err(io_error("read", &path)(error)),
    }
}

/// Writes a file whole or not at all: under another name first, then renamed.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), RecordingError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut file = private().create(true).truncate(true).write(true).open(&part).map_err(io_error("create", &part))?;
    file.write_all(bytes).map_err(io_error("write", &part))?;
    drop(file);
    fs::rename(&part, path).map_err(io_error("write", path))
}

/// Options for a file that only its owner may read.
pub(crate) fn private() -> OpenOptions {
    #[allow(unused_mut)] // Windows has no modes
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a folder, and those above it, that only their owner may enter.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    private_dirs().recursive(true).create(dir)
}

/// Creates a folder that is not there yet, and that only its owner may enter.
pub fn create_new_private_dir(dir: &Path) -> io::Result<()> {
    private_dirs().create(dir)
}

fn private_dirs() -> fs::DirBuilder {
    #[allow(unused_mut)] // Windows has no modes
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RecordingError {
    let path = path.to_owned();
    move |source| RecordingError::Io { action, path, source }
}

pub(super) fn malformed(path: &Path, reason: String) -> RecordingError {
    RecordingError::Malformed { path: path.to_owned(), reason }
}
