//! What a signal does (SIGINT, SIGTERM). While AWS is asked, the first one lets the pages in flight arrive and stops. At
//! any other time, and the second time, the process ends at once: it takes its unfinished files with it, and says how to
//! go on where that is possible.

use super::Exit;
use crate::collect::{Progress, StopSignal};
use crate::package;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
struct State {
    /// Whom to ask to stop, and who is told of it.
    asking: Option<(StopSignal, Arc<dyn Progress>)>,
    /// How to go on.
    remedy: Option<String>,
    /// Whether the package is written: what is left to do takes a moment, and is let do.
    done: bool,
}

static STATE: Mutex<State> = Mutex::new(State { asking: None, remedy: None, done: false });

fn state() -> MutexGuard<'static, State> {
    // Its members are set by single assignments.
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A collection asks AWS from here on; `asks_no_more` when it has ended.
pub(super) fn asks(stop: &StopSignal, progress: &Arc<dyn Progress>) {
    state().asking = Some((stop.clone(), Arc::clone(progress)));
}

/// AWS is not asked any more.
pub(super) fn asks_no_more() {
    state().asking = None;
}

/// What is collected lies in a folder, from which a run can go on.
pub(super) fn resumable(work: &Path) {
    state().remedy = Some(how_to_go_on(work));
}

/// The package is written.
pub(super) fn done() {
    let mut state = state();
    (state.remedy, state.done) = (None, true);
}

/// The end of an error's message: what is kept, and the command that goes on with it.
pub(super) fn how_to_go_on(work: &Path) -> String {
    format!("; what was collected is kept, go on with: auditpack collect --resume {}", work.display())
}

/// Starts to watch for signals. Where that is impossible they keep their ordinary effect.
pub(super) fn watch() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let Some(mut signals) = ({
        let _context = runtime.enter();
        Signals::new()
    }) else {
        return;
    };
    let watching = move || {
        runtime.block_on(async {
            loop {
                signals.next().await;
                act();
            }
        });
    };
    // Without the thread nobody would act on a signal; that it cannot be had is not known to happen.
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(watching);
}

fn act() {
    let mut state = state();
    if std::mem::take(&mut state.done) {
        return;
    }
    match &state.asking {
        Some((stop, progress)) if !stop.is_stopped() => {
            stop.stop();
            progress.note("stopping when the answers in flight have come; a second signal ends at once");
        }
        _ => {
            package::abandon();
            let remedy = state.remedy.as_deref().unwrap_or_default();
            // If nobody reads it, the exit code says it as well.
            let _ = writeln!(std::io::stderr(), "auditpack: interrupted{remedy}");
            std::process::exit(Exit::NoPackage as i32);
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // A file that grows beyond what `ulimit -f` allows (SIGXFSZ) is an error to tell of, not a reason to be killed.
        let _ = signal(SignalKind::from_raw(25));
        let (interrupt, terminate) = (signal(SignalKind::interrupt()).ok()?, signal(SignalKind::terminate()).ok()?);
        Some(Self { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! { _ = self.interrupt.recv() => {}, _ = self.terminate.recv() => {} }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
