//! One caller for all calls: paces, sends, retries, follows pages, and turns what happened into an outcome.

use super::clock::Clock;
use super::failure::{Verdict, causes, is_not_recorded, judge};
use super::pace::Pace;
use super::tape::{Answered, REQUEST, RequestTag};
use crate::evidence::recording::Recording;
use crate::evidence::{CallId, Gap, GapKind, Outcome};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often a request that failed is attempted before the call is given up.
const ATTEMPTS: u32 = 4;
/// How often a request that was throttled is: AWS will answer, only later.
const THROTTLED_ATTEMPTS: u32 = 10;
/// How many pages with nothing on them are followed, one after another. AWS gives some; a list of them has no end.
const EMPTY_PAGES: u32 = 100;
/// How long a collection that was asked to stop waits for the answers in flight.
const IN_FLIGHT: Duration = Duration::from_secs(5);
/// How long an answer that is not recorded is waited for.
const UNRECORDED: Duration = Duration::from_secs(30);
/// The longest pause before an attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// The word for the outcome of a call that was not ended because the collection was asked to stop.
pub const STOPPED: &str = "interrupted";

/// Hears how the collection goes. The commands show it on a terminal.
pub trait Progress: fmt::Debug + Send + Sync {
    /// A call starts.
    fn started(&self, call: &CallId) {
        let _ = call;
    }
    /// A page arrived, with so many items.
    fn page(&self, call: &CallId, items: usize) {
        let _ = (call, items);
    }
    /// So much of a call is done, from 0 to 1, where that can be told.
    fn advanced(&self, call: &CallId, done: f64) {
        let _ = (call, done);
    }
    /// So many items of a call are likely still to come.
    fn estimate(&self, call: &CallId, left: u64) {
        let _ = (call, left);
    }
    /// A request is sent again after a pause.
    fn retrying(&self, call: &CallId, reason: &str, pause: Duration) {
        let _ = (call, reason, pause);
    }
    /// A call ended, with the word for its outcome.
    fn ended(&self, call: &CallId, outcome: &str) {
        let _ = (call, outcome);
    }
    /// Something that a person should know while the collection goes on.
    fn note(&self, text: &str) {
        let _ = text;
    }
}

/// Tells nobody.
#[derive(Debug)]
pub struct Silent;

impl Progress for Silent {}

/// Why a collection ended before its end. The recording is kept, and can be resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The user or the system asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The time that the user gave it has passed.
    #[error("the deadline has passed")]
    Deadline,
    /// An answer could not be written.
    #[error("{0}")]
    CannotRecord(String),
}

/// Asks a collection to stop after the pages that are in flight.
#[derive(Clone, Debug)]
pub struct StopSignal {
    stopped: watch::Sender<bool>,
    late: Arc<AtomicBool>,
}

impl Default for StopSignal {
    fn default() -> Self {
        Self { stopped: watch::Sender::new(false), late: Arc::default() }
    }
}

impl StopSignal {
    /// Asks to stop.
    pub fn stop(&self) {
        self.stopped.send_replace(true);
    }

    /// Asks to stop because the time has passed.
    pub fn deadline(&self) {
        self.late.store(true, Ordering::SeqCst);
        self.stop();
    }

    /// Whether somebody asked.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Why a collection that was asked to stop ends.
    pub fn halt(&self) -> Halt {
        if self.late.load(Ordering::SeqCst) { Halt::Deadline } else { Halt::Interrupted }
    }

    /// Waits until somebody asks.
    async fn asked(&self) {
        // It cannot close before this signal is gone.
        let _ = self.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// Waits until somebody asks, and for as long as an answer in flight is then waited for.
    async fn overdue(&self) {
        self.asked().await;
        tokio::time::sleep(IN_FLIGHT).await;
    }

    /// Pauses, until somebody asks at the longest.
    async fn pause(&self, duration: Duration) {
        tokio::select! { () = tokio::time::sleep(duration) => {}, () = self.asked() => {} }
    }
}

/// The caller.
#[derive(Debug)]
pub struct Caller {
    recording: Arc<Recording>,
    /// None in a replay, which neither waits nor retries.
    pace: Option<Pace>,
    progress: Arc<dyn Progress>,
    stop: StopSignal,
    halt: Mutex<Option<Halt>>,
    clock: Arc<Clock>,
    serial: AtomicU64,
}

/// What follows a page.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing: it was the last.
    Last,
    /// The page of this token.
    Token(String),
    /// More, says AWS, but not how to ask for it.
    Lost,
}

impl Next {
    /// IAM's way: a flag and a marker.
    pub(super) fn marker(truncated: bool, marker: Option<String>) -> Self {
        match (truncated, marker.filter(|marker| !marker.is_empty())) {
            (false, _) => Next::Last,
            (true, Some(marker)) => Next::Token(marker),
            (true, None) => Next::Lost,
        }
    }

    /// The way of the other services: a token if there is more.
    pub(super) fn token(token: Option<String>) -> Self {
        token.filter(|token| !token.is_empty()).map_or(Next::Last, Next::Token)
    }
}

/// One page's worth of a call: how it ended, if it was the last.
enum Page<T> {
    Arrived(T),
    Ended(Verdict),
}

impl Caller {
    /// A caller that waits and retries.
    pub fn live(recording: Arc<Recording>, progress: Arc<dyn Progress>, stop: StopSignal, unlimited: bool) -> Self {
        Self {
            recording,
            pace: Some(Pace::new(unlimited)),
            progress,
            stop,
            halt: Mutex::default(),
            clock: Arc::default(),
            serial: AtomicU64::new(0),
        }
    }

    /// A caller for a replay.
    pub fn replay(recording: Arc<Recording>, progress: Arc<dyn Progress>, stop: StopSignal) -> Self {
        Self { pace: None, ..Self::live(recording, progress, stop, false) }
    }

    /// The same caller, which corrects a clock when AWS says that it is wrong.
    pub(super) fn with_clock(self, clock: Arc<Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Whether the collection must stop, and why.
    pub fn halted(&self) -> Option<Halt> {
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who hears how it goes.
    pub fn progress(&self) -> &dyn Progress {
        self.progress.as_ref()
    }

    /// Pauses between two questions of the same kind, such as polling. A replay does not pause.
    pub async fn pause(&self, duration: Duration) {
        if self.pace.is_some() {
            self.stop.pause(duration).await;
        }
    }

    /// Makes a call that is answered at once.
    pub async fn once<T, E, F>(&self, call: &CallId, send: impl Fn() -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.progress.started(call);
        let outcome = match self.request(call, 1, &Answered::default(), send).await {
            Page::Arrived(answer) => {
                self.progress.page(call, 1);
                Outcome::Collected(answer)
            }
            Page::Ended(verdict) => verdict.outcome(None),
        };
        self.ended(call, &outcome.word());
        outcome
    }

    /// Makes a call that is answered in pages. `send` asks for the page of a token, `add` takes a page into the
    /// whole and gives the number of its items and the token of the next page.
    pub(super) async fn pages<W, T, E, F>(
        &self,
        call: &CallId,
        mut whole: W,
        send: impl Fn(Option<String>) -> F,
        mut add: impl FnMut(&mut W, T) -> (usize, Next),
    ) -> Outcome<W>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.progress.started(call);
        let mut token: Option<String> = None;
        let mut tokens = BTreeSet::new();
        let mut page = 1;
        let mut empty = 0;
        let outcome = loop {
            match self.request(call, page, &Answered::default(), || send(token.clone())).await {
                Page::Arrived(answer) => {
                    let (items, next) = add(&mut whole, answer);
                    self.progress.page(call, items);
                    empty = if items == 0 { empty + 1 } else { 0 };
                    let broken = match next {
                        Next::Last => break Outcome::Collected(whole),
                        Next::Token(_) if empty >= EMPTY_PAGES => "went on to give pages with nothing on them",
                        // Pages that lead to each other have no end either.
                        Next::Token(next) if !tokens.insert(next.clone()) => "gave the same token again",
                        Next::Token(next) => {
                            token = Some(next);
                            page += 1;
                            continue;
                        }
                        Next::Lost => "said that there is more, but not how to ask for it",
                    };
                    let gap = Gap::new(GapKind::Failed, format!("after page {page} AWS {broken}"));
                    break Outcome::Missing { gap, partial: Some(whole) };
                }
                Page::Ended(verdict) => break verdict.outcome((page > 1).then_some(whole)),
            }
        };
        self.ended(call, &outcome.word());
        outcome
    }

    /// Makes one request of a call, for callers that follow pages in their own way.
    pub async fn request_page<T, E, F>(&self, call: &CallId, page: u32, send: impl Fn() -> F) -> Result<T, Verdict>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        self.request_timed(call, page, &Answered::default(), send).await
    }

    /// The same; also says when AWS answered.
    pub(super) async fn request_timed<T, E, F>(
        &self,
        call: &CallId,
        page: u32,
        answered: &Answered,
        send: impl Fn() -> F,
    ) -> Result<T, Verdict>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        match self.request(call, page, answered, send).await {
            Page::Arrived(answer) => Ok(answer),
            Page::Ended(verdict) => Err(verdict),
        }
    }

    /// Asks a question whose answer is not recorded. What may pass is asked again.
    pub(super) async fn unrecorded<T, E, F>(&self, call: &CallId, send: impl Fn() -> F) -> Result<T, String>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let mut attempt = 1;
        loop {
            let answer = tokio::select! {
                answer = tokio::time::timeout(UNRECORDED, send()) => answer,
                () = self.stop.overdue() => return Err(self.stop.halt().to_string()),
            };
            let (reason, may_pass) = match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => match judge(call.operation, &error) {
                    Verdict::Retry { gap, .. } => (gap.reason, true),
                    // No connection at all, too: the request carries no tag, by which its error would be known.
                    _ => (causes(&error), matches!(error, SdkError::DispatchFailure(_))),
                },
                Err(_) => (format!("no answer came within {} seconds", UNRECORDED.as_secs()), true),
            };
            if !may_pass || attempt >= ATTEMPTS || self.stop.is_stopped() {
                return Err(reason);
            }
            let pause = backoff(attempt);
            self.progress.retrying(call, &reason, pause);
            self.stop.pause(pause).await;
            attempt += 1;
        }
    }

    /// Sends one request until it is answered, refused, or given up.
    async fn request<T, E, F>(&self, call: &CallId, page: u32, answered: &Answered, send: impl Fn() -> F) -> Page<T>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let mut attempt = 1;
        loop {
            if let Some(ended) = self.stopped() {
                return Page::Ended(ended);
            }
            if let Some(pace) = &self.pace {
                tokio::select! { () = pace.wait(call) => {}, () = self.stop.asked() => continue }
            }
            let tag = RequestTag { call: call.clone(), page, serial, attempt, answered: answered.clone() };
            let answer = tokio::select! {
                answer = REQUEST.scope(tag, send()) => answer,
                // An answer that does not come, or drips, is not waited for: it is asked for again.
                () = self.stop.overdue() => continue,
            };
            let error = match answer {
                Ok(answer) => {
                    if let Some(pace) = &self.pace {
                        pace.answered(call);
                    }
                    return Page::Arrived(answer);
                }
                Err(error) => error,
            };
            let verdict = judge(call.operation, &error);
            if self.pace.is_none()
                && is_not_recorded(&error)
                && let Ok(Some(failure)) = self.recording.unsent(call, page)
            {
                return Page::Ended(Verdict::Final(Gap::new(GapKind::Denied, failure)));
            }
            match (&verdict, &self.pace) {
                (Verdict::Stop(reason), _) => {
                    self.set_halt(Halt::CannotRecord(reason.clone()));
                    return Page::Ended(verdict);
                }
                (Verdict::Retry { gap, throttled }, Some(pace))
                    if attempt < if *throttled { THROTTLED_ATTEMPTS } else { ATTEMPTS } =>
                {
                    if *throttled {
                        pace.throttled(call);
                    }
                    let pause = backoff(attempt);
                    self.progress.retrying(call, &gap.reason, pause);
                    self.stop.pause(pause).await;
                    attempt += 1;
                }
                (Verdict::Skewed(_), Some(_)) if attempt == 1 => {
                    let seconds = self.clock.correct();
                    let text = format!("this computer's clock differs from AWS's by {seconds} seconds; AWS's is taken");
                    self.progress.note(&text);
                    attempt += 1;
                }
                (Verdict::Final(gap), Some(_))
                    if matches!(error, SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_)) =>
                {
                    // Nothing was sent, so that the tape has nothing: the recording must say so itself.
                    if let Err(error) = self.recording.append_unsent(call, page, gap.reason.clone()) {
                        self.set_halt(Halt::CannotRecord(error.to_string()));
                    }
                    return Page::Ended(verdict);
                }
                _ => return Page::Ended(verdict),
            }
        }
    }

    /// Tells that a call ended. What a collection does not end because it was asked to stop has not failed.
    pub(super) fn ended(&self, call: &CallId, outcome: &str) {
        let stopped = self.stop.is_stopped() && outcome != "collected" && outcome != "absent";
        self.progress.ended(call, if stopped { STOPPED } else { outcome });
    }

    fn stopped(&self) -> Option<Verdict> {
        if self.stop.is_stopped() {
            self.set_halt(self.stop.halt());
        }
        self.halted().map(|halt| Verdict::Stop(halt.to_string()))
    }

    fn set_halt(&self, halt: Halt) {
        // The first reason is the one that is told.
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(halt);
    }
}

/// A pause before the next attempt: anything up to a bound that doubles ("full jitter",
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
fn backoff(attempt: u32) -> Duration {
    let bound = Duration::from_millis(250).saturating_mul(1 << attempt.min(10)).min(LONGEST_PAUSE);
    // The standard library's only source of randomness is the seed of its hashes; a pause needs no better.
    let random = RandomState::new().build_hasher().finish();
    bound.mul_f64((random >> 11) as f64 / (1u64 << 53) as f64)
}
